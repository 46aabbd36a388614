"""Reading the rows of delimited text block by block: in columns where it is plain, strictly where it is not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from data_connections.errors import FileRefused
from data_connections.formats.blocks import ROWS_A_BLOCK, BrokenRow, RowBlock, text_array
from data_connections.formats.columnar import Columns, read_columns, safe_end
from data_connections.formats.detection import offer_escape
from data_connections.formats.dialect import Dialect
from data_connections.formats.header import Header
from data_connections.formats.recovery import KnownRow
from data_connections.formats.rowcheck import RowChecker
from data_connections.formats.strict import read_rows, too_long
from data_connections.formats.window import Window
from data_connections.spec.file_format import FileFormat


class DelimitedReader:
    """The rows of a delimited file; made by ``open_rows``.

    Attributes:
        header: Names of the columns, in file order.
        file_format: The file format, with what was detected filled in.
        notes: Nothing.
    """

    def __init__(self, window: Window, dialect: Dialect, header: Header, file_format: FileFormat) -> None:
        self.header = header.names
        self.file_format = file_format
        self.notes: tuple[tuple[str, str], ...] = ()
        self._window = window
        self._dialect = dialect
        self._width = len(header.names) + file_format.trailing_delimiter
        self._checker = RowChecker(header, file_format)
        self._known = KnownRow(header.text, self._width)

    def blocks(self) -> Iterator[RowBlock]:
        """Yield the rows in file order, once.

        Raises:
            FileRefused: What shows only further on in the file; then none of its rows counts.
        """
        window = self._window
        while window.data or not window.ended:
            try:
                block = self._fast_block() or self._strict_block()
            except FileRefused as refused:
                offer_escape(refused, window, self.file_format, self._dialect)
                raise
            if block is not None and block.rows:
                yield block

    def _fast_block(self) -> RowBlock | None:
        window, dialect = self._window, self._dialect
        end = safe_end(dialect, window.data) if dialect.plain else 0
        if not end:
            return None
        block = window.data[:end]
        columns = read_columns(dialect, block, self._width)
        if columns is None or not self._checker.accepts_columns(dialect, block, columns.cells):
            return None
        rows = self._block_of(columns, window.line)
        self._known = KnownRow(block[columns.last_row :], self._width)
        window.drop(end, columns.line_count)
        return rows

    def _block_of(self, columns: Columns, line: int) -> RowBlock:
        names = list(self.header)
        cells = columns.cells.select(range(len(names))).rename_columns(names)
        return RowBlock(columns.lines + line, cells, self._checker.blank_lines(0))

    def _strict_block(self) -> RowBlock | None:
        """Return the rows that the strict reader finds complete; None when it needed more text and has read on."""
        window, dialect, checker = self._window, self._dialect, self._checker
        lines: list[int] = []
        rows: list[list[bytes]] = []
        broken: list[BrokenRow] = []
        end, next_line, text = 0, window.line, b""
        for row in read_rows(dialect, window.data, window.line, ended=window.ended, known=self._known):
            end, next_line, text = row.end, row.next_line, row.text
            if checker.accepts(row, len(rows), broken):
                lines.append(row.line)
                rows.append(row.cells)
            if len(rows) + len(broken) >= ROWS_A_BLOCK:
                break
        if not end:
            self._read_on()
            return None
        self._known = KnownRow(text, self._width)
        window.drop(end, next_line - window.line)
        return RowBlock(np.array(lines, np.int64), self._table(rows), broken)

    def _read_on(self) -> None:
        if self._window.overfull:
            raise too_long(self._dialect, self._window.data, self._window.line)
        self._window.more()

    def _table(self, rows: list[list[bytes]]) -> pa.Table:
        columns = zip(*rows, strict=True) if rows else ((),) * len(self.header)
        return pa.Table.from_arrays([text_array(column) for column in columns], names=list(self.header))
