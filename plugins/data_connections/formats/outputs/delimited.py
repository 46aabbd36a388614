"""Delimited text: RFC 4180 with comma, tab or pipe, text cells guarded against formulas, numbers left alone."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pyarrow as pa

from data_connections.errors import ConfigurationError
from data_connections.formats.csv_writer import ROW_END, encode_rows
from data_connections.formats.formula_guard import guarded
from data_connections.formats.outputs.column import OutputColumn
from data_connections.formats.outputs.row_writer import RowWriter
from data_connections.formats.outputs.text import plain_text
from data_connections.spec.output_format import DELIMITERS, OutputFormat
from data_connections.spec.trailer import Trailer, added

_ROWS_AT_ONCE = 2_000


class DelimitedWriter(RowWriter):
    """Writes delimited text; an empty cell is a value that there is not."""

    def __init__(self, sink: BinaryIO, output: OutputFormat, columns: Sequence[OutputColumn]) -> None:
        super().__init__()
        self._sink = sink
        self._encoding = output.encoding
        self._encoder = codecs.getincrementalencoder(output.encoding)()
        self._delimiter = DELIMITERS[output.type]
        self._zone = ZoneInfo(output.time_zone)
        self._trailer = Trailer(output.trailer) if output.trailer else None
        names = [column.name for column in columns]
        self._summed = {name: names.index(name) for name in self._trailer.columns} if self._trailer else {}
        self._sums = dict.fromkeys(self._summed, Decimal(0))
        if output.header:
            self._write([[guarded(column.name) for column in columns]])

    def _add(self, rows: Sequence[Sequence[object]]) -> None:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            self._write([[self._cell(value) for value in row] for row in rows[start : start + _ROWS_AT_ONCE]])

        for name, place in self._summed.items():
            values = (Decimal(str(row[place])) for row in rows if row[place] is not None)
            self._sums[name] = reduce(added, values, self._sums[name])

    def _cell(self, value: object) -> str:
        if value is None:
            return ""
        text = plain_text(value, self._zone)
        return guarded(text) if isinstance(value, str) else text

    def _write(self, rows: list[list[str]]) -> None:
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        self._put(encode_rows(columns, self._delimiter))

    def _put(self, content: bytes) -> None:
        self._sink.write(content if self._encoding == "utf-8" else self._encoded(content))

    def _encoded(self, content: bytes) -> bytes:
        try:
            return self._encoder.encode(content.decode("utf-8"))
        except UnicodeEncodeError as missing:
            character = missing.object[missing.start]
            raise ConfigurationError(
                f"{self._encoding} has no character {character!r} (U+{ord(character):04X}), which stands in the report "
                f"near {missing.object[max(0, missing.start - 30) : missing.start + 30]!r}. Use utf-8.",
                field="format.encoding",
            ) from missing

    def finish(self) -> None:
        """Write the trailer, where the format has one."""
        if self._trailer is not None:
            self._put(f"{self._trailer.filled(self.rows, self._sums)}{ROW_END}".encode())
