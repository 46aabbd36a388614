"""The money and the pieces of rows, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import DataType, Measures
from data_connections.validation.cells import arrow_type
from data_connections.validation.outcomes import MONEY, NO_CURRENCY, Mask

_DIGITS = 76


def money_scale(data_type: DataType) -> int:
    """Return how many decimals the money of a data type has."""
    return max((_term_scale(data_type, term) for term in data_type.measures.amounts), default=0)


def row_amounts(data_type: DataType, typed: pa.Table) -> pa.Array:
    """Return each row's money: the first of the measure's terms that has a value, null for none."""
    money = pa.decimal256(_DIGITS, money_scale(data_type))
    found = pa.nulls(typed.num_rows, money)
    for term in data_type.measures.amounts:
        parts = term.split("*")
        if all(part in typed.column_names for part in parts):
            found = pc.coalesce(found, _product(typed, parts).cast(money))
    return found


def row_currencies(measures: Measures, typed: pa.Table, default: str = "") -> pa.Array:
    """Return each row's currency in upper case; ``default``, else ``XXX``, where it names none."""
    rest = pa.scalar(default.upper() or NO_CURRENCY)
    if measures.currency is None or measures.currency not in typed.column_names:
        return pa.array([rest.as_py()], pa.string()).take(pa.array([0] * typed.num_rows, pa.int32()))
    return pc.fill_null(pc.utf8_upper(_column(typed, measures.currency)), rest)


def sum_quantity(measures: Measures, typed: pa.Table, rows: Mask) -> Decimal:
    """Return the pieces in the chosen rows."""
    if measures.quantity is None or measures.quantity not in typed.column_names:
        return Decimal(0)
    return _sum(_column(typed, measures.quantity).filter(pa.array(rows)))


def sum_amounts(amount: pa.Array, currency: pa.Array, rows: Mask) -> Mapping[str, Decimal]:
    """Return the money of the chosen rows by currency, exact; currencies without any money are left out."""
    chosen = pa.array(rows)
    amounts, currencies = amount.filter(chosen), currency.filter(chosen)
    sums = {}
    for name in pc.unique(currencies).to_pylist():
        of_currency = amounts.filter(pc.equal(currencies, name))
        if of_currency.null_count < len(of_currency):
            sums[name] = _sum(of_currency)
    return sums


def _sum(values: pa.Array) -> Decimal:
    if pa.types.is_integer(values.type):
        return Decimal(pc.sum(values, min_count=0).as_py())
    total = pc.sum(values, min_count=0).as_py()
    return MONEY.create_decimal(total)


def _product(typed: pa.Table, parts: list[str]) -> pa.Array:
    product = _wide(_column(typed, parts[0]), len(parts))
    for part in parts[1:]:
        product = pc.multiply(product, _wide(_column(typed, part), len(parts)))
    return product


def _wide(values: pa.Array, factors: int) -> pa.Array:
    """Return the values as decimals with room for a product of so many factors."""
    scale = values.type.scale if pa.types.is_decimal(values.type) else 0
    return values.cast(pa.decimal256(_DIGITS // factors - factors, scale))


def _column(typed: pa.Table, name: str) -> pa.Array:
    column = typed.column(name)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _term_scale(data_type: DataType, term: str) -> int:
    types = [arrow_type(data_type.column(part)) for part in term.split("*")]
    return sum(one.scale for one in types if pa.types.is_decimal(one))
