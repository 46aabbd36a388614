"""Asking an FTP server for its certificate, to show it to a person."""

from __future__ import annotations

import asyncio
import ftplib
import socket

from data_connections.endpoints.certificates import Certificate, unchecked_context
from data_connections.endpoints.contract import Timeouts
from data_connections.endpoints.ftp_errors import no_tls, reported
from data_connections.endpoints.ftp_session import FtpClient, Tls
from data_connections.endpoints.host_threads import threads_of
from data_connections.endpoints.sockets import open_socket


async def fetch_certificate(host: str, port: int, tls: Tls, timeouts: Timeouts | None = None) -> Certificate:
    """Return the certificate that a server offers, without logging in.

    Raises:
        RetriableEndpointError: It cannot be reached.
        FatalEndpointError: It has no TLS.
    """
    limits = timeouts or Timeouts()
    address = f"ftps://{host}:{port}"
    with reported(address, "asking for the certificate", limits):
        sock = await open_socket(host, port, limits)
        try:
            sock.settimeout(limits.login)
            loop = asyncio.get_running_loop()
            der = await loop.run_in_executor(threads_of(host, port), _offered, sock, host, tls, address)
        finally:
            sock.close()
    return Certificate.of(der)


def _offered(sock: socket.socket, host: str, tls: Tls, address: str) -> bytes:
    client = FtpClient(host, sock, unchecked_context(), 1.0)
    try:
        if tls != "implicit":
            client.getresp()
            client.voidcmd("AUTH TLS")
        return client.wrap().getpeercert(binary_form=True) or b""
    except ftplib.error_perm as error:
        raise no_tls(address, error) from error
    finally:
        client.close()
