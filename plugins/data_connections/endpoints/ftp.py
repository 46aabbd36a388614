"""FTP and FTPS as an endpoint: passive, encrypted unless the connection says otherwise, a limit on every wait."""

from __future__ import annotations

import asyncio
import ftplib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from data_connections.endpoints import ftp_errors
from data_connections.endpoints.contract import Credentials, Endpoint, RemoteFile, Source, Timeouts
from data_connections.endpoints.ftp_client import Tls
from data_connections.endpoints.ftp_listing import Entry, lines_of, parse_list, parse_mlsd, parse_nlst
from data_connections.endpoints.ftp_session import FtpSession
from data_connections.endpoints.ftp_sessions import FtpSessions
from data_connections.endpoints.ftp_times import KnownTimes
from data_connections.endpoints.ftp_whole import whole_listing
from data_connections.endpoints.names import shown, split
from data_connections.endpoints.network_errors import missing
from data_connections.endpoints.sources import SourceFailed, blocks_of
from data_connections.errors import (
    EndpointFileExists,
    EndpointFileMissing,
    EndpointFolderMissing,
    FatalEndpointError,
    RetriableEndpointError,
)

ENTRIES_AT_ONCE = 64

Entries = list[Entry]
Lines = list[bytes]


class FtpsEndpoint(Endpoint):
    """A folder tree at an FTP server, with TLS from AUTH TLS on.

    Args:
        host: Name or address.
        port: TCP port.
        credentials: Login with a password, and whom to trust for the server's certificate.
        timeouts: Limits in seconds; the defaults suit partners on the internet.
        ends_tls: Whether the server ends TLS on its data connections; see ``FtpHost.ends_tls``.
    """

    tls: ClassVar[Tls] = "explicit"

    def __init__(
        self,
        host: str,
        port: int,
        credentials: Credentials,
        timeouts: Timeouts | None = None,
        *,
        ends_tls: bool = True,
    ) -> None:
        self.host = host
        self.port = port
        self._ends_tls = ends_tls
        self._sessions = FtpSessions(host, port, self.tls, credentials, timeouts or Timeouts(), self.address)
        self._times = KnownTimes()

    @property
    def address(self) -> str:
        """``ftps://host:port``, or ``ftp://`` where nothing is encrypted."""
        return f"{'ftp' if self.tls == 'none' else 'ftps'}://{self.host}:{self.port}"

    async def connect(self) -> None:
        """Connect and log in, unless that is done."""
        async with self._sessions.use("logging in", None):
            pass

    async def close(self) -> None:
        """Say goodbye for at most ``timeouts.close`` seconds, then cut the connections."""
        await self._sessions.close()

    async def list(self, folder: str) -> list[RemoteFile]:
        """Return the files of one folder.

        Servers with MLSD tell size and time in one answer. For others LIST tells names and sizes, else NLST the names,
        and each file's time (and size) is asked for; it is remembered while the line of LIST stays the same.

        Raises:
            EndpointFolderMissing: There is no such folder, or it may not be entered.
            RetriableEndpointError: The server did not answer in time, or the listing may not be whole.
        """
        async with self._sessions.use("listing the folder", folder) as session:
            await self._enter(session, folder)
            entries = await self._entries(session)
            candidates = [entry for entry in entries if entry.kind in ("file", "link")]
            files: list[RemoteFile] = []
            for start in range(0, len(candidates), ENTRIES_AT_ONCE):
                some = candidates[start : start + ENTRIES_AT_ONCE]
                files += await self._sessions.asking(self._times.complete, session, folder, some)
            self._times.forget_others(folder, candidates)
        return files

    async def _enter(self, session: FtpSession, folder: str) -> None:
        try:
            await self._sessions.asking(session.ask, "CWD", folder)
        except ftplib.error_perm as error:
            raise EndpointFolderMissing(
                f"{self.address}: there is no folder {shown(folder)!r} for this login ({ftp_errors.said(error)}). "
                "Check the connection's folder; where the login is locked into a home, paths start there."
            ) from error

    async def _entries(self, session: FtpSession) -> Entries:
        if "MLST" in session.features:
            return parse_mlsd(await self._lines(session, "MLSD"))
        entries = parse_list(await self._lines(session, "LIST"))
        if entries is not None:
            return entries
        try:
            return parse_nlst(await self._lines(session, "NLST"))
        except ftplib.error_perm:
            # Some servers refuse to list an empty folder.
            return []

    async def _lines(self, session: FtpSession, command: str) -> Lines:
        return lines_of(await self._sessions.blocking(whole_listing, session, command, ends_tls=self._ends_tls))

    async def stat(self, path: str) -> RemoteFile:
        """Return the present state of one file, links followed."""
        async with self._sessions.use("looking at", path) as session:
            try:
                size, mtime = await self._sessions.asking(session.size_and_time, path)
            except ftplib.error_perm as error:
                raise missing(f"{self.address}: looking at {shown(path)!r}") from error
        return RemoteFile(path, split(path)[1], size, mtime)

    async def read(self, path: str, offset: int = 0) -> AsyncIterator[bytes]:
        """Yield the bytes from ``offset`` to the end; a server that ends early and says success is not believed."""
        async with self._sessions.use("reading", path) as session:
            try:
                expected, _ = await self._sessions.asking(session.size_and_time, path)
                await self._sessions.asking(session.begin, "RETR", path, offset)
            except ftplib.error_perm as error:
                await self._explain(session, path, error)
            count = 0
            ahead = asyncio.ensure_future(self._sessions.blocking(session.receive))
            try:
                while block := await ahead:
                    ahead = asyncio.ensure_future(self._sessions.blocking(session.receive))
                    count += len(block)
                    yield block
                await self._sessions.asking(session.finish)
            except BaseException:
                session.abort()
                with suppress(OSError, EOFError, ftplib.Error):
                    await ahead
                raise
        if offset + count < expected:
            raise RetriableEndpointError(
                f"{self.address}: reading {shown(path)!r}: the server ended after {offset + count:,} of {expected:,} "
                "bytes and called it complete. Nothing of it is taken; it is tried again."
            )

    async def _explain(self, session: FtpSession, path: str, error: ftplib.error_perm) -> None:
        """Raise that a file is missing, or why it is refused."""
        if await self._sessions.asking(session.is_there, path):
            raise error
        raise missing(f"{self.address}: {shown(path)!r}") from error

    async def upload(self, path: str, source: Source) -> int:
        """Write a new file under exactly this name; whatever goes wrong, it may be left incomplete."""
        try:
            async with self._sessions.use("uploading", path) as session:
                await self._refuse_existing(session, path, "it is not written over")
                try:
                    await self._sessions.asking(session.begin, "STOR", path)
                except ftplib.error_perm as error:
                    await self._explain_place(session, path, error)
                return await self._send(session, source)
        except SourceFailed as error:
            raise error.__cause__ or error from None

    async def _send(self, session: FtpSession, source: Source) -> int:
        size = 0
        try:
            async for block in blocks_of(source):
                await self._sessions.blocking(session.send, block)
                size += len(block)
            await self._sessions.asking(session.finish)
        except BaseException:
            session.abort()
            raise
        return size

    async def _refuse_existing(self, session: FtpSession, path: str, rest: str) -> None:
        if await self._sessions.asking(session.is_there, path):
            raise EndpointFileExists(
                f"{self.address}: {shown(path)!r} is there already, and nothing is overwritten unasked; {rest}."
            )

    async def _explain_place(self, session: FtpSession, path: str, error: ftplib.error_perm) -> None:
        """Raise that the folder of ``path`` is missing, or why writing there is refused."""
        if await self._sessions.asking(session.is_folder, split(path)[0]):
            raise error
        raise EndpointFileMissing(f"{self.address}: there is no folder for {shown(path)!r}.") from error

    async def move(self, old: str, new: str, *, replace: bool = False) -> None:
        """Rename a file; where a server does not rename over another, ``replace`` deletes that one first.

        A connection that is lost before the answer is looked into: when the old name is gone and the new one there,
        the rename was done.
        """
        try:
            async with self._sessions.use("renaming", old) as session:
                if not replace:
                    await self._refuse_existing(session, new, f"{shown(old)!r} keeps its name")
                await self._rename(session, old, new, replace=replace)
        except RetriableEndpointError:
            if not await self._was_moved(old, new):
                raise

    async def _rename(self, session: FtpSession, old: str, new: str, *, replace: bool) -> None:
        try:
            await self._sessions.asking(session.ask, "RNFR", old)
        except ftplib.error_perm as error:
            await self._explain(session, old, error)
        try:
            await self._sessions.asking(session.ask, "RNTO", new)
        except (ftplib.error_perm, ftplib.error_temp) as error:
            if not await self._sessions.asking(session.is_folder, split(new)[0]):
                raise FatalEndpointError(
                    f"{self.address}: {shown(old)!r} cannot be moved to {shown(new)!r}: there is no such folder."
                ) from error
            if not (replace and await self._sessions.asking(session.is_there, new)):
                raise
            await self._sessions.asking(session.ask, "DELE", new)
            await self._rename(session, old, new, replace=False)

    async def _was_moved(self, old: str, new: str) -> bool:
        try:
            async with self._sessions.use("looking at", new) as session:
                is_left = await self._sessions.asking(session.is_there, old)
                return not is_left and await self._sessions.asking(session.is_there, new)
        except RetriableEndpointError:
            return False

    async def delete(self, path: str) -> None:
        """Delete a file."""
        async with self._sessions.use("deleting", path) as session:
            try:
                await self._sessions.asking(session.ask, "DELE", path)
            except ftplib.error_perm as error:
                await self._explain(session, path, error)

    async def make_folder(self, path: str) -> None:
        """Create a folder and those above it; one that exists is fine."""
        async with self._sessions.use("making the folder", path) as session:
            await self._sessions.asking(session.make_folder, path)


class ImplicitFtpsEndpoint(FtpsEndpoint):
    """FTPS with TLS from the first byte, usually on port 990."""

    tls = "implicit"


class PlainFtpEndpoint(FtpsEndpoint):
    """FTP without TLS, for connections that say so: login, password and files travel readable."""

    tls = "none"


_KINDS: dict[Tls, type[FtpsEndpoint]] = {
    "explicit": FtpsEndpoint,
    "implicit": ImplicitFtpsEndpoint,
    "none": PlainFtpEndpoint,
}


@dataclass(frozen=True)
class FtpMaker:
    """Makes FTP endpoints; equal ones make the same kind, so that waiting connections share a login.

    Attributes:
        tls: When it is encrypted.
        ends_tls: Whether the server ends TLS on its data connections.
    """

    tls: Tls
    ends_tls: bool = True

    def __call__(
        self, host: str, port: int, credentials: Credentials, timeouts: Timeouts | None = None
    ) -> FtpsEndpoint:
        """Return the endpoint at one server, not yet connected."""
        return _KINDS[self.tls](host, port, credentials, timeouts, ends_tls=self.ends_tls)
