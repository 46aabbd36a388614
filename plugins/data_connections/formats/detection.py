"""What a file does not declare, found out where only one answer can be right and refused where it would be a guess."""

from __future__ import annotations

import re

from data_connections.errors import FileRefused
from data_connections.formats.dialect import Dialect
from data_connections.formats.strict import RawRow, read_rows
from data_connections.formats.window import Window
from data_connections.spec.file_format import FileFormat

CANDIDATES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_SAMPLE_BYTES = 256 * 1024
_SAMPLE_ROWS = 200
_QUOTE_BYTES = 32 * 1024


def detect_newline(window: Window, file_format: FileFormat) -> str:
    """Return lf or crlf, as the first row ends.

    Raises:
        FileRefused: BARE_CR.
    """
    quote = re.escape((file_format.quote if file_format.quote is not None else '"').encode())
    quoted = b"|%s[^%s]*+%s" % (quote, quote, quote) if quote else b""
    first_row = re.compile(b"(?:[^%s\r\n]++%s)*+" % (quote, quoted))
    while True:
        match = first_row.match(window.data, _after_comments(window.data, file_format))
        end = match.end() if match else 0
        found = window.data[end : end + 2]
        if found[:1] == b"\n":
            return "lf"
        if found == b"\r\n":
            return "crlf"
        if len(found) == 2 and found[:1] == b"\r":
            message = "The first row ends with a carriage return alone; declare it, if that is what ends a row."
            raise FileRefused("BARE_CR", message, line=window.line, options={"newline": "cr"})
        if window.ended or window.overfull:
            return "crlf" if b"\r\n" in window.data else "lf"
        window.more()


def _after_comments(data: bytes, file_format: FileFormat) -> int:
    comment, position = (file_format.comment or "").encode(), 0
    while comment and data.startswith(comment, position) and b"\n" in data[position:]:
        position = data.index(b"\n", position) + 1
    return position


def detect_delimiter(window: Window, file_format: FileFormat, newline: str) -> str:
    """Return the one delimiter among comma, semicolon, tab and pipe that can be right.

    Raises:
        FileRefused: DELIMITER_UNKNOWN or DELIMITER_AMBIGUOUS.
    """
    present = [sign for sign in CANDIDATES if _header_width(window, file_format, sign, newline) > 1]
    if not present:
        return _single_column(window, file_format, newline)
    if len(present) > 1:
        fitting = [sign for sign in present if _fits(window, file_format, sign, newline)]
        if len(fitting) != 1:
            raise _ambiguous(window.line, fitting or present)
        present = fitting
    _refuse_padded(window, file_format, present[0], newline)
    return present[0]


def _sample(
    window: Window,
    file_format: FileFormat,
    sign: str,
    newline: str,
    most: int = _SAMPLE_ROWS,
    size: int = _SAMPLE_BYTES,
) -> list[RawRow]:
    """Return the first rows as they read with ``sign``, as far as the file is not refused."""
    dialect = Dialect.of(file_format, sign, newline)
    rows: list[RawRow] = []
    try:
        complete = window.ended and len(window.data) <= size
        for row in read_rows(dialect, window.data[:size], window.line, ended=complete):
            if not row.comment:
                rows.append(row)
            if len(rows) == most:
                break
    except FileRefused:
        return []
    return rows


def _header_width(window: Window, file_format: FileFormat, sign: str, newline: str) -> int:
    """Return into how many cells ``sign`` cuts the first row, 2 at least where it is there but the row is broken."""
    rows = _sample(window, file_format, sign, newline, most=1)
    if rows and not rows[0].damaged:
        return len(rows[0].cells)
    return 1 + (sign.encode() in window.data[:_SAMPLE_BYTES].partition(b"\n")[0])


def _fits(window: Window, file_format: FileFormat, sign: str, newline: str) -> bool:
    rows = [row for row in _sample(window, file_format, sign, newline) if not row.blank]
    return len(rows) > 1 and all(len(row.cells) == len(rows[0].cells) and not row.damaged for row in rows)


def _single_column(window: Window, file_format: FileFormat, newline: str) -> str:
    """Return any delimiter for a file of one column, in which none of them occurs."""
    lines = window.data[:_SAMPLE_BYTES].split(b"\n")
    cut = [number for number, line in enumerate(lines) if any(sign.encode() in line for sign in CANDIDATES)]
    header = lines[0].decode(errors="replace").strip()
    if not cut and all(sign.isalnum() or sign in "_.-" for sign in header.strip('"')):
        return ","
    between = set(re.findall(r"[^\w\"'.-]+", header))
    sign = between.pop() if len(between) == 1 else ""
    if sign and _fits(window, file_format, sign, newline):
        options: dict[str, object] = {"delimiter": sign}
    else:
        options = {"skip_lines": file_format.skip_lines + cut[0]} if cut else {}
    message = "The first row has no comma, semicolon, tab or pipe; declare the delimiter"
    message += ", or how many lines stand before the table." if "skip_lines" in options else "."
    raise FileRefused("DELIMITER_UNKNOWN", message, line=window.line, options=options)


def _ambiguous(line: int, signs: list[str]) -> FileRefused:
    named = " and ".join(CANDIDATES[sign] for sign in signs)
    message = f"The delimiter cannot be told: {named} could each be it. Declare it."
    return FileRefused("DELIMITER_AMBIGUOUS", message, line=line, options={"delimiter": CANDIDATES[signs[0]]})


def _refuse_padded(window: Window, file_format: FileFormat, sign: str, newline: str) -> None:
    """Refuse a file in which a space follows every delimiter: it may be part of the delimiter or of the values."""
    header = window.data[:_SAMPLE_BYTES].partition(b"\n")[0].split(sign.encode())
    if not _all_padded([header]):
        return
    rows = [row.cells for row in _sample(window, file_format, sign, newline) if not row.damaged]
    if not rows or _all_padded(rows):
        message = f"A space follows every {CANDIDATES[sign]}: declare whether it belongs to the delimiter."
        raise FileRefused("DELIMITER_AMBIGUOUS", message, line=window.line, options={"delimiter": f"{sign} "})


def _all_padded(rows: list[list[bytes]]) -> bool:
    followers = [cell for cells in rows for cell in cells[1:]]
    return bool(followers) and all(cell.startswith(b" ") for cell in followers)


def needs_double_quotes(window: Window, file_format: FileFormat, dialect: Dialect, width: int) -> bool:
    """Whether one of the first rows has the header's width only because a cell in double quotes holds a delimiter.

    Then the double quote is the quote of the file, and an apostrophe is text.

    Args:
        window: Stands at the first row of data.
        file_format: What is declared.
        dialect: The dialect of the file.
        width: How many cells a row has.
    """
    rows = _sample(window, file_format, dialect.delimiter.decode(), dialect.newline, size=_QUOTE_BYTES)
    return any(
        row.quoted and not row.damaged and len(row.cells) == width <= row.text.count(dialect.delimiter) for row in rows
    )


def offer_escape(refused: FileRefused, window: Window, file_format: FileFormat, dialect: Dialect) -> None:
    """Add the escape to a refusal for broken quotes, where another one than doubling reads the next rows well."""
    if refused.code != "BROKEN_QUOTE" or file_format.escape is not None:
        return
    for name, escape in (("backslash", "\\"), ("none", "")):
        trial = file_format.model_copy(update={"escape": escape})
        if _fits(window, trial, dialect.delimiter.decode(), dialect.newline):
            refused.options["escape"] = name
            return
