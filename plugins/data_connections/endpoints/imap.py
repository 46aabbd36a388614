"""A mailbox by IMAP as an endpoint: mails by UID, read without being marked, a limit on every wait."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ParamSpec, TypeVar

from data_connections.endpoints import imap_errors
from data_connections.endpoints.certificates import tls_context
from data_connections.endpoints.contract import Credentials, Timeouts
from data_connections.endpoints.host_threads import threads_of
from data_connections.endpoints.imap_session import ImapSession
from data_connections.endpoints.mail import MOST_BYTES, Farewell, MailEndpoint, MailId, MailState
from data_connections.endpoints.names import shown
from data_connections.endpoints.sockets import open_socket
from data_connections.spec.mailbox import Tls

RESTED = 10.0
"""Seconds after which a session is asked whether it still lives: servers leave those that rest for long."""

P = ParamSpec("P")
T = TypeVar("T")


class ImapEndpoint(MailEndpoint):
    """A mailbox at an IMAP server.

    Args:
        host: Name or address.
        port: TCP port.
        credentials: Login with a password, and whom to trust for the server's certificate.
        timeouts: Limits in seconds; the defaults suit partners on the internet.
        tls: When it is encrypted.
        newer_than: Older mails are not looked at.
    """

    def __init__(
        self,
        host: str,
        port: int,
        credentials: Credentials,
        timeouts: Timeouts | None = None,
        *,
        tls: Tls = "implicit",
        newer_than: timedelta = timedelta(days=30),
    ) -> None:
        super().__init__()
        self.host = host
        self.port = port
        self._tls: Tls = tls
        self._newer_than = newer_than
        self._credentials = credentials
        self._timeouts = timeouts or Timeouts()
        self._threads = threads_of(host, port)
        self._context: ssl.SSLContext | None = None
        self._session: ImapSession | None = None
        self._alone = asyncio.Lock()
        self._states: dict[str, list[MailState]] = {}

    @property
    def address(self) -> str:
        """``imaps://host:port``, or ``imap://`` where nothing is encrypted."""
        return f"{'imap' if self._tls == 'none' else 'imaps'}://{self.host}:{self.port}"

    async def connect(self) -> None:
        """Connect and log in, unless that is done."""
        async with self._use("logging in"):
            pass

    async def close(self) -> None:
        """Say goodbye for at most ``timeouts.close`` seconds, then cut the connection."""
        session, self._session = self._session, None
        if session is None or session.is_closed:
            return
        try:
            async with asyncio.timeout(self._timeouts.close):
                await self._blocking(session.leave)
        except TimeoutError:
            session.abort()

    async def states(self, mailbox: str) -> Sequence[MailState]:
        """Return the mails of a folder that are not older than ``newer_than``."""
        since = (datetime.now(UTC) - self._newer_than - timedelta(days=1)).date()
        async with self._use(f"listing {shown(mailbox)!r}") as session:
            found = await self._asking(session.states, mailbox, since, self._states.get(mailbox, []))
        self._states[mailbox] = found
        oldest = datetime.now(UTC) - self._newer_than
        return [state for state in found if state.received_at >= oldest]

    async def raw(self, mail: MailId) -> tuple[datetime, bytes]:
        """Return a mail, read in pieces so that every wait has its limit."""
        pieces: list[bytes] = []
        async with self._use(f"reading {shown(mail.path)!r}") as session:
            received_at = await self._asking(session.received_at, mail)
            size = 0
            while size <= MOST_BYTES and (piece := await self._asking(session.piece, mail, size)):
                pieces.append(piece)
                size += len(piece)
        return received_at, b"".join(pieces)

    async def check_there(self, mail: MailId) -> None:
        """Make sure that a mail is there still."""
        async with self._use(f"looking at {shown(mail.path)!r}") as session:
            await self._asking(session.received_at, mail)

    async def finish(self, mail: MailId, farewell: Farewell) -> None:
        """Keep, flag, move or delete a mail."""
        if farewell.action == "keep" and not farewell.mark_read:
            return
        async with self._use(f"{farewell.action} {shown(mail.path)!r}") as session:
            await self._asking(session.finish, mail, farewell)

    async def may_write(self, mailbox: str) -> bool:
        """Whether flags of mails in a folder may be changed."""
        async with self._use(f"opening {shown(mailbox)!r}") as session:
            return await self._asking(session.may_write, mailbox)

    async def try_mailbox(self, folder: str) -> bool:
        """Make sure that a folder is there or could be made, and leave everything as it was; whether it is there."""
        async with self._use(f"making {shown(folder)!r}") as session:
            is_new = await self._asking(session.make_mailbox, folder)
            if is_new:
                await self._asking(session.remove_mailbox, folder)
        return not is_new

    @asynccontextmanager
    async def _use(self, doing: str) -> AsyncIterator[ImapSession]:
        """Lend out the session; errors inside are raised as those of an endpoint, and a lost session is dropped."""
        async with self._alone:
            with imap_errors.reported(self.address, doing, self._timeouts):
                session = await self._living() or await self._log_in()
                self._session = session
                try:
                    yield session
                except BaseException as error:
                    if imap_errors.is_connection_lost(error):
                        session.abort()
                    raise

    async def _living(self) -> ImapSession | None:
        session = self._session
        if session is None or session.is_closed:
            return None
        if time.monotonic() - session.used < RESTED:
            return session
        try:
            await self._asking(session.check)
        except Exception as error:  # whatever it is, a new login tells more
            if not imap_errors.is_connection_lost(error):
                return session
            session.abort()
            return None
        return session

    async def _log_in(self) -> ImapSession:
        if self._context is None and self._tls != "none":
            self._context = await self._blocking(tls_context, self._credentials)
        sock = await open_socket(self.host, self.port, self._timeouts)
        session = ImapSession(sock, self.host, self.port, self._context, self._timeouts, self.address)
        try:
            async with asyncio.timeout(self._timeouts.login):
                await self._blocking(session.log_in, self._tls, self._credentials)
        except BaseException:
            session.abort()
            raise
        return session

    async def _blocking(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *args, **kwargs))

    async def _asking(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function answers that blocks, within ``timeouts.operation`` seconds."""
        async with asyncio.timeout(self._timeouts.operation):
            return await self._blocking(function, *args, **kwargs)


@dataclass(frozen=True)
class ImapMaker:
    """Makes mailbox endpoints; equal ones make the same kind, so that waiting connections share a login.

    Attributes:
        tls: When it is encrypted.
        newer_than: Older mails are not looked at.
    """

    tls: Tls
    newer_than: timedelta

    def __call__(self, host: str, port: int, credentials: Credentials) -> ImapEndpoint:
        """Return the endpoint of one mailbox, not yet connected."""
        return ImapEndpoint(host, port, credentials, tls=self.tls, newer_than=self.newer_than)
