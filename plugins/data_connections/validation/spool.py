"""Parts of a file set aside on disk, because what becomes of them is known only at the file's end."""

from __future__ import annotations

import pickle
import tempfile
import weakref
from collections.abc import Iterator
from typing import Generic, TypeVar

Part = TypeVar("Part")


class Spool(Generic[Part]):
    """Parts in the order in which they came, in a nameless temporary file: memory holds one of them at a time."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="connections-rows-")  # noqa: SIM115 - closed with the spool
        weakref.finalize(self, self._file.close)

    def add(self, part: Part) -> None:
        """Set a part aside."""
        pickle.dump(part, self._file, protocol=pickle.HIGHEST_PROTOCOL)

    def read(self) -> Iterator[Part]:
        """Yield the parts from the first on."""
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            yield pickle.load(self._file)  # noqa: S301 - what this process wrote, in a file without a name
