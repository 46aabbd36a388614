"""The landing area: every file as it came, under the SHA-256 of its bytes."""

from __future__ import annotations

import errno
import hashlib
import io
import math
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from upath import UPath

from data_connections.errors import ConnectionsError

BLOCK = 1024 * 1024
INCOMING = "incoming"
"""Folder of files on their way in."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class OriginalDamaged(ConnectionsError):
    """A kept original is gone or no longer has the bytes that it was kept with."""


@dataclass(frozen=True)
class Original:
    """A kept file.

    Attributes:
        key: Where it lies in the landing area; made of the hash alone.
        sha256: Hexadecimal hash of the bytes.
        size: Bytes.
    """

    key: str
    sha256: str
    size: int


class LandingFull(ConnectionsError):
    """The landing area has no room left; trying again helps once somebody made some."""


class Incoming:
    """A file on its way in; ``write`` takes its blocks in order.

    Attributes:
        size: Bytes so far.
        sha256: Hash of all of them, where somebody else works it out and ``append`` takes the blocks.
    """

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self._digest = hashlib.sha256()
        self._hashed = 0
        self.size = 0
        self.sha256: str | None = None

    def write(self, block: bytes) -> None:
        """Add ``block`` to the file."""
        self._digest.update(block)
        self._hashed += len(block)
        self.append(block)

    def append(self, block: bytes) -> None:
        """Add ``block`` without hashing it; ``sha256`` has to be set before the file is published."""
        self._handle.write(block)
        self.size += len(block)

    @property
    def original(self) -> Original:
        """The file as it will be kept."""
        if self.sha256 is None and self._hashed != self.size:
            raise ValueError("Blocks were appended and nobody has told their hash.")
        sha256 = self.sha256 or self._digest.hexdigest()
        return Original(f"originals/{sha256[:2]}/{sha256}", sha256, self.size)


class _Verified(io.BufferedIOBase):
    """Reads an original from its beginning, and compares its bytes with its key at the end."""

    def __init__(self, source: BinaryIO, key: str) -> None:
        self._source = source
        self._key = key
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        block = self._source.read(-1 if size is None else size)
        self._digest.update(block)
        if (not block and size) or size in (-1, None):
            self._compare()
        return block

    def close(self) -> None:
        self._source.close()
        super().close()

    def _compare(self) -> None:
        found = self._digest.hexdigest()
        if found != self._key.rpartition("/")[2]:
            raise OriginalDamaged(
                f"The original {self._key} has other bytes than it was kept with (SHA-256 {found}). Restore it from a "
                "backup, or send the file again."
            )


class Landing:
    """A landing area below one address.

    Args:
        root: A folder, any fsspec URL, or a path object with the methods of pathlib (such as Airflow's
            ``ObjectStoragePath``). It is created when the first file is kept.
    """

    def __init__(self, root: Any) -> None:
        self._root = UPath(root) if isinstance(root, str | Path) else root

    @contextmanager
    def keep(self) -> Iterator[Incoming]:
        r"""Take a file in; it is published under its hash at the end of the block, or forgotten on an error.

        Example:
            ```python
            with landing.keep() as incoming:
                incoming.write(b"OrderId\n1\n")
            original = incoming.original
            ```
        """
        temporary = self._root / INCOMING / secrets.token_hex(16)
        temporary.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as handle:
                incoming = Incoming(handle)
                yield incoming
                _to_disk(handle)
            self._publish(temporary, incoming.original)
        except OSError as failed:
            if failed.errno not in _NO_ROOM:
                raise
            raise LandingFull(
                f"The landing area {self._root} has no room left ({failed.strerror}). Nothing of the file was kept. "
                "Make room there. It is tried again."
            ) from failed
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()

    def keep_file(self, source: BinaryIO) -> Original:
        """Keep what is left to read of ``source``."""
        with self.keep() as incoming:
            while block := source.read(BLOCK):
                incoming.write(block)
        return incoming.original

    def write(self, key: str, content: bytes) -> None:
        """Write a small file of ours as a whole, over what was there."""
        final = self._root / key
        temporary = self._root / INCOMING / secrets.token_hex(16)
        for folder in (temporary.parent, final.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as handle:
            handle.write(content)
            _to_disk(handle)
        temporary.replace(final) if isinstance(final, Path) else temporary.rename(final)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder of the landing area, sorted; none where it is not there."""
        try:
            return sorted(path.name for path in (self._root / folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def open(self, key: str) -> BinaryIO:
        """Open a kept original for reading.

        Raises:
            OriginalDamaged: Nothing is kept under ``key``.
        """
        try:
            return cast("BinaryIO", (self._root / key).open("rb"))
        except FileNotFoundError as missing:
            raise OriginalDamaged(
                f"The original {key} is not in the landing area {self._root}. It was deleted when its time was "
                "over, or is lost: restore it from a backup, or send it again; check that CONNECTIONS_LANDING_URL "
                "is the one it was kept under."
            ) from missing

    def delete(self, key: str, *, before: datetime) -> bool:
        """Delete a kept original, unless it was kept, or kept again, since an instant; return whether it is gone."""
        path = self._root / key
        try:
            if _written_at(path) >= before.timestamp():
                return False
            path.unlink()
        except FileNotFoundError:
            pass
        return True

    def delete_folder(self, folder: str) -> int:
        """Delete a folder of small files of ours, and return how many there were."""
        names = self.names(folder)
        for name in names:
            with suppress(FileNotFoundError):
                (self._root / folder / name).unlink()
        with suppress(OSError):
            (self._root / folder).rmdir()  # object stores have no folders
        return len(names)

    def drop_unfinished(self, *, before: datetime) -> int:
        """Delete files on their way in that nobody has written to since an instant; return how many."""
        gone = 0
        for name in self.names(INCOMING):
            with suppress(FileNotFoundError):
                gone += self.delete(f"{INCOMING}/{name}", before=before)
        return gone

    def open_verified(self, key: str) -> BinaryIO:
        """Open a kept original for reading from beginning to end; reading its end compares it with its hash.

        Raises:
            OriginalDamaged: Nothing is kept under ``key``; from ``read``: its bytes are not those that were kept.
        """
        return cast("BinaryIO", _Verified(self.open(key), key))

    def _publish(self, temporary: Any, original: Original) -> None:
        final = self._root / original.key
        if isinstance(final, Path) and final.exists() and final.stat().st_size == original.size:
            os.utime(final)  # it is kept anew: retention leaves it alone
            return
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.rename(final)
        if isinstance(final, Path):
            _folder_to_disk(final.parent)


def _written_at(path: Any) -> float:
    """Return when a file was last written; where its store does not say, that it was never long ago.

    A path's own ``stat`` says 1970 for stores whose name for the time it does not know.
    """
    if isinstance(path, Path):
        return path.stat().st_mtime
    try:
        written: datetime = path.fs.modified(path.path)
    except NotImplementedError:
        return math.inf
    return (written if written.tzinfo else written.replace(tzinfo=UTC)).timestamp()


def _to_disk(handle: IO[bytes]) -> None:
    """Make a local file survive a power cut; object stores answer only when they have it."""
    handle.flush()
    with suppress(OSError, AttributeError):
        os.fsync(handle.fileno())


def _folder_to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
