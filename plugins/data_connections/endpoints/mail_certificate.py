"""Asking a mail server for its certificate, to show it to a person."""

from __future__ import annotations

import asyncio
import socket
import ssl
from io import BufferedReader
from typing import Literal

from data_connections.endpoints.certificates import Certificate, unchecked_context
from data_connections.endpoints.contract import Timeouts
from data_connections.endpoints.host_threads import threads_of
from data_connections.endpoints.imap_errors import reported
from data_connections.endpoints.sockets import open_socket
from data_connections.errors import FatalEndpointError

Protocol = Literal["imap", "smtp"]
STARTTLS_PORTS = (143, 25, 587)
_LONGEST_LINE = 4096


async def fetch_mail_certificate(
    host: str, port: int, protocol: Protocol, *, starttls: bool | None = None, timeouts: Timeouts | None = None
) -> Certificate:
    """Return the certificate that a mail server offers, without logging in.

    Args:
        host: Name or address.
        port: TCP port.
        protocol: What it speaks.
        starttls: Whether TLS begins with STARTTLS; by the port where left out.
        timeouts: Limits in seconds.

    Raises:
        RetriableEndpointError: It cannot be reached.
        FatalEndpointError: It has no TLS.
    """
    limits = timeouts or Timeouts()
    address, later = f"{protocol}s://{host}:{port}", port in STARTTLS_PORTS if starttls is None else starttls
    with reported(address, "asking for the certificate", limits):
        sock = await open_socket(host, port, limits)
        try:
            sock.settimeout(limits.login)
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(limits.login):
                der = await loop.run_in_executor(
                    threads_of(host, port), _offered, sock, host, address, protocol if later else None
                )
        finally:
            sock.close()
    return Certificate.of(der)


def _offered(sock: socket.socket, host: str, address: str, protocol: Protocol | None) -> bytes:
    if protocol is not None:
        _begin(sock, address, protocol)
    with unchecked_context().wrap_socket(sock, server_hostname=host) as secured:
        assert isinstance(secured, ssl.SSLSocket)  # noqa: S101 - that is what wrap_socket makes
        return secured.getpeercert(binary_form=True) or b""


def _begin(sock: socket.socket, address: str, protocol: Protocol) -> None:
    """Ask for STARTTLS; nothing else is said before."""
    with sock.makefile("rb") as answers:
        _answer(answers, b"")
        if protocol == "smtp":
            sock.sendall(b"EHLO localhost\r\n")
            _answer(answers, b"250 ")
        sock.sendall(b"a STARTTLS\r\n" if protocol == "imap" else b"STARTTLS\r\n")
        final = _answer(answers, b"a " if protocol == "imap" else b"")
    if not final.upper().startswith((b"A OK", b"220")):
        raise FatalEndpointError(f"{address}: the server offers no TLS (STARTTLS) on this port.")


def _answer(answers: BufferedReader, ends: bytes) -> bytes:
    """Return the first line that begins with ``ends``."""
    while line := answers.readline(_LONGEST_LINE):
        if line.startswith(ends):
            return line
    raise ConnectionResetError("the server ended the connection")
