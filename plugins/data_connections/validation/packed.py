"""Rows that hold the values of several items in one cell, such as `S1;S2`, spread over one row for each item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import header_key
from data_connections.formats import BrokenRow, RowBlock, TableReader
from data_connections.spec.mapping import ColumnMapping
from data_connections.validation.indexed import ITEMS_SPREAD, Numbering


class UnpackedReader:
    """A file with one row for each item, its columns as they were.

    Attributes:
        header: Names of the columns.
        file_format: How the file is written.
        notes: What is to be said about the file beside its rows.
    """

    def __init__(self, reader: TableReader, positions: Sequence[int], separator: str) -> None:
        self.header = reader.header
        self.file_format = reader.file_format
        self.notes = (*reader.notes, ITEMS_SPREAD)
        self._reader = reader
        self._positions = list(positions)
        self._separator = separator
        self._numbering = Numbering()

    def blocks(self) -> Iterator[RowBlock]:
        """Yield the rows in file order, once."""
        for block in self._reader.blocks():
            yield self._unpacked(block)

    def _unpacked(self, block: RowBlock) -> RowBlock:
        cells = block.cells.combine_chunks()
        packed = {at: pc.split_pattern(cells.column(at).combine_chunks(), self._separator) for at in self._positions}
        counts = {at: np.asarray(pc.list_value_length(lists)) for at, lists in packed.items()}
        filled = {at: np.asarray(pc.not_equal(cells.column(at).combine_chunks(), "")) for at in self._positions}
        items = np.max([counts[at] for at in self._positions], axis=0).astype(np.int64)
        uneven = np.any([filled[at] & (counts[at] != items) for at in self._positions], axis=0)
        block = _without_uneven(block, cells, uneven)
        kept = np.flatnonzero(~uneven)
        rows = np.repeat(np.arange(len(kept)), items[kept])
        good = cells.take(pa.array(kept)).combine_chunks()
        columns = [
            _values(packed[at].take(pa.array(kept)), filled[at][kept], items[kept])
            if at in packed
            else good.column(at).combine_chunks().take(pa.array(rows))
            for at in range(len(self.header))
        ]
        lines, broken = self._numbering.number(rows, block.broken, tuple)
        return RowBlock(lines, pa.Table.from_arrays(columns, names=list(self.header)), broken)


def unpack_items(reader: TableReader, mapping: ColumnMapping) -> TableReader:
    """Return a reader with one row for each item where the mapping names packed columns, else the same reader."""
    packed = {header_key(name) for name in mapping.packed}
    positions = [position for position, name in enumerate(reader.header) if header_key(name) in packed]
    return UnpackedReader(reader, positions, mapping.packed_by) if positions else reader


def _values(lists: pa.Array, filled: np.ndarray, items: np.ndarray) -> pa.Array:
    """Return one value for each item; of a row whose cell is empty, as many empty ones."""
    flat = pa.concat_arrays([lists.flatten().cast(pa.string()), pa.array([""], pa.string())])
    counts = np.where(filled, items, 1)
    starts = np.cumsum(counts) - counts
    places = np.arange(items.sum()) - np.repeat(np.cumsum(items) - items, items) + np.repeat(starts, items)
    places = np.where(np.repeat(filled, items), places, len(flat) - 1)
    return flat.take(pa.array(places))


def _without_uneven(block: RowBlock, cells: pa.Table, uneven: np.ndarray) -> RowBlock:
    """Return the block with the rows whose packed cells do not fit each other among the broken ones."""
    if not uneven.any():
        return block
    message = "The packed cells of this row hold different numbers of values."
    before = np.cumsum(~uneven)
    added = [
        BrokenRow(
            int(block.lines[at]), tuple(column[at].as_py() for column in cells.columns), "PACKED_COUNT", message, 0
        )
        for at in np.flatnonzero(uneven).tolist()
    ]
    old = np.concatenate(([0], before))
    places = {row.line: int(old[row.before]) for row in block.broken}
    places |= {int(block.lines[at]): int(before[at]) for at in np.flatnonzero(uneven).tolist()}
    broken = sorted([*block.broken, *added], key=lambda row: row.line)
    moved = [BrokenRow(row.line, row.cells, row.code, row.message, places[row.line]) for row in broken]
    return RowBlock(block.lines, cells, moved)
