"""A written report read again from its bytes: how many lines it has, and what they add up to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

from data_connections.errors import TotalsMismatch
from data_connections.formats.outputs import Unreadable, read_back
from data_connections.reports.layout import Layout
from data_connections.reports.totals import Stored, Totals, rows_of

_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Recount:
    """What a report's file really holds.

    Attributes:
        size: Bytes.
        sha256: Hexadecimal hash of the bytes.
        md5: Hexadecimal MD5 of the bytes, as manifests have it.
        totals: Lines and sums by group.
    """

    size: int
    sha256: str
    md5: str
    totals: Stored

    @property
    def rows(self) -> int:
        """Lines without the header."""
        return rows_of(self.totals)


def recount(source: BinaryIO, layout: Layout) -> Recount:
    """Read a file of a report and count it, row by row and in bounded memory.

    Args:
        source: The file, from its beginning; it can be sought in.
        layout: How it was written.

    Raises:
        TotalsMismatch: It is not a whole file of this report.
    """
    size, sha256, md5 = _hashed(source)
    source.seek(0)
    try:
        totals = _added_up(source, layout)
    except (Unreadable, ArithmeticError) as unreadable:
        raise TotalsMismatch(
            f"The file of the report {layout.report.name} cannot be read again: {unreadable}."
        ) from unreadable
    return Recount(size, sha256, md5, totals.stored())


def _hashed(source: BinaryIO) -> tuple[int, str, str]:
    size, sha256, md5 = 0, hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    while block := source.read(_BLOCK):
        size += len(block)
        sha256.update(block)
        md5.update(block)
    return size, sha256.hexdigest(), md5.hexdigest()


def _added_up(source: BinaryIO, layout: Layout) -> Totals:
    check = layout.check
    per = layout.position_of(check.per) if check.per else None
    numbers = [layout.position_of(name) for name in check.totals]
    totals = Totals(check.totals)
    for row in read_back(source, layout.output, layout.output_columns):
        group = "" if per is None else str(row[per] or "")
        totals.add(group, [row[position] or 0 for position in numbers])
    return totals
