"""A written report read again from its bytes: how many lines it has, and what they add up to."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from data_connections.errors import TotalsMismatch
from data_connections.reports.definition import Report
from data_connections.reports.totals import Stored, Totals, rows_of

_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Recount:
    """What a report's file really holds.

    Attributes:
        size: Bytes.
        sha256: Hexadecimal hash of the bytes.
        totals: Lines and sums by group.
    """

    size: int
    sha256: str
    totals: Stored

    @property
    def rows(self) -> int:
        """Lines without the header."""
        return rows_of(self.totals)


class _Watched(io.RawIOBase):
    """Hands through the bytes of a file, and hashes them on the way."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.digest = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        block = self._source.read(len(buffer))
        buffer[: len(block)] = block
        self.digest.update(block)
        self.size += len(block)
        return len(block)


def recount(source: BinaryIO, report: Report) -> Recount:
    """Read a CSV file of ``report`` and count it, row by row and in bounded memory.

    Raises:
        TotalsMismatch: It is not a whole file of this report.
    """
    watched = _Watched(source)
    text = io.TextIOWrapper(io.BufferedReader(watched, _BLOCK), encoding="utf-8", newline="")
    totals = Totals(report.check.totals)
    try:
        for row in _rows(text, report):
            group = row[report.header.index(report.check.per)] if report.check.per else ""
            totals.add(group, [row[report.header.index(name)] or "0" for name in report.check.totals])
    except (csv.Error, UnicodeDecodeError, ArithmeticError) as unreadable:
        raise TotalsMismatch(
            f"The file of the report {report.name} cannot be read again: {unreadable}."
        ) from unreadable
    text.detach()
    return Recount(watched.size, watched.digest.hexdigest(), totals.stored())


def _rows(text: io.TextIOWrapper, report: Report) -> Iterator[list[str]]:
    rows = csv.reader(text, strict=True)
    if tuple(next(rows, ())) != report.header:
        raise csv.Error("the header is not the report's")
    for row in rows:
        if len(row) != len(report.header):
            raise csv.Error(f"line {rows.line_num} has {len(row)} cells, not {len(report.header)}")
        yield row
