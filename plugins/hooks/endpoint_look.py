"""Looking at endpoints: one login for all connections that share it, and each connection's folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime

from data_connections.endpoints.blocking import BlockingEndpoint
from data_connections.errors import ConnectionsError, EndpointFolderMissing, RetriableEndpointError
from data_connections.ledger.endpoint_looks import Look
from data_connections.spec import (
    ConnectionSpec,
    FtpHost,
    Hosted,
    InboundMailboxDetails,
    OutboundMailDetails,
    SftpHost,
)
from hooks.endpoint import EndpointHook
from hooks.mail_server import mail_server


def door_of(spec: ConnectionSpec) -> tuple[object, ...]:
    """Return what connections share that log in at the same server in the same way."""
    details = spec.details
    if isinstance(details, Hosted):
        return ("hosted", spec.name)
    if isinstance(details, OutboundMailDetails):
        return (details.scheme, spec.credentials, details.to, details.cc)
    trusted = details.host_key if isinstance(details, SftpHost) else getattr(details, "certificate", None)
    return (details.scheme, details.host, details.port, spec.credentials, str(trusted))


def look_at(specs: Sequence[ConnectionSpec]) -> Iterator[tuple[ConnectionSpec, Look]]:
    """Log in once for each way in, look into each connection's folder, and yield what was found of each connection.

    Nothing of the partner's is taken or changed.
    """
    doors: dict[tuple[object, ...], list[ConnectionSpec]] = {}
    for spec in specs:
        doors.setdefault(door_of(spec), []).append(spec)
    for behind in doors.values():
        yield from zip(behind, _look(behind), strict=True)


def _look(specs: Sequence[ConnectionSpec]) -> list[Look]:
    """Look at connections that share a door."""
    first = specs[0]
    address = first.details.address if not isinstance(first.details, OutboundMailDetails) else str(first.credentials)
    try:
        if isinstance(first.details, OutboundMailDetails):
            return [_mail(first, first.details)] * len(specs)
        until = _certificate_until(first)
        with EndpointHook(first).get_conn() as endpoint:
            return [_folder(endpoint, spec, until) for spec in specs]
    except ConnectionsError as refused:
        return [_trouble(address, refused)] * len(specs)
    except Exception as error:  # such as credentials that another Fernet key encrypted
        return [Look(address, False, f"{first.credentials}: {type(error).__name__}")] * len(specs)


def _folder(endpoint: BlockingEndpoint, spec: ConnectionSpec, until: datetime | None) -> Look:
    folder = spec.details.folder
    try:
        endpoint.list(folder)
    except EndpointFolderMissing as missing:
        return _trouble(endpoint.address, missing)
    return Look(endpoint.address, True, f"{endpoint.address} lets us in, and {folder} is there.", False, until)


def _mail(spec: ConnectionSpec, details: OutboundMailDetails) -> Look:
    server = mail_server(spec.credentials or "")
    server.check((*details.to, *details.cc))
    until = _mail_certificate_until(server.host, server.port, "smtp") if server.tls != "none" else None
    return Look(server.address, True, f"{server.address} lets us in and takes mails.", False, until)


def _trouble(address: str, error: ConnectionsError) -> Look:
    return Look(address, False, str(error), isinstance(error, RetriableEndpointError))


def _certificate_until(spec: ConnectionSpec) -> datetime | None:
    """Return when the server's certificate ends; None where it has none."""
    from data_connections.endpoints.ftp_certificate import fetch_certificate

    details = spec.details
    if isinstance(details, InboundMailboxDetails) and details.tls != "none":
        return _mail_certificate_until(details.host, details.port, "imap")
    if isinstance(details, FtpHost) and details.tls != "none":
        return asyncio.run(fetch_certificate(details.host, details.port, details.tls)).valid_until
    return None


def _mail_certificate_until(host: str, port: int, protocol: str) -> datetime | None:
    from data_connections.endpoints.mail_certificate import fetch_mail_certificate

    return asyncio.run(fetch_mail_certificate(host, port, "smtp" if protocol == "smtp" else "imap")).valid_until
