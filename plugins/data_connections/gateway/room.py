"""How full a partner's folder is: looked up on the disk now and then, counted in between."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from data_connections.gateway.refusals import Cause, Refused

_LOOK_EVERY = 10.0


class FolderRoom:
    """The bytes and files that one folder still takes, asked by transfers in any thread.

    Args:
        folder: The partner's folder.
        most_bytes: Bytes that it holds at most, those of uploads under way among them.
        most_files: Files that it holds at most.
    """

    def __init__(self, folder: Path, most_bytes: int, most_files: int) -> None:
        self.folder = folder
        self.most_bytes = most_bytes
        self.most_files = most_files
        self._bytes = 0
        self._files = 0
        self._looked = -_LOOK_EVERY
        self._lock = threading.Lock()

    def take_file(self, pending: int) -> None:
        """Make sure that one more file fits.

        Args:
            pending: Bytes of uploads under way, which are not on the folder's account yet.

        Raises:
            Refused: The folder is full.
        """
        with self._lock:
            if time.monotonic() - self._looked > _LOOK_EVERY:
                self._bytes, self._files = _measured(self.folder)
                self._bytes += pending
                self._looked = time.monotonic()
            if self._files >= self.most_files:
                raise Refused(
                    Cause.FULL,
                    f"The folder holds {self._files:,} files, as many as are agreed; delete some, or tell us.",
                )
            self._files += 1

    def take(self, size: int) -> None:
        """Count ``size`` more bytes.

        Raises:
            Refused: The folder is full.
        """
        with self._lock:
            if self._bytes + size > self.most_bytes:
                raise Refused(
                    Cause.FULL,
                    f"The folder is full: {self.most_bytes:,} bytes are agreed. Delete some files, or tell us.",
                )
            self._bytes += size

    def give_back(self, size: int) -> None:
        """Count ``size`` bytes less."""
        with self._lock:
            self._bytes -= size


def _measured(folder: Path) -> tuple[int, int]:
    size = count = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 - names may be any bytes
            except FileNotFoundError:
                continue
            count += 1
    return size, count
