"""Values as they are meant: other ways to write them, and units that stand with numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import Column
from data_connections.validation.lexical import as_mask, matches

_WITH_UNIT = r"(?P<number>-?[0-9]+(?:\.[0-9]+)?) ?(?P<unit>[A-Za-z]+)"


def as_meant(columns: Sequence[Column], cells: Mapping[str, pa.Array], rows: int) -> dict[str, pa.Array]:
    """Return the cells of each column as its other spellings mean them, units put into their own columns.

    Args:
        columns: The columns of the file, and those that take a unit.
        cells: Cells as read, by column; a column that only takes units has none.
        rows: How many rows there are.
    """
    empty = pa.array([""], pa.string()).take(pa.array([0] * rows, pa.int32()))
    meant = {column.name: _respelled(column, cells.get(column.name, empty)) for column in columns}
    for column in columns:
        if column.unit is not None:
            meant[column.name], meant[column.unit] = _parted(meant[column.name], meant[column.unit])
    return meant


def _respelled(column: Column, cells: pa.Array) -> pa.Array:
    found = cells
    for spelling in reversed(column.spellings):
        whole = rf"\A(?:{spelling.pattern})\z"
        fitting = matches(cells, spelling.pattern)
        if fitting.any():
            written = pc.replace_substring_regex(cells, pattern=whole, replacement=spelling.means)
            found = pc.if_else(pa.array(fitting), written, found)
    return found


def _parted(cells: pa.Array, units: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Part numbers from their units, where the unit's own cell is empty or says the same."""
    parts = pc.extract_regex(cells, rf"\A{_WITH_UNIT}\z")
    number, unit = pc.struct_field(parts, "number"), pc.struct_field(parts, "unit")
    same = pc.equal(pc.utf8_upper(units), pc.utf8_upper(unit))
    fits = pa.array(as_mask(pc.or_(pc.equal(units, ""), same)) & as_mask(parts.is_valid()))
    return pc.if_else(fits, number, cells), pc.if_else(fits, unit, units)
