"""What is wrong with a row that does not match its dialect, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from data_connections.errors import FileRefused
from data_connections.formats.dialect import Dialect


@dataclass(frozen=True)
class Damage:
    """The first place at which a row contradicts its dialect.

    Args:
        kind: ``quote`` (neither opens nor closes a cell), ``unclosed`` (the quote at ``at`` is never closed),
            ``line_end`` (not the one of this file) or ``escape`` (the file ends right after an escape).
        at: Position in the text.
        cell: Where the cell that holds it starts.
    """

    kind: Literal["quote", "unclosed", "line_end", "escape"]
    at: int
    cell: int


def find_damage(dialect: Dialect, data: bytes, start: int, *, ended: bool) -> Damage | None:
    """Return what is wrong with the row at ``start``, or None when it is only not complete yet.

    Args:
        dialect: The dialect of the file.
        data: The text.
        start: Where a row starts that ``dialect.row`` does not match.
        ended: Whether ``data`` reaches to the end of the file.
    """
    whole = dialect.whole_cells.match(data, start)
    position = whole.end() if whole else start
    cell = dialect.cell.match(data, position)
    at = cell.end() if cell else position
    if not ended and (cell is None or len(data) - at < dialect.look_ahead):
        return None
    kind = _kind(data, at, unclosed=cell is None)
    return Damage(kind, min(at, len(data) - 1), position)


def _kind(data: bytes, at: int, *, unclosed: bool) -> Literal["quote", "unclosed", "line_end", "escape"]:
    if unclosed:
        return "unclosed"
    if at >= len(data):
        return "escape"
    return "line_end" if data[at : at + 1] in b"\r\n" else "quote"


def refusal(dialect: Dialect, data: bytes, damage: Damage, start_line: int, line: int) -> FileRefused:
    """Return why the file is refused because of ``damage``.

    Args:
        dialect: The dialect of the file.
        data: The text that ``damage`` points into.
        damage: The damage.
        start_line: 1-based line on which the damaged row starts.
        line: 1-based line of the damage.
    """
    if damage.kind == "unclosed":
        message = "A quote is opened here and never closed; the file may be cut off."
        return FileRefused("UNCLOSED_QUOTE", message, line=line)
    if damage.kind == "escape":
        return FileRefused("UNCLOSED_QUOTE", "The file ends right after an escape; it may be cut off.", line=line)
    if damage.kind == "line_end":
        return _wrong_line_end(dialect, data, damage.at, line)
    since = f" The row starts on line {start_line}." if start_line != line else ""
    message = (
        f"A quote neither opens nor closes its cell, and which rows that concerns cannot be told.{since} "
        "Quotes inside a quoted cell have to be doubled; declare the escape or the quote if they are written otherwise."
    )
    return FileRefused("BROKEN_QUOTE", message, line=line)


def _wrong_line_end(dialect: Dialect, data: bytes, at: int, line: int) -> FileRefused:
    if data[at : at + 1] == b"\r" and data[at + 1 : at + 2] != b"\n":
        options = {"newline": "cr"} if b"\n" not in data else {}
        message = "A carriage return stands alone outside quotes: a row end of another kind, or damage."
        return FileRefused("BARE_CR", message, line=line, options=options)
    found = "LF" if data[at : at + 1] == b"\n" else "CR LF"
    message = (
        f"This row ends with {found}, the rows before with {dialect.newline.upper()}; a value may hold a line end."
    )
    options = {"newline": "any"} if dialect.newline in ("lf", "crlf") else {}
    return FileRefused("MIXED_NEWLINES", message, line=line, options=options)
