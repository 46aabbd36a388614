"""The logins of one FTP endpoint: opened when needed, used again, a limit on every wait."""

from __future__ import annotations

import asyncio
import ftplib
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import ParamSpec, TypeVar

from data_connections.endpoints import ftp_errors
from data_connections.endpoints.certificates import tls_context
from data_connections.endpoints.contract import Credentials, Timeouts
from data_connections.endpoints.ftp_client import Tls
from data_connections.endpoints.ftp_session import FtpSession
from data_connections.endpoints.host_threads import threads_of
from data_connections.endpoints.sockets import open_socket

SESSIONS = 2
RESTED = 10.0
"""Seconds after which a session is asked whether it still lives: servers leave those that rest for long."""

P = ParamSpec("P")
T = TypeVar("T")


class FtpSessions:
    """Up to two sessions for one login, so that a command need not wait for a transfer.

    Args:
        host: Name or address.
        port: TCP port.
        tls: When it is encrypted.
        credentials: The login, and whom to trust for the certificate.
        timeouts: Limits in seconds.
        address: For messages.
    """

    def __init__(
        self, host: str, port: int, tls: Tls, credentials: Credentials, timeouts: Timeouts, address: str
    ) -> None:
        self._host = host
        self._port = port
        self._tls: Tls = tls
        self._credentials = credentials
        self._timeouts = timeouts
        self._address = address
        self._threads = threads_of(host, port)
        self._context: ssl.SSLContext | None = None
        self._idle: list[FtpSession] = []
        self._busy: set[FtpSession] = set()
        self._places = asyncio.Semaphore(SESSIONS)

    async def blocking(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function answers that blocks, run in one of the host's threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *args, **kwargs))

    async def asking(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the same within ``timeouts.operation`` seconds, however slowly the answer trickles in."""
        async with asyncio.timeout(self._timeouts.operation):
            return await self.blocking(function, *args, **kwargs)

    @asynccontextmanager
    async def use(self, doing: str, path: str | None) -> AsyncIterator[FtpSession]:
        """Lend out a session; errors inside are raised as those of an endpoint, and a lost session is dropped."""
        async with self._places:
            with ftp_errors.reported(self._address, doing, self._timeouts, path):
                session = await self._rested() or await self._log_in()
                self._busy.add(session)
                try:
                    yield session
                except BaseException as error:
                    if ftp_errors.is_connection_lost(error):
                        session.abort()
                    raise
                finally:
                    self._busy.discard(session)
                    if not session.is_closed:
                        self._idle.append(session)

    async def _rested(self) -> FtpSession | None:
        while self._idle:
            session = self._idle.pop()
            if time.monotonic() - session.used < RESTED:
                return session
            try:
                await self.asking(session.command, "NOOP")
            except (OSError, EOFError, ftplib.Error):
                session.abort()
            else:
                return session
        return None

    async def _log_in(self) -> FtpSession:
        if self._context is None and self._tls != "none":
            self._context = await self.blocking(tls_context, self._credentials)
        sock = await open_socket(self._host, self._port, self._timeouts)
        session = FtpSession(sock, self._host, self._context, self._timeouts, self._address)
        try:
            async with asyncio.timeout(self._timeouts.login):
                await self.blocking(session.log_in, self._tls, self._credentials)
        except BaseException:
            session.abort()
            raise
        return session

    async def close(self) -> None:
        """Say goodbye for at most ``timeouts.close`` seconds, then cut the connections."""
        idle, self._idle = self._idle, []
        for session in list(self._busy):
            session.abort()
        try:
            async with asyncio.timeout(self._timeouts.close):
                await asyncio.gather(*(self.blocking(session.leave) for session in idle))
        except TimeoutError:
            for session in idle:
                session.abort()
