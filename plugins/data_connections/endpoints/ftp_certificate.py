"""Asking an FTP server for its certificate, to show it to a person."""

from __future__ import annotations

import asyncio

from data_connections.endpoints.certificates import Certificate, unchecked_context
from data_connections.endpoints.contract import Timeouts
from data_connections.endpoints.ftp_client import Tls
from data_connections.endpoints.ftp_errors import reported
from data_connections.endpoints.ftp_session import FtpSession
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
        session = FtpSession(await open_socket(host, port, limits), host, unchecked_context(), limits, address)
        try:
            async with asyncio.timeout(limits.login):
                loop = asyncio.get_running_loop()
                der = await loop.run_in_executor(threads_of(host, port), session.offered_certificate, tls)
        finally:
            session.abort()
    return Certificate.of(der)
