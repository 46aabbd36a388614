"""Parquet: a row group at a time; decimals exact, instants in UTC with the zone beside them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from data_connections.errors import ConfigurationError
from data_connections.formats.outputs.column import OutputColumn
from data_connections.formats.outputs.row_writer import RowWriter
from data_connections.spec.output_format import OutputFormat

ROWS_IN_GROUP = 50_000
DECIMAL_PLACES = 10


def schema_of(columns: Sequence[OutputColumn], time_zone: str) -> pa.Schema:
    """Return the schema that a file of these columns has."""
    types = {
        "text": pa.string(),
        "integer": pa.int64(),
        "decimal": pa.decimal128(38, DECIMAL_PLACES),
        "date": pa.date32(),
        "datetime": pa.timestamp("us", str(ZoneInfo(time_zone))),
        "boolean": pa.bool_(),
    }
    return pa.schema([pa.field(column.name, types[column.type]) for column in columns])


class ParquetRowWriter(RowWriter):
    """Writes row groups of 50,000 rows, compressed with Zstandard."""

    def __init__(self, sink: BinaryIO, output: OutputFormat, columns: Sequence[OutputColumn]) -> None:
        super().__init__()
        self._schema = schema_of(columns, output.time_zone)
        self._decimals = [column.type == "decimal" for column in columns]
        self._waiting: list[Sequence[object]] = []
        self._writer = pq.ParquetWriter(sink, self._schema, compression="zstd", version="2.6")

    def _add(self, rows: Sequence[Sequence[object]]) -> None:
        self._waiting.extend(rows)
        while len(self._waiting) >= ROWS_IN_GROUP:
            self._write(self._waiting[:ROWS_IN_GROUP])
            del self._waiting[:ROWS_IN_GROUP]

    def _write(self, rows: Sequence[Sequence[object]]) -> None:
        arrays = [
            self._array(field, [_scaled(value) for value in column] if is_decimal else column)
            for field, column, is_decimal in zip(self._schema, zip(*rows, strict=True), self._decimals, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=ROWS_IN_GROUP)

    def _array(self, field: pa.Field, values: Sequence[object]) -> pa.Array:
        try:
            return pa.array(values, field.type)
        except (pa.ArrowInvalid, OverflowError) as unfit:
            raise ConfigurationError(
                f"A value of {field.name} does not fit Parquet's {field.type}, and nothing is rounded: {unfit}. "
                "Round it in the report's SQL, or send another type of file.",
                field="format.type",
            ) from unfit

    def finish(self) -> None:
        """Write the last row group and the footer."""
        if self._waiting:
            self._write(self._waiting)
            self._waiting = []
        self._writer.close()


def _scaled(value: object) -> object:
    return Decimal(value) if isinstance(value, int) else value
