"""`connections credentials pgp`: OpenPGP keys of a connection, ours and the partner's; no secret is ever shown."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from command_line.output import AsJson, note, print_json, print_table
from command_line.session import By, acting_user, current_settings, open_ledger
from data_connections.errors import ConfigurationError, UnknownName

if TYPE_CHECKING:
    from data_connections.formats.openpgp import Key
    from hooks.login import Login

pgp = typer.Typer(no_args_is_help=True, help="OpenPGP keys: generate, add, list, retire.", rich_markup_mode=None)
Name = Annotated[str, typer.Argument(metavar="NAME", help="As specs name it in `pgp.credentials`.", show_default=False)]


@pgp.command("generate")
def generate_key(
    name: Name,
    user: Annotated[str | None, typer.Option(help="User id in the key; NAME where left out.")] = None,
    valid_days: Annotated[int, typer.Option(min=1, help="Days until it ends.")] = 730,
    by: By = None,
) -> None:
    """Make a key of ours beside those that are there, and print its public part for the partner."""
    from data_connections.formats.openpgp.keyring import describe, generate

    kept = _kept(name)
    if kept.passphrase:
        raise ConfigurationError(f"The keys of {name} have a passphrase; add one that opens with it: `pgp add`.")
    secret = generate(user or name, timedelta(days=valid_days))
    key = describe(secret, name, None)
    _store(name, replace(kept, pgp_keys=(*kept.pgp_keys, secret)), by, f"PGP key {key.fingerprint} generated")
    typer.echo(key.public, nl=False)
    note(f"Made {key.fingerprint}, good until {key.expires:%Y-%m-%d}. Give the partner the public key above.")


@pgp.command("add")
def add_keys(
    name: Name,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Armored keys, ours or the partner's.")],
    passphrase_env: Annotated[
        str | None, typer.Option(metavar="VAR", help="Variable that holds the passphrase of our secret keys.")
    ] = None,
    by: By = None,
) -> None:
    """Store keys beside those that are there: public ones are the partner's, secret ones are ours."""
    from data_connections.formats.openpgp.keyring import added, describe, split

    kept = _kept(name)
    passphrase = os.environ.get(passphrase_env) if passphrase_env else kept.passphrase
    given = [text for path in files for text in split(_text(path))]
    if not given:
        raise ConfigurationError("There is no armored PGP key (-----BEGIN PGP ...) in it.", path=files[0])
    keys = {text: describe(text, name, passphrase) for text in given}
    secret = [text for text, key in keys.items() if key.whose == "ours"]
    public = [text for text, key in keys.items() if key.whose == "partner"]
    changed = replace(
        kept,
        passphrase=passphrase,
        pgp_keys=added(kept.pgp_keys, secret, name, passphrase),
        pgp_certificates=added(kept.pgp_certificates, public, name, passphrase),
    )
    _store(name, changed, by, ", ".join(f"PGP key {key.fingerprint} added" for key in keys.values()))
    for key in keys.values():
        note(f"Stored {key.whose} {key.fingerprint} ({key.user}).")


@pgp.command("list")
def list_keys(name: Name, as_json: AsJson = False) -> None:
    """List the keys, ours first: until when each is good, and its public part with --json."""
    now = datetime.now(UTC)
    keys = _keys(name)
    if as_json:
        print_json([{**asdict(key), "state": _state(key, now)} for key in keys])
        return
    print_table(
        ("whose", "fingerprint", "user", "expires", "state"),
        ((key.whose, key.fingerprint, key.user, key.expires, _state(key, now)) for key in keys),
    )


@pgp.command("public")
def public_keys(name: Name) -> None:
    """Print our public keys, for the partner."""
    for key in _keys(name):
        if key.whose == "ours":
            typer.echo(key.public, nl=False)


@pgp.command("retire")
def retire_key(
    name: Name,
    fingerprint: Annotated[str, typer.Argument(metavar="FINGERPRINT", help="Of the key that nobody uses any more.")],
    by: By = None,
) -> None:
    """Delete a key, such as the old one of two."""
    from data_connections.formats.openpgp.keyring import describe

    kept = _kept(name)
    wanted = fingerprint.replace(" ", "").upper()

    def others(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text for text in texts if describe(text, name, kept.passphrase).fingerprint != wanted)

    changed = replace(kept, pgp_keys=others(kept.pgp_keys), pgp_certificates=others(kept.pgp_certificates))
    if changed == kept:
        raise UnknownName("PGP key", wanted, [key.fingerprint for key in _keys(name)])
    _store(name, changed, by, f"PGP key {wanted} retired")
    note(f"Retired {wanted}.")


def _keys(name: str) -> list[Key]:
    from data_connections.formats.openpgp import Keyring

    kept = _kept(name)
    return Keyring(name, kept.pgp_keys, kept.passphrase, kept.pgp_certificates).keys()


def _state(key: Key, now: datetime) -> str:
    if not key.is_valid(now):
        return "expired"
    return "expires soon" if key.warning(now) else "valid"


def _kept(name: str) -> Login:
    from command_line.logins import load_login
    from hooks.login import Login

    kept = load_login(current_settings(), name)
    if kept is not None and kept.kind != "pgp":
        raise ConfigurationError(f"{name} is a login; keep PGP keys under a name of their own.")
    return kept or Login(kind="pgp")


def _store(name: str, login: Login, by: str | None, what: str) -> None:
    from command_line.logins import store_login
    from data_connections.catalog import activity

    settings = current_settings()
    store_login(settings, name, login)
    details: dict[str, Any] = {"parts": login.parts(), "what": what}
    with open_ledger(settings).connect() as connection:
        activity.record(connection, acting_user(by), "credentials.changed", name, details=details)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ConfigurationError(
            f"This file cannot be read as an armored PGP key ({unreadable}).", path=path
        ) from unreadable
