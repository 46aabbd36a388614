"""Where reading may go on after a row with a broken quote, if that can be proved.

After the damage nobody knows whether the text is inside or outside quotes. Both readings are followed from the end of
the damaged line; the one that runs into a contradiction is disproved, and the other one says where the next row
starts. When neither is disproved, when the damage shows only on a later line than its row started on, or when the line
reads well as the end of a quoted cell from before it, more rows than this one may be concerned: the file is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from data_connections.formats.blocks import ROW_LIMIT
from data_connections.formats.damage import Damage, find_damage
from data_connections.formats.dialect import Dialect


class NotProved(Exception):
    """Where the next row starts cannot be proved."""


@dataclass(frozen=True)
class KnownRow:
    """The row before the one that is read.

    Args:
        text: It as it stands in the file; empty where it was none, or broken.
        width: How many cells a row has, where known.
    """

    text: bytes = b""
    width: int | None = None


@dataclass(frozen=True)
class _Reading:
    """How far the text reads well from a point on, under one assumption.

    Args:
        next_row: Where the next row starts; None where the reading never gets there.
        until: End of the last whole row that was read.
        rows: How many whole rows were read after ``next_row``.
        first_cells: Number of cells of the first of them.
        cells_left: Number of cells of the row that the text begins in, after the one it begins in.
        damage: Where the reading is contradicted; None where it is not.
    """

    next_row: int | None
    until: int
    rows: int = 0
    first_cells: int = 0
    cells_left: int | None = None
    damage: int | None = None


def next_row(dialect: Dialect, data: bytes, start: int, damage: Damage, known: KnownRow, *, ended: bool) -> int | None:
    """Return where the row after the damaged one starts.

    Args:
        dialect: The dialect of the file.
        data: The text, from a row start on.
        start: Where the damaged row starts.
        damage: Its damage.
        known: The row before.
        ended: Whether the text ends the file.

    Returns:
        The position, or None when more text is needed to tell.

    Raises:
        NotProved: The damage may concern more than this row.
    """
    if dialect.line_end in data[start : damage.at] or dialect.stray_text:
        raise NotProved
    line_end = dialect.row_end.search(data, damage.at)
    if line_end is None:
        return None
    after = line_end.end()
    before = _inside(dialect, data, start, ended=ended)
    if before.damage is None and before.cells_left is None and not ended:
        return None
    if not (before.damage is not None and before.damage < after) and not _ends_outside(dialect, known, before):
        raise NotProved
    if after >= len(data):
        return after if ended else None
    outside = _outside(dialect, data, after, ended=ended)
    inside = _inside(dialect, data, after, ended=ended)
    return _decide(outside, inside, known.width, ended=ended)


def _ends_outside(dialect: Dialect, known: KnownRow, before: _Reading) -> bool:
    """Whether the row before contradicts that a quoted cell began in it, or before it, and goes on in the next."""
    if before.cells_left is None or known.width is None:
        return False
    position, first = 0, known.width - before.cells_left - 1
    for _ in range(first):
        match = dialect.cell.match(known.text, position)
        if match is None or not known.text.startswith(dialect.delimiter, match.end()):
            return False
        position = match.end() + len(dialect.delimiter)
    return all(_contradicted_inside(dialect, known.text, start) for start in {0, position})


def _contradicted_inside(dialect: Dialect, text: bytes, start: int) -> bool:
    closing = dialect.rest_of_quoted.match(text, start)
    if closing is None:
        return False
    followed = text.startswith(dialect.delimiter, closing.end()) or dialect.row_end.match(text, closing.end())
    return not followed


def _decide(outside: _Reading, inside: _Reading, width: int | None, *, ended: bool) -> int | None:
    if inside.damage is not None and outside.damage is None:
        return outside.next_row if ended or outside.until >= inside.damage else None
    if outside.damage is not None and inside.damage is None:
        return inside.next_row if ended or inside.until >= outside.damage else None
    if outside.damage is None and not ended:
        return None
    # Both are contradicted, so there is a second damaged row further on. Whole rows of the right width before it
    # tell the two apart; without one the damage may be of one piece.
    if outside.damage is not None and outside.rows and width in (None, outside.first_cells):
        return outside.next_row
    raise NotProved


def _outside(dialect: Dialect, data: bytes, start: int, *, ended: bool) -> _Reading:
    position, rows, first_cells = start, 0, 0
    while match := dialect.row.match(data, position):
        if not rows:
            first_cells = _count_cells(dialect, match[0])
        position, rows = match.end(), rows + 1
    damage = _contradiction(dialect, data, position, ended=ended) if position < len(data) else None
    return _Reading(start, position, rows, first_cells, damage=damage)


def _inside(dialect: Dialect, data: bytes, start: int, *, ended: bool) -> _Reading:
    closing = dialect.rest_of_quoted.match(data, start)
    if closing is None:
        too_long = ended or len(data) - start > ROW_LIMIT
        return _Reading(None, start, damage=len(data) if too_long else None)
    position = closing.end()
    if data.startswith(dialect.delimiter, position):
        rest = dialect.row.match(data, position + len(dialect.delimiter))
        damage = None if rest else _contradiction(dialect, data, position + len(dialect.delimiter), ended=ended)
    else:
        rest = dialect.row_end.match(data, position)
        known = ended or len(data) - position >= dialect.look_ahead
        damage = position if known and not rest else None
    if rest is None:
        return _Reading(None, start, damage=damage)
    row_end = dialect.row_end.match(data, position) is not None
    cells_left = 0 if row_end else _count_cells(dialect, rest[0])
    return replace(_outside(dialect, data, rest.end(), ended=ended), cells_left=cells_left)


def _contradiction(dialect: Dialect, data: bytes, start: int, *, ended: bool) -> int | None:
    damage = find_damage(dialect, data, start, ended=ended)
    if damage is None:
        return None
    return len(data) if damage.kind == "unclosed" else damage.at


def _count_cells(dialect: Dialect, row: bytes) -> int:
    position, cells = 0, 1
    while match := dialect.cell.match(row, position):
        if not row.startswith(dialect.delimiter, match.end()):
            break
        position, cells = match.end() + len(dialect.delimiter), cells + 1
    return cells
