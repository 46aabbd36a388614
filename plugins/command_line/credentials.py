"""`connections credentials`: logins, kept in Airflow's encrypted table; no command shows a secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from command_line.approval import fetched_certificate, fetched_host_keys
from command_line.credentials_pgp import pgp
from command_line.output import AsJson, note, print_json, print_table
from command_line.session import By, acting_user, current_settings, open_ledger
from data_connections.errors import ConfigurationError, UnknownName

credentials = typer.Typer(
    no_args_is_help=True, help="Logins: set, list, delete. No secret is ever shown.", rich_markup_mode=None
)
credentials.add_typer(pgp, name="pgp")
Kind = Literal["sftp", "ftp", "imap", "smtp"]
Tls = Literal["implicit", "starttls", "none"]
Name = Annotated[str, typer.Argument(metavar="NAME", help="As specs name it in `credentials`.", show_default=False)]


@credentials.command("set")
def set_login(
    name: Name,
    login: Annotated[str | None, typer.Option(help="Name at the server.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File whose first line is the password.")] = None,
    password_env: Annotated[str | None, typer.Option(metavar="VAR", help="Variable that holds the password.")] = None,
    private_key_file: Annotated[Path | None, typer.Option(help="Private key: OpenSSH, PEM or PKCS8.")] = None,
    passphrase_env: Annotated[
        str | None, typer.Option(metavar="VAR", help="Variable that holds the private key's passphrase.")
    ] = None,
    host_key_file: Annotated[
        Path | None, typer.Option(help="The server's public keys, as in known_hosts or as ssh-keyscan prints them.")
    ] = None,
    fetch_host_key: Annotated[
        str | None, typer.Option(metavar="HOST[:PORT]", help="Ask the server for its keys and show the fingerprints.")
    ] = None,
    kind: Annotated[
        Kind | None,
        typer.Option(
            "--type",
            help="What it is for: sftp unless said otherwise; ftp is FTPS too, imap a mailbox, smtp mails out.",
        ),
    ] = None,
    fetch_certificate: Annotated[
        str | None,
        typer.Option(metavar="HOST[:PORT]", help="Ask an FTPS or mail server for its certificate, show it and pin it."),
    ] = None,
    authorities_file: Annotated[
        Path | None, typer.Option(help="PEM file of certificate authorities that vouch for an FTPS or mail server.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="smtp: the server that mails go out by.")] = None,
    port: Annotated[int | None, typer.Option(help="smtp: its port; 465, 587 or 25 by --tls where left out.")] = None,
    sender: Annotated[str | None, typer.Option("--from", help="smtp: the address that mails are from.")] = None,
    tls: Annotated[Tls | None, typer.Option(help="smtp: when it is encrypted; implicit where left out.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Trust what was fetched without asking.")] = False,
    by: By = None,
) -> None:
    """Store a login, or change parts of it; what is left out stays as it is.

    Secrets come from files or variables, never from the command line, where other users could see them.
    """
    from command_line.logins import load_login, store_login
    from hooks.login import Login

    settings = current_settings()
    kept = load_login(settings, name)
    given = Login(
        login=login,
        password=_first_line(password_file) or _variable(password_env),
        private_key=_text(private_key_file),
        passphrase=_variable(passphrase_env),
        host_keys=_host_keys(host_key_file) or fetched_host_keys(fetch_host_key, yes=yes),
        certificates=fetched_certificate(fetch_certificate, kind or (kept.kind if kept else None), yes=yes),
        authorities=_text(authorities_file),
        kind=kind or (None if kept else "ftp" if fetch_certificate or authorities_file else None),
        host=host,
        port=port,
        sender=sender,
        tls=tls,
    )
    merged = given.over(kept)
    merged.check(name)
    store_login(settings, name, merged)
    _log(name, "credentials.changed" if kept else "credentials.created", by, merged.parts())
    note(f"Stored {name}: {', '.join(merged.parts())}.")
    if not merged.host_keys and merged.kind in (None, "sftp"):
        note("No host key is pinned: give one in the connection's details.host_key, or here with --fetch-host-key.")


@credentials.command("list")
def list_logins(as_json: AsJson = False) -> None:
    """List the stored logins: what they consist of and which connections use them, never a secret."""
    from command_line.logins import load_logins
    from data_connections.catalog import all_current

    settings = current_settings()
    users: dict[str, list[str]] = {}
    for stored in all_current(open_ledger(settings)):
        for used in _used(stored.content):
            users.setdefault(used, []).append(stored.name)
    found = [
        {
            "name": name,
            "where": where,
            "login": login.login,
            "parts": login.parts(),
            "used_by": users.pop(name, []),
        }
        for name, (where, login) in load_logins(settings, users).items()
    ]
    missing = [
        {"name": name, "where": None, "login": None, "parts": [], "used_by": users[name]} for name in sorted(users)
    ]
    if as_json:
        print_json(found + missing)
        return
    rows = [
        (each["name"], each["where"] or "missing", each["login"], each["parts"], each["used_by"])
        for each in found + missing
    ]
    print_table(("name", "where", "login", "has", "used by"), rows)


@credentials.command("delete")
def delete_login(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Even if connections use it.")] = False,
    by: By = None,
) -> None:
    """Delete a login from Airflow's table."""
    from command_line.logins import delete_stored, load_logins
    from data_connections.catalog import all_current

    settings = current_settings()
    users = [stored.name for stored in all_current(open_ledger(settings)) if name in _used(stored.content)]
    if users and not force:
        raise ConfigurationError(f"{name} is used by {', '.join(users)}; delete it anyway with --force.")
    if not delete_stored(settings, name):
        raise UnknownName("stored login", name, load_logins(settings, ()))
    _log(name, "credentials.deleted", by, [])
    note(f"Deleted {name}.")


def _used(content: Mapping[str, Any]) -> set[str]:
    """Return the names of the login and of the keys that a spec uses."""
    named = (content.get("credentials"), (content.get("pgp") or {}).get("credentials"))
    return {name for name in named if name}


def _log(name: str, what: str, by: str | None, parts: list[str]) -> None:
    from data_connections.catalog import activity

    with open_ledger().connect() as connection:
        activity.record(connection, acting_user(by), what, name, details={"parts": parts})


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ConfigurationError(f"This file cannot be read ({unreadable}).", path=path) from unreadable


def _first_line(path: Path | None) -> str | None:
    text = _text(path)
    if text is not None and not text.strip("\r\n"):
        raise ConfigurationError("This file holds no password.", path=path)
    return text.splitlines()[0] if text else None


def _variable(name: str | None) -> str | None:
    if name is None:
        return None
    if not os.environ.get(name):
        raise ConfigurationError(f"The environment variable {name} is not set.")
    return os.environ[name]


def _host_keys(path: Path | None) -> tuple[str, ...]:
    from data_connections.endpoints.host_keys import read_host_key

    lines = [line.strip() for line in (_text(path) or "").splitlines()]
    keys = [read_host_key(line, str(path)).public for line in lines if line and not line.startswith("#")]
    if path and not keys:
        raise ConfigurationError("This file holds no host key.", path=path)
    return tuple(keys)
