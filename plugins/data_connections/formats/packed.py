"""Packed files: gzip, zstd and zip with one file, told by their content, unpacked on the way under limits."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

import pyarrow as pa

from data_connections.errors import FileRefused
from data_connections.formats.zip_archive import open_only_member

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
ZIP = b"PK\x03\x04"
MOST_BYTES = 10 * 1024**3
RATIO = 200
"""How many times its packed size a file may have; the first 64 MB are never held against it."""
RATIO_FROM = 64 * 1024**2
_WORDS_OF_PYARROW = ("ZSTD", "Truncated compressed")


def is_packed(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is a packed one."""
    return head.startswith((GZIP, ZSTD, ZIP))


def unpacked(head: bytes, rest: BinaryIO, name: str, *, most: int = MOST_BYTES) -> BinaryIO:
    """Return what a packed file holds, as a stream that is unpacked while it is read.

    Args:
        head: Its first bytes, already read.
        rest: The others; read to the end when the result is.
        name: Its name, for messages.
        most: Bytes that it may hold, counted as they come out, whatever the file says of itself.

    Raises:
        FileRefused: PACKED_DAMAGED, PACKED_TOO_LARGE or one of zip's; from ``read`` too.
    """
    packed = Counted(head, rest)
    if head.startswith(ZIP):
        inner: BinaryIO = open_only_member(cast("BinaryIO", packed), name, most)
    elif head.startswith(GZIP):
        inner = cast("BinaryIO", gzip.GzipFile(fileobj=packed, mode="rb"))
    else:
        inner = cast("BinaryIO", pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd"))
    return cast("BinaryIO", Bounded(inner.read, Allowance(packed, name, most), name))


class Counted(io.RawIOBase):
    """The packed bytes, counted."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest
        self.count = 0

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on, and count."""
        if self._head:
            end = len(self._head) if size is None or size < 0 else size
            block, self._head = self._head[:end], self._head[end:]
            if size in (-1, None):
                block += self._rest.read()
        else:
            block = self._rest.read(-1 if size is None else size)
        self.count += len(block)
        return block


class Allowance:
    """How much may come out of a packed file, counted as it does, whatever the file says of itself."""

    def __init__(self, packed: Counted, name: str, most: int) -> None:
        self._packed = packed
        self._name = name
        self._most = most
        self._count = 0

    def add(self, count: int) -> None:
        """Count some bytes that came out.

        Raises:
            FileRefused: There are too many.
        """
        self._count += count
        if self._count > self._most:
            raise FileRefused("PACKED_TOO_LARGE", f"{self._name} holds more than {self._most:,} bytes. Split it.")
        if self._count > max(RATIO_FROM, RATIO * self._packed.count):
            raise FileRefused(
                "PACKED_TOO_LARGE",
                f"{self._name} unpacks to over {RATIO} times its size, as files do that are made to fill a disk. Send "
                "it unpacked.",
            )


class Bounded(io.RawIOBase):
    """Unpacked bytes, no more of them than is sane."""

    def __init__(self, read: Callable[[int], bytes], allowance: Allowance, name: str) -> None:
        self._read = read
        self._allowance = allowance
        self._name = name

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on.

        Raises:
            FileRefused: It is damaged, or there is too much of it.
        """
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(1024 * 1024), b""))
        try:
            block = self._read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as damaged:
            raise self._damaged(damaged) from damaged
        except OSError as trouble:
            if not any(word in str(trouble) for word in _WORDS_OF_PYARROW):
                raise
            raise self._damaged(trouble) from trouble
        self._allowance.add(len(block))
        return block

    def _damaged(self, why: Exception) -> FileRefused:
        return FileRefused("PACKED_DAMAGED", f"{self._name} cannot be unpacked to its end ({why}). Send it again.")
