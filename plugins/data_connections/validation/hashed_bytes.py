"""The hash of a file's bytes, taken while they are read for something else."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

_AT_ONCE = 1024 * 1024


class HashedBytes:
    """A stream that hands on what it reads.

    Args:
        source: Where the bytes come from.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        data = self._source.read(size)
        self._hash.update(data)
        return data

    def sha256(self) -> str:
        """Return the hexadecimal hash of all bytes; those that nobody asked for are read now."""
        while self.read(_AT_ONCE):
            pass
        return self._hash.hexdigest()
