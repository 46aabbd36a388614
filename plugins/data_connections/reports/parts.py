"""Rows to one file or several: a new one begins at the row limit, never between the lines of one order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import groupby, islice
from typing import Any, BinaryIO

from data_connections.formats.outputs import RowWriter, open_writer
from data_connections.reports.layout import Layout

ROWS_AT_ONCE = 10_000

OpenPart = Callable[[int], AbstractContextManager[BinaryIO]]
"""Opens the file of the part with that number, counted from 1, for ``write``."""

Row = Sequence[Any]


class Parts:
    """Writes checked rows into files, the first of which is there even without rows.

    Args:
        layout: How rows are written.
        open_part: Opens the files.
        progress: Told the number of lines now and then.
    """

    def __init__(self, layout: Layout, open_part: OpenPart, progress: Callable[[int], None]) -> None:
        self.rows: list[int] = []
        self._layout = layout
        self._open_part = open_part
        self._progress = progress
        self._open = ExitStack()
        self._writer: RowWriter | None = None

    def write(self, rows: Iterable[Row], limit: int, together: Sequence[int]) -> None:
        """Write all rows.

        Args:
            rows: As the query yields them, in its order.
            limit: Most rows in a file; 0 for no limit. Only a single order with more lines goes beyond it.
            together: Positions of the columns whose equal values hold neighbouring rows together.
        """
        with self._open:
            self._begin()
            if limit:
                self._write_limited(rows, limit, together)
            else:
                for batch in _batches(rows):
                    self._add(batch)

    def _write_limited(self, rows: Iterable[Row], limit: int, together: Sequence[int]) -> None:
        waiting: list[Row] = []
        for order in _orders(rows, together):
            lines = list(islice(order, limit + 1))
            full = self._taken + len(waiting) + len(lines) > limit
            if full or len(waiting) >= ROWS_AT_ONCE:
                self._add(waiting)
                waiting = []
            if full and self._taken:
                self._begin()
            waiting += lines
            for more in _batches(order):
                self._add([*waiting, *more])
                waiting = []
        self._add(waiting)

    @property
    def _taken(self) -> int:
        return self._writer.rows if self._writer else 0

    def _begin(self) -> None:
        self._open.close()
        number = len(self.rows) + 1
        target = self._open.enter_context(self._open_part(number))
        layout = self._layout
        name = layout.report.name if number == 1 else f"{layout.report.name}_part{number}"
        columns = layout.output_columns
        self._writer = self._open.enter_context(open_writer(target, layout.output, columns, name=name))
        self.rows.append(0)

    def _add(self, rows: list[Row]) -> None:
        if self._writer and rows:
            self._writer.write([self._layout.row(row) for row in rows])
            self.rows[-1] = self._writer.rows
            self._progress(sum(self.rows))


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, ROWS_AT_ONCE)):
        yield batch


def _orders(rows: Iterable[Row], together: Sequence[int]) -> Iterator[Iterator[Row]]:
    """Yield neighbouring rows that belong together; each row by itself where nothing holds them."""
    if not together:
        return (iter((row,)) for row in rows)
    return (lines for _, lines in groupby(rows, key=lambda row: [row[position] for position in together]))
