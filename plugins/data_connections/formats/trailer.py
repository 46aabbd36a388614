"""Trailers: a last line that says how many rows the file has, and what a column of them sums up to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

import pyarrow as pa
import pyarrow.compute as pc

from data_connections.errors import FileRefused
from data_connections.formats.blocks import RowBlock
from data_connections.formats.table_reader import TableReader
from data_connections.formats.window import Window
from data_connections.spec.trailer import ROWS, Trailer

_MONEY = pa.decimal256(50, 10)


class TrailerReader:
    """A file whose last line has to agree with its rows; its blocks come as they are read.

    Attributes:
        header: Names of the columns.
        file_format: How the file is written.
        notes: What is to be said about the file beside its rows.
    """

    def __init__(self, reader: TableReader, window: Window, trailer: Trailer) -> None:
        self.header, self.file_format, self.notes = reader.header, reader.file_format, reader.notes
        self._reader = reader
        self._window = window
        self._trailer = trailer
        self._columns = [name for name in trailer.columns if name in reader.header]
        self._sums: Counter[str] = Counter()
        self._unknown: set[str] = set(trailer.columns) - set(self._columns)

    def blocks(self) -> Iterator[RowBlock]:
        """Yield the rows in file order, once.

        Raises:
            FileRefused: TRAILER_MISSING or TRAILER_MISMATCH, at the end; and what the reader raises.
        """
        rows = 0
        for block in self._reader.blocks():
            rows += len(block.lines) + sum(row.code != "BLANK_LINE" for row in block.broken)
            self._add(block)
            yield block
        self._compare(rows)

    def _add(self, block: RowBlock) -> None:
        """Sum up the columns; one with a cell that is no number, in a row that is rejected, is not compared."""
        if block.broken:
            self._unknown.update(self._columns)
        for name in set(self._columns) - self._unknown:
            try:
                total = pc.sum(block.cells.column(name).cast(_MONEY)).as_py()
            except pa.ArrowInvalid:
                self._unknown.add(name)
            else:
                self._sums[name] += total or Decimal(0)  # type: ignore[assignment]

    def _compare(self, rows: int) -> None:
        text = self._window.footer.decode().strip("\r\n")
        match = re.fullmatch(self._trailer.regex, text)
        if match is None:
            raise FileRefused(
                "TRAILER_MISSING",
                f"The last line is {text[:80]!r}, and not the trailer that is agreed ({self._trailer.text}). The file "
                "may have been cut; send it again.",
            )
        found: dict[str, Decimal] = {ROWS: Decimal(rows), **{name: Decimal(self._sums[name]) for name in self._columns}}
        for name, group in self._trailer.groups.items():
            if name not in self._unknown and _number(match[group]) != found[name]:
                raise FileRefused(
                    "TRAILER_MISMATCH",
                    f"The trailer says {match[group]} for {name}, the file has {found[name].normalize():f}. Send it "
                    "again.",
                )


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
