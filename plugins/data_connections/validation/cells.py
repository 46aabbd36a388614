"""One column of one block: every cell typed, or found bad with a code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import Column
from data_connections.validation.lexical import (
    Problem,
    as_mask,
    decimal_type,
    integer_type,
    read_booleans,
    read_decimals,
    read_integers,
)
from data_connections.validation.outcomes import Mask
from data_connections.validation.texts import read_texts
from data_connections.validation.times import UTC_TIME, Clock, read_times


def arrow_type(column: Column) -> pa.DataType:
    """Return the Arrow type of a column's typed values."""
    match column.type:
        case "integer":
            return integer_type(column)
        case "decimal":
            return decimal_type(column)
        case "datetime":
            return UTC_TIME
        case "boolean":
            return pa.bool_()
        case _:
            return pa.string()


def has_value(cells: pa.Array) -> Mask:
    """Return where a cell is not empty; a cell of spaces is not empty."""
    return as_mask(pc.not_equal(cells, ""))


def read_cells(
    column: Column, cells: pa.Array, present: Mask, clock: Clock, *, key: bool
) -> tuple[pa.Array, Iterator[Problem]]:
    """Read the cells of a column by its type.

    Args:
        column: What the cells should hold.
        cells: Strings as read, without nulls.
        present: Where they are not empty.
        clock: By which times are read.
        key: Whether the column is part of what identifies a row.

    Returns:
        Typed values (null where empty or bad), and masks of the bad cells by code, first problem first.
    """
    if not present.any():
        return pa.nulls(len(cells), arrow_type(column)), iter(())
    match column.type:
        case "integer":
            return read_integers(column, cells, present)
        case "decimal":
            return read_decimals(column, cells, present)
        case "datetime":
            return read_times(column, cells, present, clock)
        case "boolean":
            return read_booleans(cells, present)
        case _:
            return read_texts(column, cells, present, key=key)


def absent_problems(column: Column, cells: pa.Array, present: Mask, presence: Mapping[str, Mask]) -> Iterator[Problem]:
    """Find cells that should have a value and have none, or only spaces.

    Args:
        column: A column that is, or may be, required.
        cells: Its cells.
        present: Where they are not empty.
        presence: The same of every column that the file has, by name.
    """
    if not column.required and not column.required_unless:
        return
    blank = ~present | as_mask(pc.utf8_is_space(cells))
    if not blank.any():
        return
    if not column.required:
        for other in column.required_unless:
            blank &= ~presence.get(other, np.zeros(len(blank), dtype=bool))
    yield "REQUIRED", blank
