"""Asking a mail server for its certificate, to show it to a person."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from io import BufferedReader
from typing import Literal

from data_connections.endpoints.certificates import Certificate, unchecked_context
from data_connections.endpoints.contract import Timeouts
from data_connections.endpoints.cuttable import Cuttable, calling
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
        offer = _Offer(await open_socket(host, port, limits), host, address)
        try:
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(limits.login):
                der = await loop.run_in_executor(
                    threads_of(host, port), offer.certificate, protocol if later else None, limits.login
                )
        finally:
            offer.abort()
    return Certificate.of(der)


class _Offer(Cuttable):
    """A connection on which nothing but the certificate is asked for."""

    def __init__(self, sock: socket.socket, host: str, address: str) -> None:
        super().__init__()
        self._sock = sock
        self._host = host
        self._address = address

    @calling
    def certificate(self, protocol: Protocol | None, limit: float) -> bytes:
        """Return the certificate (DER), after STARTTLS where a protocol is named."""
        self._sock.settimeout(limit)
        if protocol is not None:
            _begin(self._sock, self._address, protocol)
        secured = unchecked_context().wrap_socket(self._sock, server_hostname=self._host, do_handshake_on_connect=False)
        self._sock = secured
        secured.do_handshake()
        return secured.getpeercert(binary_form=True) or b""

    def _shut(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        self._sock.close()


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
