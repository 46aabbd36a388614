"""JSON lines: one object a row, numbers as JSON numbers with every digit, null for what there is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import BinaryIO
from zoneinfo import ZoneInfo

from data_connections.formats.outputs.column import OutputColumn
from data_connections.formats.outputs.row_writer import RowWriter
from data_connections.formats.outputs.text import plain_text
from data_connections.spec.output_format import OutputFormat

_encode = json.JSONEncoder(ensure_ascii=False).encode


class JsonLinesWriter(RowWriter):
    """Writes UTF-8 with LF after each object."""

    def __init__(self, sink: BinaryIO, output: OutputFormat, columns: Sequence[OutputColumn]) -> None:
        super().__init__()
        self._sink = sink
        self._zone = ZoneInfo(output.time_zone)
        self._keys = [f"{_encode(column.name)}: " for column in columns]

    def _add(self, rows: Sequence[Sequence[object]]) -> None:
        self._sink.write("".join(f"{{{self._members(row)}}}\n" for row in rows).encode())

    def _members(self, row: Sequence[object]) -> str:
        return ", ".join(key + self._value(value) for key, value in zip(self._keys, row, strict=True))

    def _value(self, value: object) -> str:
        if value is None:
            return "null"
        text = plain_text(value, self._zone)
        return text if isinstance(value, int | Decimal) else _encode(text)

    def finish(self) -> None:
        """Nothing follows the rows."""
