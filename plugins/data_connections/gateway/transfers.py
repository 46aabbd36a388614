"""Files on their way in and out of a partner's folder: an upload has no name there before it is complete."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from data_connections.gateway.coverage import Coverage
from data_connections.gateway.refusals import Cause, Refused


class Room(Protocol):
    """Where an upload's bytes are counted."""

    def take(self, size: int) -> None:
        """Count ``size`` more bytes; Refused where the folder is full."""

    def give_back(self, size: int) -> None:
        """Count ``size`` bytes less."""


@dataclass(frozen=True)
class Arrived:
    """A file that was uploaded whole.

    Attributes:
        path: Its path as the login sees it, such as ``/orders.csv``.
        size: Bytes.
    """

    path: bytes
    size: int


class Upload:
    """A file that is being uploaded, under a name of ours outside the partner's folder.

    Args:
        path: The name it will have, as the login sees it.
        target: Where that is on this machine.
        temporary: Where its bytes are until then; on the same file system.
        most: Bytes that it may have.
        room: Where its bytes are counted.
        left: Told at the end, whatever the end is.
    """

    def __init__(
        self, path: bytes, target: Path, temporary: Path, most: int, room: Room, left: Callable[[], object]
    ) -> None:
        self.path = path
        self._target = target
        self._temporary = temporary
        self._most = most
        self._room = room
        self._left = left
        self._taken = 0
        self._coverage = Coverage()
        self._failure: Refused | None = None
        self._open = True
        self.fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._coverage.end

    @property
    def is_refused(self) -> bool:
        """Whether a block was refused."""
        return self._failure is not None

    def write(self, offset: int, data: bytes) -> int:
        """Write ``data`` at ``offset`` and return its length; once refused, the file can only be given up.

        Raises:
            Refused: The file is too large, the folder full, or the disk.
        """
        if self._failure is not None:
            raise self._failure
        try:
            self._write(offset, data)
        except Refused as refused:
            self._failure = refused
            raise
        except (OSError, ValueError) as failed:
            reason = failed.strerror if isinstance(failed, OSError) else str(failed)
            self._failure = Refused(Cause.FULL, f"The file cannot be written here ({reason}); please tell us.")
            raise self._failure from failed
        return len(data)

    def _write(self, offset: int, data: bytes) -> None:
        end = offset + len(data)
        if end > self._most:
            raise Refused(
                Cause.FULL, f"The file is larger than the {self._most:,} bytes that are agreed; please split it."
            )
        if end > self._taken:
            self._room.take(end - self._taken)
            self._taken = end
        done = 0
        while done < len(data):
            done += os.pwrite(self.fd, memoryview(data)[done:], offset + done)
        self._coverage.add(offset, end)

    def finish(self) -> Arrived:
        """Give the complete file its name, in place of one that has it; blocks until the bytes are on the disk.

        Raises:
            Refused: It has holes, or was refused before; nothing of it is kept.
        """
        try:
            self._refuse_incomplete()
            os.fsync(self.fd)
            if self._target.is_dir():
                raise Refused(Cause.DENIED, "A folder has that name.")
            os.utime(self.fd)
            self._temporary.replace(self._target)
            flush_folder(self._target.parent)
        except OSError as failed:
            self.discard()
            raise Refused(
                Cause.FULL, f"The file could not be kept ({failed.strerror}); please send it again."
            ) from failed
        except Refused:
            self.discard()
            raise
        self._end()
        return Arrived(self.path, self.size)

    def _refuse_incomplete(self) -> None:
        if self._failure is not None:
            raise self._failure
        if not self._coverage.is_whole(self.size):
            raise Refused(Cause.INCOMPLETE, "The file has parts that were never sent; please send it again.")

    def discard(self) -> None:
        """Give the upload up: the connection was lost, or it was refused. Doing it twice is fine."""
        if self._open:
            self._temporary.unlink(missing_ok=True)
            self._room.give_back(self._taken)
            self._end()

    def _end(self) -> None:
        self._open = False
        os.close(self.fd)
        self._left()


class Download:
    """A file that is being collected.

    Args:
        path: Its path as the login sees it.
        source: Where that is on this machine.
        left: Told at the end.
    """

    def __init__(self, path: bytes, source: Path, left: Callable[[], object]) -> None:
        self.path = path
        self.fd = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        self.size = os.fstat(self.fd).st_size
        self._left = left
        self._coverage = Coverage()
        self._open = True

    @property
    def is_whole(self) -> bool:
        """Whether every byte was handed out."""
        return self._coverage.is_whole(self.size)

    def read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset``, none at the end."""
        data = os.pread(self.fd, size, offset)
        self._coverage.add(offset, offset + len(data))
        return data

    def close(self) -> None:
        """Leave the file; doing it twice is fine."""
        if self._open:
            self._open = False
            os.close(self.fd)
            self._left()


def flush_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
