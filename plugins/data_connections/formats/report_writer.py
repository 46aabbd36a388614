"""Reports as delimited text that no spreadsheet takes for formulas: text cells are guarded, numbers left alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from data_connections.formats.csv_writer import encode_rows

_ROWS_AT_ONCE = 2_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_FORMULA_PATTERN = "^[" + "".join(_FORMULA).replace("-", r"\-") + "]"
_PLAIN_SCALE = 6


def guarded(text: str) -> str:
    """Return ``text``, with an apostrophe before it where a spreadsheet would run it as a formula."""
    return "'" + text if text.startswith(_FORMULA) else text


def cell_text(value: object) -> str:
    """Return one value of a report as text.

    Text is guarded against formulas; numbers keep their sign and are never in scientific notation; dates and times
    are ISO 8601; None is empty.

    Raises:
        TypeError: A value of another kind.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    message = f"a report cannot hold a value of the type {type(value).__name__}"
    raise TypeError(message)


class ReportWriter:
    """Writes a report row by row or block by block; nothing is kept.

    Args:
        target: Where the bytes go, as UTF-8 without a byte order mark.
        header: Names of the columns; written at once.
        delimiter: One character.
    """

    def __init__(self, target: BinaryIO, header: Sequence[str], delimiter: str = ",") -> None:
        self.rows = 0
        self._target = target
        self._delimiter = delimiter
        self._width = len(header)
        self._write([[guarded(name) for name in header]])

    def write_rows(self, rows: Iterable[Sequence[object]]) -> None:
        """Write rows of Python values, as a database cursor yields them."""
        batch: list[list[str]] = []
        for row in rows:
            batch.append([cell_text(value) for value in row])
            if len(batch) == _ROWS_AT_ONCE:
                self._count(batch)
                batch = []
        self._count(batch)

    def write_table(self, table: pa.Table | pa.RecordBatch) -> None:
        """Write an Arrow table; only its text columns are guarded."""
        if table.num_columns != self._width:
            raise self._misfit(table.num_columns)
        if table.num_rows:
            self._target.write(encode_rows([_as_text(column) for column in table.columns], self._delimiter))
        self.rows += table.num_rows

    def _count(self, batch: list[list[str]]) -> None:
        self._write(batch)
        self.rows += len(batch)

    def _write(self, batch: list[list[str]]) -> None:
        for row in batch:
            if len(row) != self._width:
                raise self._misfit(len(row))
        if batch:
            columns = [pa.array(column, pa.string()) for column in zip(*batch, strict=True)]
            self._target.write(encode_rows(columns, self._delimiter))

    def _misfit(self, width: int) -> ValueError:
        return ValueError(f"a row of {width} cells does not fit a header of {self._width}")


def _as_text(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        risky = pc.match_substring_regex(column, _FORMULA_PATTERN)
        return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)
    if (pa.types.is_decimal(kind) and kind.scale <= _PLAIN_SCALE) or pa.types.is_integer(kind):
        return column.cast(pa.string())
    return pa.array([cell_text(value) for value in column.to_pylist()], pa.string())
