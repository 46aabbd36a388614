"""Corrected rejects files that come back: read as what we wrote, however their connection's files are written."""

from __future__ import annotations

from typing import BinaryIO

from data_connections.data_types import header_key
from data_connections.spec.file_format import FileFormat
from data_connections.validation.header import REJECTS_COLUMNS

_HEAD = 64 * 1024
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def format_of(beginning: BinaryIO, declared: FileFormat) -> FileFormat:
    """Return how a file is written: as declared, or as we write rejected rows where its header is that of such a file.

    Args:
        beginning: The file, from its beginning; some of it is read.
        declared: How the connection's files are written. Its cells stand in a rejects file as they came, so that what
            an apostrophe before a formula means holds there too.
    """
    if _is_rejects_file(beginning.read(_HEAD)):
        return FileFormat(formula_guard=declared.formula_guard)
    return declared


def _is_rejects_file(head: bytes) -> bool:
    """Whether a file begins with a header that has all the columns that our rejects files add."""
    first = head.decode("utf-16" if head[:2] in _WIDE else "utf-8", errors="replace")
    line = first.lstrip("\ufeff").split("\n", 1)[0]
    delimiter = max(",;\t|", key=line.count)
    cells = {header_key(cell.strip().strip('"')) for cell in line.split(delimiter)}
    return {header_key(name) for name in REJECTS_COLUMNS} <= cells
