"""XML: ``<report name="..."><row><Column>value</Column>...</row>...</report>``; what there is not has no element."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from data_connections.errors import ConfigurationError
from data_connections.formats.outputs.column import OutputColumn
from data_connections.formats.outputs.row_writer import RowWriter
from data_connections.formats.outputs.text import plain_text
from data_connections.spec.output_format import OutputFormat

ROOT = "report"
ROW = "row"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def check_element_names(columns: Sequence[OutputColumn]) -> None:
    """Raise ``ConfigurationError`` where the name of a column cannot be that of an element."""
    for column in columns:
        if not _NAME.fullmatch(column.name) or column.name.lower().startswith("xml"):
            raise ConfigurationError(
                f"The column {column.name!r} cannot be the name of an XML element; give it another under "
                "format.headers.",
                field="format.headers",
            )


class XmlWriter(RowWriter):
    """Writes XML 1.0 in UTF-8, one row a line."""

    def __init__(self, sink: BinaryIO, output: OutputFormat, columns: Sequence[OutputColumn], name: str) -> None:
        super().__init__()
        check_element_names(columns)
        self._sink = sink
        self._zone = ZoneInfo(output.time_zone)
        self._tags = [(column.name, f"<{column.name}>", f"</{column.name}>") for column in columns]
        self._sink.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<{ROOT} name={quoteattr(name)}>\n'.encode())

    def _add(self, rows: Sequence[Sequence[object]]) -> None:
        self._sink.write("".join(f"<{ROW}>{self._cells(row)}</{ROW}>\n" for row in rows).encode())

    def _cells(self, row: Sequence[object]) -> str:
        return "".join(
            f"{opening}{self._text(name, value)}{closing}"
            for (name, opening, closing), value in zip(self._tags, row, strict=True)
            if value is not None
        )

    def _text(self, name: str, value: object) -> str:
        text = plain_text(value, self._zone)
        found = _FORBIDDEN.search(text)
        if found:
            raise ConfigurationError(
                f"A value of {name} holds the control character U+{ord(found[0]):04X}, which XML cannot: "
                f"{text[:60]!r}. Send csv or json_lines, or take it out in the report's SQL.",
                field="format.type",
            )
        return escape(text, {"\r": "&#13;"})

    def finish(self) -> None:
        """Close the root element."""
        self._sink.write(f"</{ROOT}>\n".encode())
