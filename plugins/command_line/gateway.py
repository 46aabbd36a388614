"""`connections gateway`: the endpoints that we host, and the logins of those who come there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from command_line.output import AsJson, note, print_fields, print_json, print_table
from command_line.session import By, acting_user, current_settings, open_ledger
from data_connections.errors import ConfigurationError

if TYPE_CHECKING:
    from data_connections.catalog import StoredSpec
    from data_connections.gateway.logins import NewSecret
    from data_connections.gateway.public_keys import PublicKey
    from data_connections.ledger import Ledger

gateway = typer.Typer(
    no_args_is_help=True, help="Endpoints that we host: serve them, and their logins.", rich_markup_mode=None
)
_DAY = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]
Login = Annotated[str, typer.Argument(metavar="LOGIN", help="Case-sensitive.", show_default=False)]
KeyFile = Annotated[
    Path | None, typer.Option(help="The partner's public key, OpenSSH or PKCS8; a password is made up where left out.")
]
Label = Annotated[str, typer.Option(help="What you call this password or key.")]
Until = Annotated[
    datetime | None, typer.Option("--valid-until", formats=_DAY, metavar="DATE", help="When it ends, in UTC.")
]
Days = Annotated[float, typer.Option("--overlap-days", min=0, help="How long the old one stays valid.")]


@gateway.command()
def serve() -> None:
    """Serve until told to stop (SIGTERM); transfers that are under way may finish first."""
    from command_line.gateway_process import run_gateway

    run_gateway(current_settings())


@gateway.command("create-login")
def create_login(
    name: Annotated[str, typer.Argument(metavar="CONNECTION", show_default=False)],
    login: Annotated[str | None, typer.Option(help="Name of the login; the connection's where left out.")] = None,
    public_key_file: KeyFile = None,
    label: Label = "",
    valid_until: Until = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Make a login for a connection whose folder we host, or an address to mail to; print what the partner needs."""
    from data_connections.gateway import logins

    ledger = open_ledger()
    stored = _hosted(ledger, name)
    made = logins.create_login(
        ledger,
        stored.connection_id,
        login or name,
        acting_user(by),
        key=_public_key(public_key_file),
        by_mail=stored.spec.method == "email",
        label=label,
        valid_until=_in_utc(valid_until),
    )
    _confirm(stored, made, as_json=as_json)


@gateway.command("rotate-login")
def rotate_login(
    login: Login,
    public_key_file: KeyFile = None,
    label: Label = "",
    valid_until: Until = None,
    overlap_days: Days = 14,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Give a login a new password or key; the old ones stay valid for a while, so that nothing stops."""
    from data_connections.gateway import logins

    ledger = open_ledger()
    stored = _connection_of(ledger, login)
    made = logins.rotate_login(
        ledger,
        login,
        acting_user(by),
        overlap=timedelta(days=overlap_days),
        key=_public_key(public_key_file),
        by_mail=stored.spec.method == "email",
        label=label,
        valid_until=_in_utc(valid_until),
    )
    _confirm(stored, made, as_json=as_json)


@gateway.command("mail-login")
def mail_login(
    login: Login,
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Who gets the mail.", show_default=False)],
    valid_hours: Annotated[float, typer.Option("--valid-hours", min=0.1, help="How long the link works.")] = 72,
    smtp: Annotated[str, typer.Option("--smtp", metavar="NAME", help="Airflow's SMTP connection.")] = "smtp_default",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Mail a link that shows a login's details once, with a password that is made at that moment."""
    from command_line.airflow_process import enter_airflow
    from data_connections.gateway.configuration import GatewayAddress, GatewayConfiguration
    from data_connections.spec.mailbox import check_address

    settings, ledger = current_settings(), open_ledger()
    _ = GatewayAddress.find(GatewayConfiguration.from_environment(settings)).links
    try:
        check_address(to)
    except ValueError as wrong:
        raise ConfigurationError(str(wrong), field="--to") from wrong
    enter_airflow(settings)
    from hooks.login_mail import mail_login as mail

    until = mail(ledger, settings, login, to, acting_user(by), valid_for=timedelta(hours=valid_hours), smtp=smtp)
    if as_json:
        print_json({"login": login, "to": to, "valid_until": until})
    else:
        note(f"A link to the details of {login} was mailed to {to}; it works once, until {until:%Y-%m-%d %H:%M} UTC.")


@gateway.command("retire-login")
def retire_login(
    login: Login,
    secret: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Only this password or key; the whole login where left out.")
    ] = None,
    by: By = None,
) -> None:
    """End a login, or one of its passwords or keys, now; what is open under it is closed within seconds."""
    from data_connections.gateway import logins

    logins.retire_login(open_ledger(), login, acting_user(by), secret_id=secret)
    note(f"Retired {login if secret is None else f'password or key {secret} of {login}'}.")


@gateway.command("logins")
def list_logins(
    connection: Annotated[str | None, typer.Option(help="Only this connection's.")] = None, as_json: AsJson = False
) -> None:
    """List logins with each password and key: how long it is valid, how often and when it was used; never a secret."""
    from data_connections.ledger import hosted_logins

    now = datetime.now(UTC)
    found = [each.as_json(now) for each in hosted_logins.all_secrets(open_ledger(), connection=connection)]
    if as_json:
        print_json(found)
        return
    columns = ("login", "connection", "id", "kind", "label", "valid", "valid_until", "uses", "last_used_at", "failures")
    print_table([name.replace("_", " ") for name in columns], ([each[name] for name in columns] for each in found))


@gateway.command("confirmation")
def show_confirmation(login: Login, as_json: AsJson = False) -> None:
    """Print again what the partner needs to log in, without any secret."""
    _confirm(_connection_of(open_ledger(), login), None, login=login, as_json=as_json)


@gateway.command("host-keys")
def host_keys(
    rotate: Annotated[bool, typer.Option("--rotate", help="Make the next key.")] = False,
    overlap_days: Days = 30,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Show the gateway's host keys; with --rotate make the next, which partners can trust before it is used."""
    from data_connections.catalog import activity
    from data_connections.gateway.configuration import GatewayConfiguration
    from data_connections.gateway.server_keys import ServerKeys

    keys = ServerKeys(GatewayConfiguration.from_environment(current_settings()).state)
    if rotate:
        made = keys.rotate(timedelta(days=overlap_days))
        with open_ledger().connect() as connection:
            activity.record(connection, acting_user(by), "host_key.rotated", made.fingerprint)
    rows = [
        {"fingerprint": key.fingerprint, "public": key.public, "valid_until": key.valid_until, "used": number == 0}
        for number, key in enumerate(keys.valid())
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(("fingerprint", "in use", "until"), [(r["fingerprint"], r["used"], r["valid_until"]) for r in rows])


def _hosted(ledger: Ledger, name: str) -> StoredSpec:
    from data_connections.catalog import current
    from data_connections.spec import Hosted

    stored = current(ledger, name)
    if not isinstance(stored.spec.details, Hosted):
        raise ConfigurationError(
            f"{name} has its files at the partner's server; logins are made for connections whose folder we host "
            "(inbound with `methodology: push`, outbound with `methodology: pull`)."
        )
    return stored


def _connection_of(ledger: Ledger, login: str) -> StoredSpec:
    from data_connections.ledger import hosted_logins

    with ledger.connect() as connection:
        hosted_logins.find_login(connection, login)
    return _hosted(ledger, hosted_logins.all_secrets(ledger, login=login)[0].connection)


def _public_key(path: Path | None) -> PublicKey | None:
    from data_connections.gateway.public_keys import read_public_key

    if path is None:
        return None
    try:
        return read_public_key(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ConfigurationError(f"This file cannot be read ({unreadable}).", path=path) from unreadable


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def _confirm(stored: StoredSpec, made: NewSecret | None, *, login: str = "", as_json: bool) -> None:
    from data_connections.gateway.certificate import fingerprint_of, gateway_certificate
    from data_connections.gateway.configuration import GatewayAddress, GatewayConfiguration
    from data_connections.gateway.confirmation import confirmation
    from data_connections.gateway.server_keys import ServerKeys
    from data_connections.ledger import hosted_logins

    configuration = GatewayConfiguration.from_environment(current_settings())
    address, keys = GatewayAddress.find(configuration), ServerKeys(configuration.state).valid()
    certificate = fingerprint_of(gateway_certificate(configuration))
    named = made.login if made else login
    local_parts = hosted_logins.mail_local_parts(open_ledger(), named)
    told = confirmation(named, stored.spec, address, keys, certificate, local_parts)
    secret: dict[str, Any] = {}
    if made is not None:
        secret = {"secret": made.secret_id, "password": made.password, "public_key": made.fingerprint}
        if made.address:
            secret = {"secret": made.secret_id}
        if made.ends:
            secret |= {"old_secrets": list(made.ends[0]), "old_secrets_valid_until": made.ends[1]}
    if as_json:
        print_json({**told, **secret})
        return
    keys_shown = [
        each["fingerprint"] + (f" until {each['valid_until']}" if each["valid_until"] else "")
        for each in told.get("host_keys", ())
    ]
    shown = {**told, **({"host_keys": keys_shown} if keys_shown else {}), **secret}
    print_fields({key.replace("_", " "): value for key, value in shown.items()})
    if secret.get("password"):
        note("The password is shown this once; only a hash of it is kept.")
