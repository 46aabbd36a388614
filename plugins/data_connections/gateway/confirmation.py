"""What a partner is told about a login: where to go, how to know that it is us, where files belong."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from data_connections.gateway.configuration import GatewayAddress
from data_connections.gateway.folder import TRIALS
from data_connections.gateway.server_keys import ServerKey
from data_connections.spec import ConnectionSpec, InboundConnection, InboundFolder, InboundHostedMailDetails


def confirmation(
    login: str,
    spec: ConnectionSpec,
    address: GatewayAddress,
    keys: list[ServerKey],
    certificate: str | None,
    local_parts: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the confirmation of a login, without any secret.

    Args:
        login: The login's name.
        spec: Its connection.
        address: Where the gateway is.
        keys: Its host keys that partners may trust, the one in use first.
        certificate: Fingerprint of its certificate for FTPS and SMTP.
        local_parts: What stands before the @ of the addresses that it may mail to, the newest first.
    """
    inbound = isinstance(spec, InboundConnection)
    told = {
        "connection": spec.name,
        "login": login,
        "host": address.host,
        "addresses": _addresses(address.host),
        "files": spec.details.file_pattern if isinstance(spec, InboundConnection) else None,
    }
    if spec.method == "email":
        return told | _by_mail(spec, address, certificate, [address.mail_address(each) for each in local_parts])
    by_sftp = spec.method == "sftp"
    port = address.sftp_port if by_sftp else address.ftp_port
    return told | {
        "uri": f"{'sftp' if by_sftp else 'ftpes'}://{login}@{address.host}:{port}/",
        "implicit_tls_uri": None
        if by_sftp or address.ftps_port is None
        else f"ftps://{login}@{address.host}:{address.ftps_port}/",
        "port": port,
        "host_keys": [_shown(key) for key in keys] if by_sftp else [],
        "certificate": None if by_sftp else certificate,
        "folder": spec.details.folder,
        "trial_folder": f"/{TRIALS.decode()}" if inbound else None,
        "result_folder": spec.details.result_folder if isinstance(spec.details, InboundFolder) else None,
    }


def _by_mail(
    spec: ConnectionSpec, address: GatewayAddress, certificate: str | None, mail_addresses: list[str]
) -> dict[str, Any]:
    details = spec.details
    assert isinstance(details, InboundHostedMailDetails)  # noqa: S101 - no other is mailed to
    return {
        "uri": f"mailto:{mail_addresses[0]}" if mail_addresses else None,
        "mail_addresses": mail_addresses,
        "port": address.smtp_port,
        "host_keys": [],
        "certificate": certificate,
        "folder": None,
        "trial_folder": None,
        "result_folder": None,
        "senders": list(details.senders),
        "return_address": details.return_address,
    }


def _shown(key: ServerKey) -> dict[str, str | None]:
    return {"fingerprint": key.fingerprint, "public": key.public, "valid_until": _until(key.valid_until)}


def _addresses(host: str) -> list[str]:
    """Return the addresses that a partner's firewall has to let through; none where the name is not known here."""
    try:
        return sorted({str(place[0]) for *_, place in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except OSError:
        return []


def _until(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None
