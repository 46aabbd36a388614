"""A folder of our own at the gateway as an endpoint: on this machine's disk, where partners come by SFTP or FTP."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from data_connections.endpoints.contract import Endpoint, RemoteFile, Source
from data_connections.endpoints.names import decode_name, encode_path, join, shown, split
from data_connections.endpoints.sources import SourceFailed, blocks_of
from data_connections.errors import (
    EndpointFileExists,
    EndpointFileMissing,
    FatalEndpointError,
    RetriableEndpointError,
)

BLOCK = 1024 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FINAL = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)

T = TypeVar("T")


class HostedEndpoint(Endpoint):
    """A partner's folder at the gateway; paths are what the partner sees, and no link in it is followed.

    Args:
        root: The folder that the partner sees as ``/``.
        folders: Folders in it that are made with it.
    """

    def __init__(self, root: Path, folders: tuple[str, ...] = ()) -> None:
        self._root = root
        self._folders = folders

    @property
    def address(self) -> str:
        """``hosted:`` and the number of the connection."""
        return f"hosted:{self._root.parent.name}"

    async def connect(self) -> None:
        """Make the folder, where nobody has been yet."""
        with self._reported("opening", "/"):
            await asyncio.to_thread(self._root.mkdir, mode=0o750, parents=True, exist_ok=True)
        for folder in self._folders:
            await self.make_folder(folder)

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    async def list(self, folder: str) -> list[RemoteFile]:
        """Return the files of one folder."""
        try:
            return await self._done("listing the folder", folder, lambda place: list(_listed(place, folder)))
        except EndpointFileMissing as error:
            raise FatalEndpointError(f"{self.address}: there is no folder {shown(folder)!r}.") from error

    async def stat(self, path: str) -> RemoteFile:
        """Return the present state of one file."""
        return await self._done("looking at", path, lambda place: _remote_file(path, place.lstat()))

    async def read(self, path: str, offset: int = 0) -> AsyncIterator[bytes]:
        """Yield the bytes from ``offset`` to the end."""
        fd = await self._done("reading", path, lambda place: os.open(place, os.O_RDONLY | os.O_NOFOLLOW))
        try:
            while True:
                with self._reported("reading", path):
                    block = await asyncio.to_thread(os.pread, fd, BLOCK, offset)
                if not block:
                    return
                offset += len(block)
                yield block
        finally:
            os.close(fd)

    async def upload(self, path: str, source: Source) -> int:
        """Write a new file under exactly this name, to the disk; whatever goes wrong, it may be left incomplete."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        fd = await self._done("uploading", path, lambda place: os.open(place, flags, 0o640))
        size = 0
        try:
            async for block in blocks_of(source):
                with self._reported("uploading", path):
                    await asyncio.to_thread(_write_all, fd, block)
                size += len(block)
            with self._reported("uploading", path):
                await asyncio.to_thread(os.fsync, fd)
        except SourceFailed as error:
            raise error.__cause__ or error from None
        finally:
            os.close(fd)
        return size

    async def move(self, old: str, new: str, *, replace: bool = False) -> None:
        """Rename a file; a name that is taken is never replaced unasked, not even in a race."""
        target = self._place(new)

        def rename(source: Path) -> None:
            _must_be_file(source)
            if not target.parent.is_dir():
                raise FatalEndpointError(
                    f"{self.address}: {shown(old)!r} cannot be moved to {shown(new)!r}: there is no such folder."
                )
            if replace:
                source.replace(target)
            else:
                target.hardlink_to(source)
                source.unlink()

        try:
            await self._done("renaming", old, rename)
        except EndpointFileExists as taken:
            raise EndpointFileExists(
                f"{self.address}: {shown(new)!r} is there already, and nothing is overwritten unasked; "
                f"{shown(old)!r} keeps its name."
            ) from taken

    async def delete(self, path: str) -> None:
        """Delete a file."""
        await self._done("deleting", path, lambda place: place.unlink())

    async def make_folder(self, path: str) -> None:
        """Create a folder and those above it; one that exists is fine."""
        await self._done("making the folder", path, lambda place: place.mkdir(mode=0o750, parents=True, exist_ok=True))

    async def _done(self, doing: str, path: str, action: Callable[[Path], T]) -> T:
        """Return what ``action`` answers for the place of ``path``, in a thread."""
        with self._reported(doing, path):
            return await asyncio.to_thread(lambda: action(self._place(path)))

    def _place(self, path: str) -> Path:
        """Return where a path is; nothing leads outside, neither ``..`` nor a link."""
        parts: list[bytes] = []
        for part in encode_path(path).split(b"/"):
            if part == b"..":
                del parts[-1:]
            elif part not in (b"", b"."):
                parts.append(part)
        place = self._root
        for part in parts:
            if place != self._root and place.is_symlink():
                raise FatalEndpointError(f"{self.address}: {shown(path)!r} leads over a link; links are not followed.")
            place = place / os.fsdecode(part)
        return place

    @contextmanager
    def _reported(self, doing: str, path: str) -> Iterator[None]:
        where = f"{self.address}: {doing} {shown(path)!r}"
        try:
            yield
        except FileExistsError as error:
            raise EndpointFileExists(f"{where}: a file of that name is there already.") from error
        except FileNotFoundError as error:
            raise EndpointFileMissing(f"{where}: it is not there. Somebody may have moved or deleted it.") from error
        except OSError as error:
            kind = FatalEndpointError if error.errno in _FINAL else RetriableEndpointError
            raise kind(f"{where}: the disk refuses it ({error.strerror}).") from error


def _listed(place: Path, folder: str) -> Iterator[RemoteFile]:
    with os.scandir(os.fsencode(place)) as entries:
        for entry in entries:
            try:
                state = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(state.st_mode):
                yield _remote_file(join(folder, decode_name(entry.name)), state)


def _remote_file(path: str, state: os.stat_result) -> RemoteFile:
    mtime = _EPOCH + timedelta(microseconds=state.st_mtime_ns // 1000)
    return RemoteFile(path, split(path)[1], state.st_size, mtime)


def _must_be_file(place: Path) -> None:
    if not stat.S_ISREG(place.lstat().st_mode):
        raise FileNotFoundError(errno.ENOENT, "no file", str(place))


def _write_all(fd: int, block: bytes) -> None:
    done = 0
    while done < len(block):
        done += os.write(fd, memoryview(block)[done:])
