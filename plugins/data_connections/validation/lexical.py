"""Whole numbers, decimals and yes-or-no cells: what is written exactly, or nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import Column
from data_connections.validation.outcomes import Mask

TRUE = ("true", "1", "yes", "y")
FALSE = ("false", "0", "no", "n")

_INT64_DIGITS = 18
_DECIMAL128_DIGITS = 38
_DECIMAL256_DIGITS = 76

Problem = tuple[str, Mask]


def as_mask(values: pa.Array | pa.ChunkedArray) -> Mask:
    """Return an Arrow boolean array as a numpy mask; null counts as False."""
    filled = pc.fill_null(values, False)
    if isinstance(filled, pa.ChunkedArray):
        filled = filled.combine_chunks()
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=bool)


def matches(cells: pa.Array, expression: str) -> Mask:
    """Return where the whole cell matches a regular expression (RE2)."""
    return as_mask(pc.match_substring_regex(cells, rf"\A(?:{expression})\z"))


def kept(cells: pa.Array, good: Mask) -> pa.Array:
    """Return the cells with null where ``good`` is False."""
    return pc.if_else(pa.array(good), cells, pa.scalar(None, cells.type))


def integer_type(column: Column) -> pa.DataType:
    """Return the Arrow type of an integer column: int64 where it fits, otherwise a decimal without decimals."""
    digits = column.precision or _INT64_DIGITS
    if digits <= _INT64_DIGITS:
        return pa.int64()
    return _decimal(digits, 0)


def decimal_type(column: Column) -> pa.DataType:
    """Return the Arrow decimal type of a decimal column."""
    return _decimal(*decimal_size(column))


def decimal_size(column: Column) -> tuple[int, int]:
    """Return (digits in all, decimals) of a decimal column; a column that says nothing has 38 and 10."""
    if column.precision is None:
        scale = 10 if column.scale is None else column.scale
        return max(_DECIMAL128_DIGITS, scale + 28), scale
    return column.precision, column.scale or 0


def _decimal(precision: int, scale: int) -> pa.DataType:
    if precision <= _DECIMAL128_DIGITS:
        return pa.decimal128(precision, scale)
    return pa.decimal256(min(precision, _DECIMAL256_DIGITS), scale)


def read_integers(column: Column, cells: pa.Array, present: Mask) -> tuple[pa.Array, Iterator[Problem]]:
    """Read whole numbers: ``-?[0-9]+``, nothing around.

    Returns:
        The numbers (null where empty or bad), and masks of the bad cells by code.
    """
    digits = column.precision or _INT64_DIGITS
    good = matches(cells, f"-?0*[0-9]{{1,{digits}}}")
    values = pc.cast(kept(cells, good), integer_type(column))
    return values, _integer_problems(column, cells, values, present & ~good)


def _integer_problems(column: Column, cells: pa.Array, values: pa.Array, bad: Mask) -> Iterator[Problem]:
    if bad.any():
        whole = matches(cells, "-?[0-9]+")
        yield "NOT_INTEGER", bad & ~whole
        yield "TOO_MANY_DIGITS", bad & whole
    yield from _range_problems(column, values)


def read_decimals(column: Column, cells: pa.Array, present: Mask) -> tuple[pa.Array, Iterator[Problem]]:
    """Read decimals: ``-?[0-9]+(.[0-9]+)?``, nothing around; never through floats, never rounded.

    Returns:
        The numbers (null where empty or bad), and masks of the bad cells by code.
    """
    precision, scale = decimal_size(column)
    whole_digits = precision - scale
    whole = f"0*[0-9]{{1,{whole_digits}}}" if whole_digits else "0+"
    good = matches(cells, f"-?{whole}" + (rf"(?:\.[0-9]{{1,{scale}}})?" if scale else ""))
    values = pc.cast(kept(cells, good), decimal_type(column))
    return values, _decimal_problems(column, cells, values, present & ~good)


def _decimal_problems(column: Column, cells: pa.Array, values: pa.Array, bad: Mask) -> Iterator[Problem]:
    if bad.any():
        scale = decimal_size(column)[1]
        number = matches(cells, r"-?[0-9]+(?:\.[0-9]+)?")
        long = as_mask(pc.match_substring_regex(cells, rf"\.[0-9]{{{scale + 1},}}\z"))
        yield "NOT_DECIMAL", bad & ~number
        yield "TOO_MANY_DECIMALS", bad & number & long
        yield "TOO_MANY_DIGITS", bad & number & ~long
    yield from _range_problems(column, values)


def _range_problems(column: Column, values: pa.Array) -> Iterator[Problem]:
    if column.minimum is not None:
        yield "TOO_SMALL", as_mask(pc.less(values, _limit(column.minimum)))
    if column.maximum is not None:
        yield "TOO_LARGE", as_mask(pc.greater(values, _limit(column.maximum)))


def _limit(limit: Decimal) -> pa.Scalar:
    return pa.scalar(limit + 0)


def read_booleans(cells: pa.Array, present: Mask) -> tuple[pa.Array, Iterator[Problem]]:
    """Read true, false, 1, 0, yes, no, y, n, in any case.

    Returns:
        The truth values (null where empty or bad), and masks of the bad cells by code.
    """
    lowered = pc.ascii_lower(cells)
    true = as_mask(pc.is_in(lowered, value_set=pa.array(TRUE)))
    false = as_mask(pc.is_in(lowered, value_set=pa.array(FALSE)))
    values = pa.array(true, mask=~(true | false))
    return values, iter([("NOT_BOOLEAN", present & ~(true | false))])
