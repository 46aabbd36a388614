"""The fast way: whole blocks of well-formed rows, checked column-wise and parsed by pyarrow.

Two readers that share nothing have to agree: a numpy check of the structure (delimiters in every row, quotes only at
the edges of cells, one kind of line end) and pyarrow's parser. Wherever the check is not certain the block is left to
the strict row reader, so this module never has to say what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from data_connections.formats.blocks import ROW_LIMIT
from data_connections.formats.dialect import Dialect

_LF, _CR = 10, 13


@dataclass(frozen=True)
class _Structure:
    """Where rows end in a block.

    Args:
        ends: Position of the line feed of each row.
        before: How many line feeds stand before the start of each row.
        line_feeds: How many line feeds the block holds.
        quoted: Whether it holds quotes.
    """

    ends: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    line_feeds: int
    quoted: bool


@dataclass(frozen=True)
class Columns:
    """A block of well-formed rows.

    Args:
        lines: How many physical lines each row starts after the block's first one, ``int64``.
        cells: Its cells, columns named ``0``, ``1``, ...
        line_count: How many physical lines the block takes.
        last_row: Where its last row starts.
    """

    lines: npt.NDArray[np.int64]
    cells: pa.Table
    line_count: int
    last_row: int


def safe_end(dialect: Dialect, data: bytes) -> int:
    """Return where the last row that ends in ``data`` ends, 0 when none does; needs undamaged quotes."""
    end = data.rfind(b"\n") + 1
    if not dialect.quote or not end:
        return end
    quotes = data.count(dialect.quote, 0, end)
    while end and quotes % 2:
        quote = data.rfind(dialect.quote, 0, end)
        line_feed = data.rfind(b"\n", 0, quote) + 1
        quotes -= data.count(dialect.quote, line_feed, end)
        end = line_feed
    return end


def read_columns(dialect: Dialect, block: bytes, width: int) -> Columns | None:
    """Return the rows of ``block``, or None when the strict reader has to look at it.

    Args:
        dialect: A dialect that is ``plain``.
        block: Whole rows, each with its line end.
        width: How many cells each row has to have.
    """
    if dialect.comment and (block.startswith(dialect.comment) or b"\n" + dialect.comment in block):
        return None
    structure = _structure(dialect, block, width)
    if structure is None:
        return None
    cells = _parse(dialect, block, width, quoted=structure.quoted)
    if cells is None or cells.num_rows != len(structure.ends):
        return None
    last_row = int(structure.ends[-2]) + 1 if len(structure.ends) > 1 else 0
    return Columns(structure.before, cells, structure.line_feeds, last_row)


def _structure(dialect: Dialect, block: bytes, width: int) -> _Structure | None:
    text = np.frombuffer(block, np.uint8)
    quoted = bool(dialect.quote) and dialect.quote in block
    found = _quoted_row_ends(dialect, text, width) if quoted else _row_ends(dialect, text, width)
    if found is None:
        return None
    ends, before, line_feeds = found
    lengths = np.diff(ends, prepend=-1)
    shortest = 2 if dialect.newline == "crlf" else 1
    if lengths.max() > ROW_LIMIT or (width == 1 and lengths.min() <= shortest + (dialect.newline == "any")):
        return None
    return _Structure(ends, before, line_feeds, quoted) if _one_line_end(dialect, block, text, ends) else None


def _row_ends(
    dialect: Dialect, text: npt.NDArray[np.uint8], width: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int] | None:
    marks = text == dialect.delimiter[0]
    line_ends = text == _LF
    rows = int(np.count_nonzero(line_ends))
    marks |= line_ends
    positions = np.flatnonzero(marks)
    if not rows or len(positions) != rows * width:
        return None
    ends = positions[width - 1 :: width]
    return (ends, np.arange(rows), rows) if line_ends[ends].all() else None


def _quoted_row_ends(
    dialect: Dialect, text: npt.NDArray[np.uint8], width: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int] | None:
    quotes = text == dialect.quote[0]
    positions = np.flatnonzero(quotes | (text == dialect.delimiter[0]) | (text == _LF))
    kinds = text[positions]
    is_quote = kinds == dialect.quote[0]
    inside = np.bitwise_xor.accumulate(is_quote)
    if inside[-1] or not _quotes_at_edges(dialect, text, positions[is_quote]):
        return None
    is_line_end = kinds == _LF
    structural = ~(inside | is_quote)
    marks, row_ends = positions[structural], is_line_end[structural]
    rows = int(np.count_nonzero(row_ends))
    if not rows or len(marks) != rows * width or not row_ends[width - 1 :: width].all():
        return None
    ranks = np.cumsum(is_line_end)[structural][width - 1 :: width]
    return marks[width - 1 :: width], np.concatenate(([0], ranks[:-1])), int(np.count_nonzero(is_line_end))


def _quotes_at_edges(dialect: Dialect, text: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64]) -> bool:
    """Whether every quote opens a cell, closes one, or is half of a doubled one; the last byte is a line feed."""
    opening, closing = quotes[::2], quotes[1::2]
    before = np.where(opening == 0, _LF, text[opening - 1])
    after = text[closing + 1]
    edges = np.array([dialect.delimiter[0], dialect.quote[0]], np.uint8)
    opens = (before == edges[0]) | (before == edges[1]) | (before == _LF)
    ends_row = (after == _LF) | ((after == _CR) & (text[np.minimum(closing + 2, len(text) - 1)] == _LF))
    return bool(opens.all() and ((after == edges[0]) | (after == edges[1]) | ends_row).all())


def _one_line_end(dialect: Dialect, block: bytes, text: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> bool:
    """Whether every row ends as the dialect says, and no carriage return stands elsewhere outside quotes."""
    returns = int(np.count_nonzero(text == _CR)) if b"\r" in block else 0
    ended = int(np.count_nonzero(text[ends[ends > 0] - 1] == _CR))
    wanted = {"lf": ended == 0, "crlf": ended == len(ends), "any": True}[dialect.newline]
    if not wanted or returns == ended:
        return wanted
    return bool(dialect.quote) and _all_quoted(dialect, text, ends, returns - ended)


def _all_quoted(dialect: Dialect, text: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], others: int) -> bool:
    quotes = np.flatnonzero(text == dialect.quote[0])
    returns = np.flatnonzero(text == _CR)
    return int(np.count_nonzero(np.searchsorted(quotes, returns) % 2)) == others


def _parse(dialect: Dialect, block: bytes, width: int, *, quoted: bool) -> pa.Table | None:
    names = [str(index) for index in range(width)]
    try:
        return csv.read_csv(
            pa.BufferReader(block),
            csv.ReadOptions(column_names=names, use_threads=False, block_size=len(block) + 1),
            csv.ParseOptions(
                delimiter=dialect.delimiter.decode(),
                quote_char=dialect.quote.decode() if quoted else False,
                double_quote=quoted,
                newlines_in_values=quoted,
                ignore_empty_lines=False,
            ),
            csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        return None
