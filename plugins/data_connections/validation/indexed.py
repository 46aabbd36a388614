"""Rows that hold several items in numbered columns, spread over one row for each item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import DataType
from data_connections.data_types.indexed import MIXED
from data_connections.errors import FileRefused
from data_connections.formats import BrokenRow, RowBlock, TableReader
from data_connections.validation.cells import has_value
from data_connections.validation.nested import nested_items
from data_connections.validation.outcomes import Mask

_MOST_ITEMS = 1000
ITEMS_SPREAD = (
    "ITEMS_SPREAD",
    "The items of each row were spread over rows of their own: where a line is named, it is the one that the item has "
    "in a file with one line for each item, as the rejects file has.",
)

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Layout:
    """Which columns belong to the order, and which to which item.

    Args:
        order: Positions of the order's columns.
        items: For each column of an item the position of that column of each item, -1 where it has none.
        totals: Positions of columns that are about all items of a row, and about the row itself where it has none:
            what they are called beside items, and without.
    """

    order: list[int]
    items: Mapping[str, list[int]]
    totals: Mapping[int, tuple[str, str]]


class Numbering:
    """Numbers the rows of a spread file as lines of a file with one line for each item."""

    def __init__(self) -> None:
        self._next_line = 2

    def number(
        self, rows: Positions, broken: Sequence[BrokenRow], placed: Callable[[Sequence[str]], tuple[str, ...]]
    ) -> tuple[Positions, list[BrokenRow]]:
        """Number the next rows, broken ones in their places.

        Args:
            rows: For each item the row of the block that it comes from, ascending.
            broken: Broken rows of the block.
            placed: Puts the cells of a broken row under the columns of the spread file.
        """
        ahead = np.searchsorted([row.before for row in broken], rows, side="right") if broken else 0
        lines = self._next_line + np.arange(len(rows), dtype=np.int64) + ahead
        numbered = []
        for number, row in enumerate(broken):
            before = int(np.searchsorted(rows, row.before))
            line = self._next_line + before + number
            numbered.append(BrokenRow(line, placed(row.cells), row.code, row.message, before))
        self._next_line += len(rows) + len(broken)
        return lines, numbered


class SpreadReader:
    """A file with one row for each item, made of one with numbered columns.

    Attributes:
        header: The order's columns, then those of an item.
        file_format: How the file is written.
        notes: What is to be said about the file beside its rows.
    """

    def __init__(self, reader: TableReader, layout: _Layout) -> None:
        names = {position: beside for position, (beside, _) in layout.totals.items()}
        self.header = (*(names.get(position, reader.header[position]) for position in layout.order), *layout.items)
        self.file_format = reader.file_format
        self.notes = (*reader.notes, ITEMS_SPREAD)
        self._reader = reader
        self._layout = layout
        self._numbering = Numbering()

    def blocks(self) -> Iterator[RowBlock]:
        """Yield the rows in file order, once."""
        for block in self._reader.blocks():
            yield self._spread(block)

    def _spread(self, block: RowBlock) -> RowBlock:
        cells = block.cells.combine_chunks()
        rows, items, alone = self._items_of(cells)
        columns = [cells.column(position).combine_chunks().take(pa.array(rows)) for position in self._layout.order]
        columns += [_chosen(cells, positions, rows, items) for positions in self._layout.items.values()]
        for position, (_, own) in self._layout.totals.items():
            _move_totals(columns, self._layout.order.index(position), self.header.index(own), pa.array(alone[rows]))
        lines, broken = self._numbering.number(rows, block.broken, self._broken_cells)
        return RowBlock(lines, pa.Table.from_arrays(columns, names=list(self.header)), broken)

    def _items_of(self, cells: pa.Table) -> tuple[Positions, Positions, Mask]:
        """Return row and item of every item that has a value, and which rows have none: they count as their first."""
        count = max(len(positions) for positions in self._layout.items.values())
        given = np.zeros((cells.num_rows, count), dtype=bool)
        for positions in self._layout.items.values():
            for item, position in enumerate(positions):
                if position >= 0:
                    given[:, item] |= has_value(cells.column(position).combine_chunks())
        alone = np.asarray(~given.any(axis=1))
        given[alone, 0] = True
        rows, items = np.nonzero(given)
        return rows.astype(np.int64), items.astype(np.int64), alone

    def _broken_cells(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Return the cells of a broken row by order and first item, then all the others, so that none is lost."""
        chosen = [*self._layout.order, *(positions[0] for positions in self._layout.items.values())]
        rest = [cell for position, cell in enumerate(cells) if position not in chosen]
        placed = [cells[position] if 0 <= position < len(cells) else "" for position in chosen]
        return (*placed, *rest)


def spread_items(reader: TableReader, data_type: DataType) -> TableReader:
    """Return a reader with one row for each item where the header numbers its items, else the same reader.

    Raises:
        FileRefused: ITEM_FORMS_MIXED, where the header also has the columns of a single item, or TOO_MANY_ITEMS.
    """
    indexed = data_type.indexed
    if indexed is None:
        return reader
    meant = {position: indexed.meant(name) for position, name in enumerate(reader.header)}
    found = {
        position: each for position, each in meant.items() if each and data_type.find(reader.header[position]) is None
    }
    found |= nested_items(reader.header, indexed) if reader.file_format.kind == "xml" else {}
    if not found:
        return reader
    totals = _totals(reader.header, data_type, indexed.totals, found)
    _refuse_mixed(reader.header, data_type, found, totals)
    count = max(item for _, item in found.values())
    if count > _MOST_ITEMS:
        message = f"The header numbers its items up to {count:,}; up to {_MOST_ITEMS:,} are taken."
        raise FileRefused("TOO_MANY_ITEMS", message)
    items = {column: [-1] * count for column in (*(column for column, _ in found.values()), *_without(totals))}
    for position, (column, item) in found.items():
        items[column][item - 1] = position
    return SpreadReader(reader, _Layout([position for position in meant if position not in found], items, totals))


def _totals(
    names: Sequence[str], data_type: DataType, known: Mapping[str, str], found: Mapping[int, tuple[str, int]]
) -> dict[int, tuple[str, str]]:
    """Return the columns that are about all items of a row: what they are called beside items, and without."""
    meant = {position: data_type.find(name) for position, name in enumerate(names) if position not in found}
    return {
        position: (known[column.name], column.name)
        for position, column in meant.items()
        if column and column.name in known
    }


def _without(totals: Mapping[int, tuple[str, str]]) -> list[str]:
    return [own for _, own in totals.values()]


def _refuse_mixed(
    names: Sequence[str],
    data_type: DataType,
    found: Mapping[int, tuple[str, int]],
    totals: Mapping[int, tuple[str, str]],
) -> None:
    spread = {column for column, _ in found.values()}
    counted = {part for term in data_type.measures.amounts for part in term.split("*")} | {data_type.measures.quantity}
    of_items = spread | (counted & set(data_type.indexed.columns if data_type.indexed else ()))
    twice = [each for each, count in Counter(found.values()).items() if count > 1]
    single = [
        name
        for position, name in enumerate(names)
        if position not in totals and (own := data_type.find(name)) is not None and own.name in of_items
    ]
    numbered = names[next(iter(found))]
    inner = [names[position] for position, (_, item) in found.items() if item == 0]
    if inner:
        raise FileRefused(MIXED, f"{inner[0]} stands in an item of an item. Write one element for each item of a row.")
    if twice:
        message = f"Two columns mean {twice[0][0]} of item {twice[0][1]}. Remove one."
        raise FileRefused("DUPLICATE_COLUMN", message)
    if single:
        message = (
            f"The header has {single[0]} and {numbered}: what belongs to an item, or would count again for each, has "
            "to stand with the item; so leave out totals of the order."
        )
        raise FileRefused(MIXED, message)


def _move_totals(columns: list[pa.Array], beside: int, own: int, alone: pa.Array) -> None:
    """Put what is about a row without items into the row's own column, and leave the others what they are."""
    totals, nothing = columns[beside], pa.scalar("")
    columns[own] = pc.if_else(alone, totals, columns[own])
    columns[beside] = pc.if_else(alone, nothing, totals)


def _chosen(cells: pa.Table, positions: Sequence[int], rows: Positions, items: Positions) -> pa.Array:
    """Return for each row its cell of the column that belongs to its item."""
    present = [position for position in positions if position >= 0]
    stacked = pa.concat_arrays([cells.column(position).combine_chunks() for position in present] + [pa.array([""])])
    place = {item: present.index(position) for item, position in enumerate(positions) if position >= 0}
    offsets = np.array([place.get(item, -1) for item in range(len(positions))], dtype=np.int64)[items]
    return stacked.take(pa.array(np.where(offsets >= 0, offsets * cells.num_rows + rows, len(stacked) - 1)))
