"""Rows of an XML file set aside on disk until all their columns are known."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from data_connections.formats.blocks import BrokenRow, RowBlock, text_array
from data_connections.formats.xml_rows import XmlRow

_LINE, _CODE, _MESSAGE = "\0line", "\0code", "\0message"


class XmlSpool:
    """Rows of which each may have other elements, kept in a nameless temporary file.

    Attributes:
        names: Every column so far, in order of appearance.
        lines_shared: Whether two rows start on the same line.
    """

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.lines_shared = False
        self._file = tempfile.TemporaryFile(prefix="connections-xml-")  # noqa: SIM115 - closed with the spool
        weakref.finalize(self, self._file.close)
        self._lengths: list[int] = []
        self._last_line = 0

    def add(self, rows: Sequence[XmlRow]) -> None:
        """Set rows aside, in file order."""
        names = dict.fromkeys(name for row in rows for name in row.values)
        self.names.update(names)
        lines = np.array([self._last_line, *(row.line for row in rows)], dtype=np.int64)
        self.lines_shared |= bool((lines[1:] == lines[:-1]).any())
        self._last_line = int(lines[-1])
        columns = {name: text_array([row.values.get(name, "").encode() for row in rows]) for name in names}
        problems = [row.problem or ("", "") for row in rows]
        columns[_CODE] = text_array([code.encode() for code, _ in problems])
        columns[_MESSAGE] = text_array([message.encode() for _, message in problems])
        self._write(pa.table({_LINE: pa.array(lines[1:]), **columns}))

    def read(self) -> Iterator[RowBlock]:
        """Yield the rows, each with a cell for every column, once.

        Where rows share lines, each row's line is its number in the file, so that rows can be told apart.
        """
        before = 0
        self._file.seek(0)
        for length in self._lengths:
            table = pa.ipc.open_stream(self._file.read(length)).read_all().combine_chunks()
            yield self._block(table, before)
            before += table.num_rows

    def _write(self, table: pa.Table) -> None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        self._lengths.append(self._file.write(sink.getvalue()))

    def _block(self, table: pa.Table, before: int) -> RowBlock:
        numbers = np.arange(before + 1, before + 1 + table.num_rows, dtype=np.int64)
        lines = numbers if self.lines_shared else table.column(_LINE).to_numpy()
        empty = text_array([b""] * table.num_rows)
        held = set(table.column_names)
        cells = pa.table({name: table.column(name) if name in held else empty for name in self.names})
        good = np.array([not code for code in table.column(_CODE).to_pylist()], dtype=bool)
        if good.all():
            return RowBlock(lines, cells)
        return RowBlock(lines[good], cells.filter(pa.array(good)), _broken(table, cells, lines, good))


def _broken(
    table: pa.Table, cells: pa.Table, lines: np.ndarray[tuple[int], np.dtype[np.int64]], good: np.ndarray
) -> list[BrokenRow]:
    before = np.cumsum(good)
    found = []
    for place in np.flatnonzero(~good).tolist():
        values = tuple(column[place].as_py() for column in cells.columns)
        code, message = table.column(_CODE)[place].as_py(), table.column(_MESSAGE)[place].as_py()
        found.append(BrokenRow(int(lines[place]), values, code, message, int(before[place])))
    return found
