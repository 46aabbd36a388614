"""Files that people send from a page or a program: their name is data, their size has an end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import UploadFile

LARGEST = 256 * 1024 * 1024
"""Bytes of a file that the screen and the API take; larger ones come through the connection's endpoint."""
_LONGEST_NAME = 200


async def sent_file(request: Request) -> UploadFile | None:
    """Return the file of a form's field ``file``; None where nobody chose one."""
    file = (await request.form()).get("file")
    return file if isinstance(file, UploadFile) and file.filename else None


SentFile = Annotated[UploadFile | None, Depends(sent_file)]


@contextmanager
def on_disk(source: BinaryIO, name: str | None) -> Iterator[Path]:
    """Give out the path of a temporary copy that is called as its sender called it.

    Raises:
        HTTPException: 413 for a file that is too large, 422 for one without a name.
    """
    plain = (name or "").replace("\\", "/").rpartition("/")[2].replace("\x00", "").strip()
    while len(plain.encode()) > _LONGEST_NAME:
        plain = plain[1:]
    if not plain or plain in (".", ".."):
        raise HTTPException(422, "Choose a file first.")
    with tempfile.TemporaryDirectory(prefix="connections-upload-") as folder:
        path = Path(folder) / plain
        with path.open("wb") as target:
            shutil.copyfileobj(_bounded(source), target, 1024 * 1024)
        yield path


class _bounded:  # noqa: N801 - read like a function
    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._left = LARGEST

    def read(self, size: int = -1) -> bytes:
        block = self._source.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise HTTPException(
                413, f"The file is larger than {LARGEST // 1024**2} MB. Put it where the connection looks for files."
            )
        return block
