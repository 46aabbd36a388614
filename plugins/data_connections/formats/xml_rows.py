"""The elements of an XML file as rows: one value for each element or attribute that holds one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from data_connections.errors import FileRefused
from data_connections.formats.blocks import ROW_LIMIT
from data_connections.formats.xml_parser import SafeParser
from data_connections.formats.xml_shape import RowShape

_MOST_COLUMNS = 4096
_MOST_OUTSIDE = 20


@dataclass
class XmlRow:
    """One row.

    Args:
        line: 1-based physical line on which its element starts.
        values: Its values by the path of their element inside the row.
        problem: Code and message where it is broken.
    """

    line: int
    values: dict[str, str] = field(default_factory=dict)
    problem: tuple[str, str] | None = None


class XmlRows:
    """Collects the rows of a file while it is parsed.

    Args:
        shape: Which element is a row.
        repeated: What elements that repeat in a row do: ``reject`` breaks it, ``join`` puts a comma between them, and
            with ``items`` those that hold elements are named with their number from the second on: `items/item[2]/sku`.

    Attributes:
        rows: The rows that are complete and not taken yet.
        size: About how many characters they hold.
        outside: Elements outside rows whose text was passed over; the first twenty.
    """

    def __init__(self, shape: RowShape, *, repeated: Literal["reject", "join", "items"] = "reject") -> None:
        self.rows: list[XmlRow] = []
        self.size = 0
        self.outside: dict[str, None] = {}
        self._shape = shape
        self._repeats = repeated
        self._counts: Counter[str] = Counter()
        self._parser = SafeParser(self._start, self._end, self._text)
        self._path: list[str] = []
        self._row: XmlRow | None = None
        self._row_size = 0
        self._inside: list[str] = []
        self._parts: list[str] = []
        self._leaf = False
        self._names: set[str] = set()

    def parse(self, data: bytes, *, final: bool) -> None:
        """Read on; UTF-8, whose rows are added to ``rows``.

        Raises:
            FileRefused: The file is unsafe, malformed, or has other rows than those of its shape.
        """
        self._parser.parse(data, final=final)

    def take(self) -> list[XmlRow]:
        """Hand out the rows that are complete."""
        rows, self.rows, self.size = self.rows, [], 0
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._row is None:
            self._start_outside(name, attributes)
            return
        if self._parts:
            self._mixed(self._row)
        self._inside.append(self._numbered(f"{self._inside[-1]}/{name}" if self._inside else name))
        self._leaf = True
        if attributes:
            self._attributes(self._row, f"{self._inside[-1]}@", attributes)

    def _numbered(self, path: str) -> str:
        """Return the path of an element, with its number where it repeats and may be an item."""
        if self._repeats != "items":
            return path
        self._counts[path] += 1
        return path if self._counts[path] == 1 else f"{path}[{self._counts[path]}]"

    def _start_outside(self, name: str, attributes: dict[str, str]) -> None:
        if self._path and not self._shape.leads_to(self._path):
            message = f"{'/'.join(self._path)} holds elements beside the rows; declare which element is a row (row)."
            raise FileRefused("XML_ROW_UNKNOWN", message, line=self._parser.line)
        self._parts.clear()
        self._path.append(name)
        if self._shape.matches(self._path):
            self._row, self._row_size = XmlRow(self._parser.line), 0
            self._counts.clear()
            self._attributes(self._row, "", attributes)

    def _attributes(self, row: XmlRow, prefix: str, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            self._add(row, prefix + name, value)

    def _text(self, text: str) -> None:
        if self._row is not None:
            self._row_size += len(text)
            if self._row_size > ROW_LIMIT:
                raise FileRefused("ROW_TOO_LONG", "A row is longer than 8 MiB.", line=self._row.line)
            self._parts.append(text)
        elif len(self.outside) < _MOST_OUTSIDE and not text.isspace():
            self.outside["/".join(self._path)] = None

    def _end(self, _: str) -> None:
        row = self._row
        if row is None:
            self._path.pop()
        elif self._inside:
            name = self._inside.pop()
            if self._leaf:
                self._add(row, name[: name.rindex("[")] if name.endswith("]") else name, "".join(self._parts))
                self._parts.clear()
            elif self._parts:
                self._mixed(row)
            self._leaf = False
        else:
            if self._parts:
                self._mixed(row)
            self._finish(row)

    def _finish(self, row: XmlRow) -> None:
        self.rows.append(row)
        self.size += self._row_size
        self._row = None
        self._path.pop()

    def _add(self, row: XmlRow, name: str, value: str) -> None:
        self._row_size += len(name)
        if name in row.values:
            value = self._repeated(row, name, value)
        elif name not in self._names:
            self._new_name(name)
        row.values[name] = value

    def _repeated(self, row: XmlRow, name: str, value: str) -> str:
        if self._repeats != "join":
            row.problem = ("XML_REPEATED", f"{name} comes twice in this row.")
        return f"{row.values[name]},{value}"

    def _new_name(self, name: str) -> None:
        self._names.add(name)
        if len(self._names) > _MOST_COLUMNS:
            message = f"The rows have more than {_MOST_COLUMNS} different elements."
            raise FileRefused("XML_TOO_MANY_COLUMNS", message, line=self._parser.line)

    def _mixed(self, row: XmlRow) -> None:
        """Forget text between elements; anything but space breaks the row."""
        text = "".join(self._parts)
        self._parts.clear()
        if text and not text.isspace():
            where = self._inside[-1] if self._inside else "the row itself"
            row.problem = ("XML_MIXED_TEXT", f"Text stands between the elements of {where}.")
