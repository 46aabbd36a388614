"""What an FTP client asks for, put to the login's desk."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pyftpdlib.exceptions import FilesystemError
from pyftpdlib.filesystems import AbstractedFS

from data_connections.gateway.desk import Desk
from data_connections.gateway.refusals import Refused
from data_connections.gateway.transfers import Download, Upload


@contextmanager
def _answered() -> Iterator[None]:
    """Give a refusal as the protocol's answer."""
    try:
        yield
    except Refused as refused:
        raise FilesystemError(str(refused).rstrip(".")) from refused


class FtpFile:
    """A transfer as pyftpdlib handles files; what ends it is the data connection's business.

    Args:
        transfer: The upload or download.
        refused: Called when a block is refused.
    """

    def __init__(self, transfer: Upload | Download, refused: Callable[[], object]) -> None:
        self.transfer = transfer
        self.name = os.fsdecode(transfer.path)
        self.closed = False
        self._refused = refused
        self._position = 0

    def write(self, data: bytes) -> None:
        """Take a block; where it is refused, the data connection ends."""
        assert isinstance(self.transfer, Upload)  # noqa: S101 - opened for writing
        try:
            self._position += self.transfer.write(self._position, data)
        except Refused:
            self._refused()

    def read(self, size: int) -> bytes:
        """Hand out a block."""
        assert isinstance(self.transfer, Download)  # noqa: S101 - opened for reading
        data = self.transfer.read(self._position, size)
        self._position += len(data)
        return data

    def seek(self, position: int) -> None:
        """Go on from elsewhere: a download that is resumed."""
        self._position = position

    def close(self) -> None:
        """Note that pyftpdlib is done with it."""
        self.closed = True


class FtpFolder(AbstractedFS):  # type: ignore[misc]  # pyftpdlib has no types
    """The login's folder; paths are virtual through and through, none of this machine ever appears."""

    def __init__(self, root: str, cmd_channel: Any) -> None:
        super().__init__("/", cmd_channel)

    @property
    def desk(self) -> Desk:
        """The login's session."""
        desk: Desk = self.cmd_channel.desk
        return desk

    def validpath(self, path: str) -> bool:
        """Whether a path may be asked for: the desk decides."""
        return True

    def realpath(self, path: str) -> str:
        """Return the path: there are no links."""
        return path

    def open(self, filename: str, mode: str) -> FtpFile:
        """Begin an upload or a download."""
        path = os.fsencode(filename)
        with _answered():
            if mode == "rb":
                return FtpFile(self.desk.download(path), self.cmd_channel.end_data)
            if mode != "wb":
                self.desk.refuse(path, "A file that is here already cannot be added to; please send it whole.")
            return FtpFile(self.desk.upload(path), self.cmd_channel.end_data)

    def chdir(self, path: str) -> None:
        """Go into a folder."""
        if not self.isdir(path):
            raise FilesystemError("There is no such folder")
        self.cwd = path

    def listdir(self, path: str) -> list[str]:
        """Return the names in a folder."""
        with _answered():
            return [os.fsdecode(name) for name, _ in self.desk.folder.entries(os.fsencode(path))]

    listdirinfo = listdir

    def remove(self, path: str) -> None:
        """Delete a file."""
        with _answered():
            self.desk.delete(os.fsencode(path))

    def rename(self, src: str, dst: str) -> None:
        """Rename a file, in place of one that has the name."""
        with _answered():
            self.desk.move(os.fsencode(src), os.fsencode(dst), replace=True)

    def mkdir(self, path: str) -> None:
        """Refuse."""
        with _answered():
            self.desk.refuse(os.fsencode(path), "No folders are made here: files go into /, or into /test.")

    def rmdir(self, path: str) -> None:
        """Refuse."""
        with _answered():
            self.desk.refuse(os.fsencode(path), "Folders are not removed here.")

    def chmod(self, path: str, mode: int) -> None:
        """Take note of rights that a client wants, and keep ours."""
        self.stat(path)

    def utime(self, path: str, timeval: float) -> None:
        """Take note of a time that a client wants, and keep ours: when a file arrived is ours to say."""
        self.stat(path)

    def stat(self, path: str) -> os.stat_result:
        """Tell of a file or folder."""
        try:
            return self.desk.folder.stat(os.fsencode(path))
        except Refused as refused:
            raise FileNotFoundError(2, str(refused)) from refused

    lstat = stat

    def isfile(self, path: str) -> bool:
        """Whether there is such a file."""
        return self._is(path, stat.S_ISREG)

    def isdir(self, path: str) -> bool:
        """Whether there is such a folder."""
        return self._is(path, stat.S_ISDIR)

    def islink(self, path: str) -> bool:
        """No: there are no links."""
        return False

    def lexists(self, path: str) -> bool:
        """Whether there is such a file or folder."""
        return self._is(path, lambda mode: True)

    def _is(self, path: str, kind: Callable[[int], bool]) -> bool:
        try:
            return kind(self.desk.folder.stat(os.fsencode(path)).st_mode)
        except Refused:
            return False

    def getsize(self, path: str) -> int:
        """Return the bytes of a file."""
        return self.stat(path).st_size

    def getmtime(self, path: str) -> float:
        """Return when a file was complete."""
        return self.stat(path).st_mtime

    def get_user_by_uid(self, uid: int) -> str:
        """Return the login in place of a user of this machine."""
        return self.desk.proof.login

    def get_group_by_gid(self, gid: int) -> str:
        """Return nobody in particular."""
        return "partner"
