"""What a server shows of itself, fetched and shown to a person before it is trusted."""

from __future__ import annotations

import asyncio

import typer

from command_line.output import note
from data_connections.errors import ConfigurationError


def fetched_host_keys(place: str | None, *, yes: bool) -> tuple[str, ...]:
    """Fetch an SFTP server's host keys; a person compares the fingerprints, or said that they did.

    Raises:
        ConfigurationError: They are not the ones.
    """
    if place is None:
        return ()
    from data_connections.endpoints.host_keys import fetch_host_keys

    keys = asyncio.run(fetch_host_keys(*_host_and_port(place, 22)))
    for key in keys:
        note(f"{place} shows {key.algorithm} {key.fingerprint}")
    _approve("Are these the fingerprints that the partner stated?", yes=yes)
    return tuple(key.public for key in keys)


def fetched_certificate(place: str | None, kind: str | None, *, yes: bool) -> tuple[str, ...]:
    """Fetch a server's certificate; a person compares it, or said that they did.

    Args:
        place: ``HOST`` or ``HOST:PORT``; on ports 990, 993 and 465 TLS begins with the first byte.
        kind: What it is for: FTPS, or ``imap`` or ``smtp``.
        yes: Whether a person has compared it already.

    Raises:
        ConfigurationError: It is not the one.
    """
    if place is None:
        return ()
    from data_connections.endpoints.ftp_certificate import fetch_certificate
    from data_connections.endpoints.mail_certificate import fetch_mail_certificate
    from data_connections.spec.details import IMPLICIT_PORT

    if kind in ("imap", "smtp"):
        host, port = _host_and_port(place, 993 if kind == "imap" else 465)
        shown = asyncio.run(fetch_mail_certificate(host, port, "imap" if kind == "imap" else "smtp"))
    else:
        host, port = _host_and_port(place, 21)
        shown = asyncio.run(fetch_certificate(host, port, "implicit" if port == IMPLICIT_PORT else "explicit"))
    note(f"{place} shows the certificate {shown.fingerprint}")
    note(f"for {shown.subject}, issued by {shown.issuer}, valid until {shown.valid_until:%Y-%m-%d}")
    _approve("Is this the SHA-256 fingerprint that the partner stated?", yes=yes)
    return (shown.fingerprint,)


def _approve(question: str, *, yes: bool) -> None:
    if not yes and not typer.confirm(question, err=True):
        raise ConfigurationError("Nothing was stored. Ask the partner for the fingerprints of their server.")


def _host_and_port(place: str, default: int) -> tuple[str, int]:
    host, _, port = place.rpartition(":") if place.count(":") == 1 else (place, "", str(default))
    if not port.isdigit():
        raise ConfigurationError(f"{place!r} is not HOST or HOST:PORT.")
    return host, int(port)
