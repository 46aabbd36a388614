"""Which rows belong to the table: the right number of cells, not blank, not the header over again."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from data_connections.errors import FileRefused
from data_connections.formats.blocks import BrokenRow, text_array
from data_connections.formats.dialect import Dialect
from data_connections.formats.header import Header, refuse_apostrophes
from data_connections.formats.strict import RawRow
from data_connections.spec.file_format import FileFormat

_MOST_BLANK_LINES = 10_000


class RowChecker:
    """Sorts the rows of one file; has to see them in file order.

    Args:
        header: The header of the file.
        file_format: Its file format.
    """

    def __init__(self, header: Header, file_format: FileFormat) -> None:
        self._header = [list(row) for row in header.rows]
        self._file_format = file_format
        self._columns = len(header.names)
        self._first_names = text_array(sorted({row[0] for row in header.rows}))
        self._blank: list[int] = []

    def accepts_columns(self, dialect: Dialect, block: bytes, cells: pa.Table) -> bool:
        """Whether nothing in a block that was read column-wise needs a look at its single rows."""
        if self._file_format.quote is None and b"'" in block:
            edges = (dialect.delimiter + b"'", b"\n'")
            if block.startswith(b"'") or any(edge in block for edge in edges):
                return False
        if self._file_format.trailing_delimiter and pc.max(pc.binary_length(cells.column(self._columns))).as_py():
            return False
        return not any(pc.any(pc.equal(cells.column(0), name)).as_py() for name in self._first_names)

    def accepts(self, row: RawRow, index: int, broken: list[BrokenRow]) -> bool:
        """Whether ``row`` is well-formed; a broken one is added to ``broken``, a comment or blank line is passed over.

        Args:
            row: The row; what a declared trailing delimiter adds is taken off it.
            index: How many well-formed rows its block holds before it.
            broken: The broken rows of its block.

        Raises:
            FileRefused: HEADER_REPEATED, QUOTE_AMBIGUOUS or BLANK_LINES.
        """
        if row.comment:
            return False
        if row.blank:
            self._remember_blank(row.line)
            return False
        broken += self.blank_lines(index)
        refuse_apostrophes(row, self._file_format)
        problem = self._problem(row)
        if problem is None:
            return True
        cells = tuple(cell.decode() for cell in row.cells)
        broken.append(BrokenRow(row.line, cells, *problem, index))
        return False

    def blank_lines(self, index: int) -> list[BrokenRow]:
        """Return the blank lines since the last row, now that another row follows."""
        message = "This line is blank, but rows follow."
        broken = [BrokenRow(line, (), "BLANK_LINE", message, index) for line in self._blank]
        self._blank.clear()
        return broken

    def _problem(self, row: RawRow) -> tuple[str, str] | None:
        if row.damaged:
            return "BROKEN_QUOTE", "A quote in this row neither opens nor closes its cell."
        if row.cells in self._header:
            message = "The header comes again: this is a second table, or a header of several rows."
            raise FileRefused("HEADER_REPEATED", message, line=row.line)
        if self._file_format.trailing_delimiter:
            if row.cells[-1]:
                return "CELL_COUNT", "This row does not end with a delimiter."
            del row.cells[-1]
        if len(row.cells) != self._columns:
            return "CELL_COUNT", f"This row has {len(row.cells)} cells, the header has {self._columns}."
        return None

    def _remember_blank(self, line: int) -> None:
        if self._file_format.blank_lines == "skip":
            return
        self._blank.append(line)
        if len(self._blank) > _MOST_BLANK_LINES:
            message = f"More than {_MOST_BLANK_LINES} blank lines follow each other."
            raise FileRefused("BLANK_LINES", message, line=self._blank[0], options={"blank_lines": "skip"})
