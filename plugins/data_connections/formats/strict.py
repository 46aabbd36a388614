"""The strict row reader: every dialect, one row at a time, and exact about what is wrong where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from data_connections.errors import FileRefused
from data_connections.formats.blocks import ROW_LIMIT
from data_connections.formats.damage import Damage, find_damage, refusal
from data_connections.formats.dialect import Dialect
from data_connections.formats.recovery import KnownRow, NotProved, next_row

_MOST_CELLS = 65_536
_NOTHING_KNOWN = KnownRow()


class RawRow(NamedTuple):
    """One row as it stands in the text.

    Args:
        line: 1-based physical line on which it starts.
        next_line: The line on which the next row starts.
        end: Where the next row starts in the text.
        cells: Its cells; after damage the last one is the raw rest.
        text: It as it stands in the file; empty for a comment or a damaged row.
        damaged: Whether a quote in it is broken.
        quoted: Whether a quote or an escape stands in it.
        in_apostrophes: Whether a whole cell without quotes stands in apostrophes.
        comment: Whether it is a comment, and no row of the table.
    """

    line: int
    next_line: int
    end: int
    cells: list[bytes]
    text: bytes = b""
    damaged: bool = False
    quoted: bool = False
    in_apostrophes: bool = False
    comment: bool = False

    @property
    def blank(self) -> bool:
        """Whether the row is an empty line."""
        return self.cells == [b""] and not self.quoted


def read_rows(
    dialect: Dialect, data: bytes, line: int, *, ended: bool, known: KnownRow = _NOTHING_KNOWN
) -> Iterator[RawRow]:
    """Yield the rows of ``data`` up to the last complete one, comments too.

    Args:
        dialect: The dialect of the file.
        data: Text that begins at a row start.
        line: 1-based physical line of its first byte.
        ended: Whether the file ends with it; then its last row need not end with a line end.
        known: The row before ``data``, and how many cells a row has.

    Raises:
        FileRefused: A row is too long, ends in another way than the others, or is broken in a way that may concern
            other rows too.
    """
    if ended and data and not data.endswith(dialect.row_end_bytes):
        data += dialect.row_end_bytes
    position, before = 0, known.text
    while position < len(data):
        row = _row(dialect, data, position, line)
        if row is None:
            row = _damaged_row(dialect, data, position, line, KnownRow(before, known.width), ended=ended)
        if row is None:
            return
        yield row
        position, line, before = row.end, row.next_line, row.text


def too_long(dialect: Dialect, data: bytes, line: int) -> FileRefused:
    """Return why a file is refused whose first row in ``data`` has no end within the limit."""
    damage = find_damage(dialect, data, 0, ended=True)
    if damage is not None and damage.kind == "unclosed":
        at = line + data.count(dialect.line_end, 0, damage.at)
        return FileRefused("UNCLOSED_QUOTE", "A quote is opened here and not closed within 8 MiB.", line=at)
    message = "A row is longer than 8 MiB or 65,536 cells; the file may have no line ends, or others than declared."
    return FileRefused("ROW_TOO_LONG", message, line=line)


def _row(dialect: Dialect, data: bytes, start: int, line: int) -> RawRow | None:
    if dialect.comment and data.startswith(dialect.comment, start):
        match = dialect.row_end.search(data, start)
        return RawRow(line, line + 1, match.end(), [], comment=True) if match else None
    match = dialect.row.match(data, start)
    if match is None:
        return None
    text = match[0]
    if len(text) > _MOST_CELLS and (len(text) > ROW_LIMIT or text.count(dialect.delimiter) > _MOST_CELLS):
        raise too_long(dialect, text, line)
    quoted = bool(dialect.quote and dialect.quote in text) or bool(dialect.escape and dialect.escape in text)
    cells = dialect.values(text) if quoted else _split(dialect, text)
    next_line = line + text.count(dialect.line_end)
    return RawRow(line, next_line, match.end(), cells, text, False, quoted, dialect.has_apostrophes(text))


def _split(dialect: Dialect, text: bytes) -> list[bytes]:
    ending = 2 if dialect.newline == "any" and text.endswith(b"\r\n") else len(dialect.row_end_bytes)
    return text[:-ending].split(dialect.delimiter)


def _damaged_row(
    dialect: Dialect, data: bytes, start: int, line: int, known: KnownRow, *, ended: bool
) -> RawRow | None:
    damage = find_damage(dialect, data, start, ended=ended)
    if damage is None:
        return None
    try:
        if damage.kind != "quote":
            raise NotProved
        end = next_row(dialect, data, start, damage, known, ended=ended)
    except NotProved:
        at = line + data.count(dialect.line_end, start, damage.at)
        raise refusal(dialect, data, damage, line, at) from None
    if end is None:
        return None
    next_line = line + data.count(dialect.line_end, start, end)
    return RawRow(line, next_line, end, _readable(dialect, data, start, damage, end), damaged=True, quoted=True)


def _readable(dialect: Dialect, data: bytes, start: int, damage: Damage, end: int) -> list[bytes]:
    rest = data[damage.cell : end].removesuffix(dialect.row_end_bytes).removesuffix(b"\r")
    return [*dialect.values(data[start : damage.cell]), rest]
