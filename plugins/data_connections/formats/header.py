"""The header of a file: its rows read, joined and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from data_connections.errors import FileRefused
from data_connections.formats.dialect import Dialect
from data_connections.formats.recovery import KnownRow
from data_connections.formats.strict import RawRow, read_rows, too_long
from data_connections.formats.window import Window
from data_connections.spec.file_format import FileFormat

_FOLLOWING = 20


@dataclass(frozen=True)
class Header:
    """The header of a file.

    Args:
        names: Names of the columns, in file order.
        rows: Its rows; none where there is no header.
        text: The last of them as it stands in the file.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[bytes, ...], ...]
    text: bytes = b""


def read_header(window: Window, dialect: Dialect, file_format: FileFormat, names: Sequence[str] | None) -> Header:
    """Read the header that ``file_format`` declares and leave the window at the first row of data.

    Args:
        window: Stands at the first row of the table.
        dialect: The dialect of the file.
        file_format: What is declared.
        names: Names for a file without a header, where ``file_format`` gives none.

    Raises:
        FileRefused: NO_HEADER, EMPTY_HEADER, DUPLICATE_HEADER, HEADER_ROWS, NAMES_MISSING, NAMES_COUNT, or what the
            strict reader refuses.
    """
    if not file_format.header:
        chosen = file_format.names or (tuple(names) if names else None)
        if chosen is None:
            message = "The file is declared to have no header; declare the names of its columns."
            raise FileRefused("NAMES_MISSING", message, line=window.line)
        return Header(chosen, ())
    rows = [_cut(row, file_format) for row in _read(window, dialect, file_format)]
    known = KnownRow(rows[-1].text, len(rows[-1].cells) + file_format.trailing_delimiter)
    reading = read_rows(dialect, window.data, window.line, ended=window.ended, known=known)
    following = list(islice(reading, _FOLLOWING))
    names = _checked(_joined(rows, file_format), rows, following, file_format)
    header = Header(names, tuple(tuple(row.cells) for row in rows), known.text)
    _refuse_repeated(header, following)
    return header


def _refuse_repeated(header: Header, following: list[RawRow]) -> None:
    """Refuse a header that follows itself, and say how many rows it takes."""
    repeated = len(list(takewhile(lambda row: tuple(row.cells) == header.rows[-1], following)))
    if repeated:
        message = "The header follows itself: declare how many rows it takes."
        options = {"header_rows": len(header.rows) + repeated}
        raise FileRefused("HEADER_REPEATED", message, line=following[0].line, options=options)


def refuse_apostrophes(row: RawRow, file_format: FileFormat) -> None:
    """Refuse a file with a cell in apostrophes when it is not declared what the quote is.

    Raises:
        FileRefused: QUOTE_AMBIGUOUS.
    """
    if row.in_apostrophes and file_format.quote is None:
        message = "A cell stands in apostrophes: declare whether the apostrophe is the quote (single) or text (double)."
        raise FileRefused("QUOTE_AMBIGUOUS", message, line=row.line, options={"quote": "single"})


def _read(window: Window, dialect: Dialect, file_format: FileFormat) -> list[RawRow]:
    while True:
        found: list[RawRow] = []
        for row in read_rows(dialect, window.data, window.line, ended=window.ended):
            if not row.comment:
                found.append(_usable(row, file_format))
            if len(found) == file_format.header_rows:
                window.drop(found[-1].end, found[-1].next_line - window.line)
                return found
        if window.overfull:
            raise too_long(dialect, window.data, window.line)
        if window.ended:
            raise FileRefused("NO_HEADER", "The file ends before its header does.", line=window.line)
        window.more()


def _usable(row: RawRow, file_format: FileFormat) -> RawRow:
    if row.damaged:
        raise FileRefused("BROKEN_QUOTE", "A quote in the header neither opens nor closes its cell.", line=row.line)
    if row.blank:
        raise FileRefused("NO_HEADER", "A blank line stands where the header should be.", line=row.line)
    refuse_apostrophes(row, file_format)
    return row


def _cut(row: RawRow, file_format: FileFormat) -> RawRow:
    if not file_format.trailing_delimiter:
        return row
    if len(row.cells) < 2 or row.cells[-1]:
        raise FileRefused("HEADER_ROWS", "The header does not end with a delimiter, as declared.", line=row.line)
    return row._replace(cells=row.cells[:-1])


def _joined(rows: list[RawRow], file_format: FileFormat) -> tuple[str, ...]:
    width = len(rows[0].cells)
    for row in rows:
        if len(row.cells) != width:
            message = f"This row of the header has {len(row.cells)} cells, the first one {width}."
            raise FileRefused("HEADER_ROWS", message, line=row.line)
    if file_format.names is not None:
        if len(file_format.names) != width:
            message = f"{len(file_format.names)} names are declared, but the header has {width} cells."
            raise FileRefused("NAMES_COUNT", message, line=rows[0].line)
        return file_format.names
    columns = zip(*(row.cells for row in rows), strict=True)
    return tuple(" ".join(cell.decode() for cell in dict.fromkeys(column) if cell) for column in columns)


def _checked(
    names: tuple[str, ...], rows: list[RawRow], following: list[RawRow], file_format: FileFormat
) -> tuple[str, ...]:
    line = rows[0].line
    empty = [index + 1 for index, name in enumerate(names) if not name.strip()]
    if empty:
        options = _instead_of_unnamed(empty, len(names), following, file_format)
        message = f"Column {empty[0]} of {len(names)} has no name; is this line the header?"
        raise FileRefused("EMPTY_HEADER", message, line=line, options=options)
    twice = sorted(name for name in set(names) if names.count(name) > 1) if len(set(names)) < len(names) else []
    if twice:
        message = f"The header names the column {twice[0]!r} twice."
        raise FileRefused("DUPLICATE_HEADER", message, line=line)
    return names


def _instead_of_unnamed(
    empty: list[int], width: int, following: list[RawRow], file_format: FileFormat
) -> dict[str, object]:
    """Return options for a header with unnamed columns: it ends with a delimiter, or is a title above the header."""
    if empty == [width] and width > 1 and not file_format.trailing_delimiter:
        return {"trailing_delimiter": True}
    full = [row.line for row in following if len(row.cells) == width and all(row.cells)]
    return {"skip_lines": full[0] - 1} if full and 2 * len(empty) > width else {}
