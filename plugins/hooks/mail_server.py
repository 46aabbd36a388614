"""The server by which mails go out, with the credentials that Airflow keeps for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from data_connections.endpoints.contract import Credentials
from data_connections.errors import ConfigurationError

if TYPE_CHECKING:
    from data_connections.endpoints.smtp import MailServer
    from data_connections.spec.mailbox import Tls

PORTS: dict[Tls, int] = {"implicit": 465, "starttls": 587, "none": 25}


def mail_server(name: str) -> MailServer:
    """Return the server of Airflow's SMTP connection ``name``, in a task.

    Its fields mean what they mean to Airflow: TLS from the first byte, unless ``disable_ssl``; then STARTTLS, unless
    ``disable_tls``; mails are from ``from_email``, else from the login.

    Raises:
        ConfigurationError: There is no such connection, or it lacks something.
    """
    from data_connections.endpoints.smtp import MailServer

    try:
        kept = AirflowConnection.get(name)
    except AirflowNotFoundException as missing:
        raise ConfigurationError(
            f"There are no SMTP credentials {name!r}. Set them with `connections credentials set {name} --type smtp`, "
            "or name others in the connection."
        ) from missing
    if kept.password:
        mask_secret(kept.password)
    extra = kept.extra_dejson
    if extra.get("auth_type", "basic") != "basic":
        raise ConfigurationError(
            f"The SMTP credentials {name!r} want to log in by {extra['auth_type']}, which Connections does not do. "
            "Give them a password that the mail service made for programs, or a mail relay of your own."
        )
    tls: Tls = "implicit" if not extra.get("disable_ssl") else "none" if extra.get("disable_tls") else "starttls"
    sender = extra.get("from_email") or kept.login or ""
    if not kept.host or "@" not in sender:
        raise ConfigurationError(
            f"The SMTP credentials {name!r} need a host, and an address that mails are from (--from, or a login that "
            "is one)."
        )
    credentials = Credentials(
        login=kept.login or "",
        password=kept.password or None,
        certificates=tuple(str(extra.get("certificate") or "").split()),
        authorities=extra.get("certificate_authorities") or None,
    )
    return MailServer(kept.host, kept.port or PORTS[tls], tls, sender, credentials, name=name)
