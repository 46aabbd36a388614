"""SFTP at the gateway, on asyncssh: file transfer only, no shell, no forwarding, no link."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import asyncssh
from asyncssh.sftp import SFTPServerHandler

from data_connections.gateway.desk import Desk
from data_connections.gateway.refusals import Cause, Refused
from data_connections.gateway.transfers import Download, Upload

_ERRORS: dict[Cause, Callable[[str], asyncssh.SFTPError]] = {
    Cause.MISSING: asyncssh.SFTPNoSuchFile,
    Cause.DENIED: asyncssh.SFTPPermissionDenied,
    Cause.EXISTS: asyncssh.SFTPFailure,
    Cause.FULL: asyncssh.SFTPFailure,
    Cause.INCOMPLETE: asyncssh.SFTPFailure,
}
_WRITING = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC
_VERSION = 3


@contextmanager
def _answered() -> Iterator[None]:
    """Give a refusal as the protocol's answer."""
    try:
        yield
    except Refused as refused:
        raise _ERRORS[refused.cause](str(refused)) from refused


class FolderSftp(asyncssh.SFTPServer):
    """What an SFTP client asks for, put to the login's desk.

    Args:
        channel: The client's channel.
        desk: The login's session.
    """

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], desk: Desk) -> None:
        super().__init__(channel)
        self._desk = desk

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Begin an upload or a download."""
        with _answered():
            if not pflags & _WRITING:
                return self._desk.download(path)
            self._refuse_flags(path, pflags)
            return self._desk.upload(path)

    def _refuse_flags(self, path: bytes, pflags: int) -> None:
        try:
            exists = stat.S_ISREG(self._desk.folder.stat(path).st_mode)
        except Refused:
            exists = False
        if exists and pflags & asyncssh.FXF_EXCL:
            raise Refused(Cause.EXISTS, "A file of that name is there already.")
        if exists and not pflags & asyncssh.FXF_TRUNC:
            self._desk.refuse(path, "A file that is here already cannot be added to; please send it whole.")

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: asyncssh.SFTPAttrs) -> NoReturn:
        """Refuse: version 3 alone is offered."""
        raise asyncssh.SFTPOpUnsupported("SFTP version 3 is spoken here")

    async def close(self, file_obj: object) -> None:
        """Complete an upload or a download: the client said that it is done."""
        with _answered():
            if isinstance(file_obj, Upload):
                await asyncio.to_thread(self._desk.finish_upload, file_obj)
            elif isinstance(file_obj, Download):
                self._desk.finish_download(file_obj)

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Hand out a block."""
        if not isinstance(file_obj, Download):
            raise asyncssh.SFTPPermissionDenied("This file is being uploaded")
        return file_obj.read(offset, size)

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Take a block."""
        if not isinstance(file_obj, Upload):
            raise asyncssh.SFTPPermissionDenied("This file is being downloaded")
        with _answered():
            return file_obj.write(offset, data)

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Tell of a file or folder."""
        with _answered():
            return _attributes(self._desk.folder.stat(path))

    lstat = stat

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        """Tell of an open file."""
        assert isinstance(file_obj, Upload | Download)  # noqa: S101 - nothing else is ever opened
        return _attributes(os.fstat(file_obj.fd))

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Take note of times and rights that a client wants, and keep ours: when a file arrived is ours to say."""
        with _answered():
            self._desk.folder.stat(path)

    lsetstat = setstat

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        """Like ``setstat``."""

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """List a folder."""
        with _answered():
            found = list(self._desk.folder.entries(path))
            here = _attributes(self._desk.folder.stat(path))
        for name in (b".", b".."):
            yield asyncssh.SFTPName(name, attrs=here)
        for name, state in found:
            yield asyncssh.SFTPName(name, attrs=_attributes(state))

    def remove(self, path: bytes) -> None:
        """Delete a file."""
        with _answered():
            self._desk.delete(path)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename a file, over none."""
        with _answered():
            self._desk.move(oldpath, newpath, replace=False)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename a file, in place of one that has the name."""
        with _answered():
            self._desk.move(oldpath, newpath, replace=True)

    def realpath(self, path: bytes) -> bytes:
        """Return the absolute path, as the login sees it."""
        with _answered():
            return self._desk.folder.normal(path)

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Refuse, but for a folder that is there."""
        with _answered():
            self._desk.refuse(path, "No folders are made here: files go into /, or into /test to try them out.")

    def rmdir(self, path: bytes) -> None:
        """Refuse."""
        with _answered():
            self._desk.refuse(path, "Folders are not removed here.")

    def readlink(self, path: bytes) -> NoReturn:
        """Refuse: there are no links."""
        raise asyncssh.SFTPNoSuchFile("There are no links here")

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse."""
        with _answered():
            self._desk.refuse(newpath, "No links are made here.")

    link = symlink

    def lock(self, file_obj: object, offset: int, length: int, flags: int) -> NoReturn:
        """Refuse."""
        raise asyncssh.SFTPOpUnsupported("No locks here")

    def unlock(self, file_obj: object, offset: int, length: int) -> NoReturn:
        """Refuse."""
        raise asyncssh.SFTPOpUnsupported("No locks here")

    def statvfs(self, path: bytes) -> NoReturn:
        """Refuse: how full our disk is concerns nobody."""
        raise asyncssh.SFTPOpUnsupported("Not told here")

    def fstatvfs(self, file_obj: object) -> NoReturn:
        """Refuse."""
        raise asyncssh.SFTPOpUnsupported("Not told here")

    def fsync(self, file_obj: object) -> None:
        """Do nothing yet: a file is on the disk before its close is answered."""

    def format_user(self, uid: int | None) -> str:
        """Return the login in place of a user of this machine."""
        return self._desk.proof.login

    def format_group(self, gid: int | None) -> str:
        """Return nobody in particular."""
        return "partner"

    def exit(self) -> None:
        """Give up what was not closed by the client."""
        self._desk.leave()


class FolderSession(SFTPServerHandler):
    """An SFTP session in which a file that the client did not close itself is not complete.

    When a connection is lost, asyncssh closes what is open as if the client had; so it is given up before.
    """

    def __init__(self, server: FolderSftp, reader: Any, writer: Any) -> None:
        super().__init__(server, reader, writer, _VERSION)
        self._folder_server = server

    async def _cleanup(self, exc: Exception | None) -> None:
        self._folder_server.exit()
        self._file_handles.clear()
        await super()._cleanup(exc)


def _attributes(state: os.stat_result) -> asyncssh.SFTPAttrs:
    """Return what a partner may know of a file: nothing of this machine's users."""
    folder = stat.S_ISDIR(state.st_mode)
    return asyncssh.SFTPAttrs(
        type=asyncssh.FILEXFER_TYPE_DIRECTORY if folder else asyncssh.FILEXFER_TYPE_REGULAR,
        size=state.st_size,
        uid=0,
        gid=0,
        permissions=(stat.S_IFDIR | 0o750) if folder else (stat.S_IFREG | 0o640),
        atime=int(state.st_mtime),
        mtime=int(state.st_mtime),
        nlink=1,
    )
