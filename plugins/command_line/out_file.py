"""Where a command writes a file to: under its name only when it is whole, or to standard output."""

from __future__ import annotations

import errno
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, cast

from data_connections.errors import ConfigurationError


@contextmanager
def out_file(out: Path | None) -> Iterator[BinaryIO]:
    """Hand out an empty file; at the end it becomes ``out``, or goes to standard output or a device.

    On an error nothing is written, and what stood under the name stays.

    Raises:
        ConfigurationError: ``out`` cannot be written.
    """
    try:
        with _to_stream(out) if out is None or _is_device(out) else _to_name(out) as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as trouble:
        raise ConfigurationError(f"This file cannot be written: {trouble.strerror}.", path=out) from trouble


def _is_device(out: Path) -> bool:
    return out.exists() and not out.is_file() and not out.is_dir()


@contextmanager
def _to_stream(out: Path | None) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as temporary:
        yield cast("BinaryIO", temporary)
        temporary.seek(0)
        with nullcontext(sys.stdout.buffer) if out is None else out.open("wb") as stream:
            shutil.copyfileobj(temporary, stream)
            stream.flush()


@contextmanager
def _to_name(out: Path) -> Iterator[BinaryIO]:
    if out.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    unfinished = out.with_name(f".{out.name}.{secrets.token_hex(8)}.part")
    try:
        with unfinished.open("xb+") as file:
            yield file
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
