"""SFTP as an endpoint, on asyncssh: pinned host keys, a limit on every wait, transfers as fast as the line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import cast

import asyncssh

from data_connections.endpoints.contract import Credentials, Endpoint, RemoteFile, Source, Timeouts
from data_connections.endpoints.names import decode_name, encode_path, join, shown, split
from data_connections.endpoints.pipeline import RemoteHandle, block_size, read_in_order, write_in_order
from data_connections.endpoints.sources import SourceFailed, blocks_of
from data_connections.endpoints.ssh_errors import is_connection_lost, reported
from data_connections.endpoints.ssh_login import Session, log_in
from data_connections.errors import (
    EndpointFileExists,
    EndpointFileMissing,
    EndpointFolderMissing,
    FatalEndpointError,
    RetriableEndpointError,
)

MOST_ENTRIES = 1_000_000
# Servers answer about a hundred entries at a time; each such answer is progress.
ENTRIES_AT_ONCE = 64


class SftpEndpoint(Endpoint):
    """A folder tree at an SFTP server.

    Args:
        host: Name or address.
        port: TCP port.
        credentials: Login with at least one pinned host key.
        timeouts: Limits in seconds; the defaults suit partners on the internet.
    """

    def __init__(self, host: str, port: int, credentials: Credentials, timeouts: Timeouts | None = None) -> None:
        self.host = host
        self.port = port
        self.credentials = credentials
        self.timeouts = timeouts or Timeouts()
        self._session: Session | None = None
        self._logging_in = asyncio.Lock()

    @property
    def address(self) -> str:
        """``sftp://host:port``."""
        return f"sftp://{self.host}:{self.port}"

    async def connect(self) -> None:
        """Connect and log in, unless that is done."""
        await self._live()

    async def _live(self) -> Session:
        async with self._logging_in:
            if self._session is None or self._session.connection.is_closed():
                self._session = await log_in(self.host, self.port, self.credentials, self.timeouts, self.address)
            return self._session

    def _drop(self, session: Session) -> None:
        session.connection.abort()
        if self._session is session:
            self._session = None

    async def close(self) -> None:
        """Say goodbye for at most ``timeouts.close`` seconds, then cut the connection."""
        session, self._session = self._session, None
        if session is None:
            return
        try:
            async with asyncio.timeout(self.timeouts.close):
                session.client.exit()
                session.connection.close()
                await session.connection.wait_closed()
        except (OSError, asyncssh.Error):
            session.connection.abort()

    @asynccontextmanager
    async def _session_for(self, doing: str, path: str | None) -> AsyncIterator[asyncssh.SFTPClient]:
        with reported(self.address, doing, self.timeouts, path):
            session = await self._live()
            try:
                yield session.client
            except BaseException as error:
                if is_connection_lost(error):
                    self._drop(session)
                raise

    @asynccontextmanager
    async def _asking(self, doing: str, path: str) -> AsyncIterator[asyncssh.SFTPClient]:
        async with self._session_for(doing, path) as client, asyncio.timeout(self.timeouts.operation):
            yield client

    async def list(self, folder: str) -> list[RemoteFile]:
        """Return the files of one folder.

        Raises:
            EndpointFolderMissing: There is no such folder.
            FatalEndpointError: It may not be read.
            RetriableEndpointError: The server did not answer in time.
        """
        try:
            async with self._session_for("listing the folder", folder) as client:
                return [file async for file in self._listed(client, folder)]
        except EndpointFileMissing as error:
            raise EndpointFolderMissing(
                f"{self.address}: there is no folder {shown(folder)!r} for this login. Check the connection's folder; "
                "where the login is locked into a home, paths start there."
            ) from error

    async def _listed(self, client: asyncssh.SFTPClient, folder: str) -> AsyncIterator[RemoteFile]:
        now = asyncio.get_running_loop().time
        count = 0
        async with asyncio.timeout(self.timeouts.operation) as limit:
            async for entry in client.scandir(encode_path(folder) or b"."):
                path = join(folder, decode_name(cast("bytes", entry.filename)))
                attributes = await _followed(client, path, entry.attrs)
                if attributes is not None:
                    yield self._remote_file(path, attributes)
                count += 1
                if count % ENTRIES_AT_ONCE == 0:
                    limit.reschedule(now() + self.timeouts.operation)
                if count > MOST_ENTRIES:
                    raise FatalEndpointError(
                        f"{self.address}: the folder {shown(folder)!r} lists over {MOST_ENTRIES:,} entries. Clear it "
                        "out, or point the connection at another folder."
                    )

    def _remote_file(self, path: str, attributes: asyncssh.SFTPAttrs) -> RemoteFile:
        if attributes.size is None or attributes.mtime is None:
            raise FatalEndpointError(
                f"{self.address}: the server gives no size or time for {shown(path)!r}; without them nobody can tell "
                "whether a file is complete."
            )
        return RemoteFile(path, split(path)[1], attributes.size, datetime.fromtimestamp(attributes.mtime, UTC))

    async def stat(self, path: str) -> RemoteFile:
        """Return the present state of one file, links followed."""
        async with self._asking("looking at", path) as client:
            return self._remote_file(path, await client.stat(encode_path(path)))

    async def read(self, path: str, offset: int = 0) -> AsyncIterator[bytes]:
        """Yield the bytes from ``offset`` to the end."""
        async with self._session_for("reading", path) as client:
            async with asyncio.timeout(self.timeouts.operation):
                handle = await client.open(encode_path(path), "rb", block_size=0)
                size = (await handle.stat()).size or 0
            block = block_size(client.limits.max_read_len)
            try:
                async for data in read_in_order(cast("RemoteHandle", handle), offset, size, block, self.timeouts.stall):
                    yield data
            finally:
                await self._let_go(handle)

    async def _let_go(self, handle: asyncssh.SFTPClientFile) -> None:
        with suppress(OSError, asyncssh.Error):
            async with asyncio.timeout(self.timeouts.close):
                await handle.close()

    async def upload(self, path: str, source: Source) -> int:
        """Write a new file under exactly this name; whatever goes wrong, it may be left incomplete."""
        try:
            async with self._session_for("uploading", path) as client:
                async with asyncio.timeout(self.timeouts.operation):
                    handle = await client.open(encode_path(path), "xb", block_size=0)
                block = block_size(client.limits.max_write_len)
                try:
                    size = await write_in_order(
                        cast("RemoteHandle", handle), blocks_of(source), block, self.timeouts.stall
                    )
                    async with asyncio.timeout(self.timeouts.operation):
                        await _flush(handle)
                finally:
                    await self._let_go(handle)
                return size
        except SourceFailed as error:
            raise error.__cause__ or error from None

    async def move(self, old: str, new: str, *, replace: bool = False) -> None:
        """Rename a file, ``replace`` by the server's posix-rename where it has one.

        A connection that is lost before the answer is looked into: when the old name is gone and the new one there,
        the rename was done.
        """
        if not replace and await self._exists(new):
            raise EndpointFileExists(
                f"{self.address}: {shown(new)!r} is there already, and nothing is overwritten unasked; "
                f"{shown(old)!r} keeps its name."
            )
        await self._rename_settled(old, new, replace=replace)

    async def _rename_settled(self, old: str, new: str, *, replace: bool) -> None:
        try:
            await self._rename(old, new, replace=replace)
        except RetriableEndpointError:
            if not await self._was_moved(old, new):
                raise
        except EndpointFileMissing:
            if await self._exists(old):
                raise FatalEndpointError(
                    f"{self.address}: {shown(old)!r} cannot be moved to {shown(new)!r}: there is no such folder."
                ) from None
            raise

    async def _rename(self, old: str, new: str, *, replace: bool) -> None:
        source, target = encode_path(old), encode_path(new)
        async with self._asking("renaming", old) as client:
            if not replace:
                await client.rename(source, target)
                return
            try:
                await client.posix_rename(source, target)
            except asyncssh.SFTPOpUnsupported:
                with suppress(asyncssh.SFTPNoSuchFile):
                    await client.remove(target)
                await client.rename(source, target)

    async def _exists(self, path: str) -> bool:
        try:
            async with self._asking("looking at", path) as client:
                await client.lstat(encode_path(path))
        except EndpointFileMissing:
            return False
        return True

    async def _was_moved(self, old: str, new: str) -> bool:
        try:
            return not await self._exists(old) and await self._exists(new)
        except RetriableEndpointError:
            return False

    async def delete(self, path: str) -> None:
        """Delete a file."""
        async with self._asking("deleting", path) as client:
            await client.remove(encode_path(path))

    async def make_folder(self, path: str) -> None:
        """Create a folder and those above it; one that exists is fine."""
        async with self._asking("making the folder", path) as client:
            await client.makedirs(encode_path(path), exist_ok=True)


async def _followed(client: asyncssh.SFTPClient, path: str, listed: asyncssh.SFTPAttrs) -> asyncssh.SFTPAttrs | None:
    """Return the attributes of the file behind a listed entry, None where there is no file."""
    if listed.type not in (asyncssh.FILEXFER_TYPE_SYMLINK, asyncssh.FILEXFER_TYPE_UNKNOWN):
        return listed if listed.type == asyncssh.FILEXFER_TYPE_REGULAR else None
    try:
        attributes = await client.stat(encode_path(path))
    except asyncssh.SFTPError as error:
        if is_connection_lost(error):
            raise
        return None
    return attributes if attributes.type in (asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN) else None


async def _flush(handle: asyncssh.SFTPClientFile) -> None:
    with suppress(asyncssh.SFTPOpUnsupported):
        await handle.fsync()
