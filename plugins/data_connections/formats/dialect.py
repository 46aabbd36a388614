"""The grammar of one dialect of delimited text, as regular expressions over UTF-8."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from data_connections.spec.file_format import FileFormat

_APOSTROPHES = re.compile(rb"'.*'", re.DOTALL)
_ROW_ENDS = {"lf": rb"\n", "crlf": rb"\r\n", "any": rb"\r?\n", "cr": rb"\r"}
_ROW_END_BYTES = {"lf": b"\n", "crlf": b"\r\n", "any": b"\n", "cr": b"\r"}


def line_end_of(newline: str | None) -> bytes:
    """Return what a physical line ends with, for counting lines, in files whose rows end with ``newline``."""
    if newline in (None, "lf", "crlf", "any"):
        return b"\n"
    return _ROW_END_BYTES.get(newline) or (b"\n" if "\n" in newline else newline.encode())


def _any_but(signs: list[bytes], *allowed: bytes) -> bytes:
    """Return a pattern of any text in which none of ``signs`` begins, except in what ``allowed`` matches."""
    firsts = sorted({sign[:1] for sign in signs})
    plain = b"[^" + b"".join(map(re.escape, firsts)) + b"]*+"
    patterns = list(allowed)
    for first in firsts:
        rests = [sign[1:] for sign in signs if sign[:1] == first]
        if all(rests):
            patterns.append(re.escape(first) + b"(?!" + b"|".join(map(re.escape, rests)) + b")")
    return plain + (b"(?:(?:%s)%s)*+" % (b"|".join(patterns), plain) if patterns else b"")


@dataclass(frozen=True)
class Dialect:
    """One dialect, with nothing left to detect.

    Args:
        delimiter: Between two cells.
        quote: Around a cell; empty where there are no quotes.
        escape: The character that takes the meaning of the next; empty where there is none.
        doubled: Whether a quote inside a quoted cell is written twice.
        stray_text: Whether a quote that neither opens nor closes its cell is text.
        newline: lf, crlf, any, cr, or the record separator.
        comment: What a row that is no part of the table begins with; empty where there are none.
    """

    delimiter: bytes
    quote: bytes
    escape: bytes
    doubled: bool
    stray_text: bool
    newline: str
    comment: bytes = b""

    @classmethod
    def of(cls, file_format: FileFormat, delimiter: str, newline: str) -> Dialect:
        """Return the dialect of ``file_format`` with what was detected."""
        quote = '"' if file_format.quote is None else file_format.quote
        escape = quote if file_format.escape in (None, "doubled") else file_format.escape
        stray = file_format.stray_quotes or ("text" if quote == "'" or not escape else "refuse")
        return cls(
            delimiter=delimiter.encode(),
            quote=quote.encode(),
            escape=b"" if escape == quote else escape.encode(),
            doubled=bool(quote) and escape == quote,
            stray_text=stray == "text",
            newline=newline,
            comment=(file_format.comment or "").encode(),
        )

    @cached_property
    def row_end_bytes(self) -> bytes:
        """The row end to put after a last row that has none."""
        return _ROW_END_BYTES.get(self.newline) or self.newline.encode()

    @cached_property
    def line_end(self) -> bytes:
        """What a physical line ends with."""
        return line_end_of(self.newline)

    @cached_property
    def plain(self) -> bool:
        """Whether pyarrow and the column-wise check know this dialect."""
        single = len(self.delimiter) == 1 and len(self.quote) <= 1 and not self.escape
        escaped = self.doubled and not self.stray_text
        return single and (escaped or not self.quote) and self.newline in ("lf", "crlf", "any")

    @cached_property
    def look_ahead(self) -> int:
        """How many bytes after a cell tell what it is followed by."""
        return max(len(self.delimiter), len(self.row_end_bytes), 2)

    @cached_property
    def row_end(self) -> re.Pattern[bytes]:
        """Matches the end of a row."""
        return re.compile(self._row_end)

    @cached_property
    def cell(self) -> re.Pattern[bytes]:
        """Matches one cell; the group ``quoted`` is what stands between its quotes."""
        quoted = b"%s(?P<quoted>%s)%s|" % (self._quote, self._inside, self._quote) if self.quote else b""
        return re.compile(quoted + self._unquoted, re.DOTALL)

    @cached_property
    def rest_of_quoted(self) -> re.Pattern[bytes]:
        """Matches from somewhere inside a quoted cell to the quote that closes it."""
        return re.compile(self._inside + self._quote, re.DOTALL)

    @cached_property
    def row(self) -> re.Pattern[bytes]:
        """Matches one whole, undamaged row with its end."""
        cell = b"(?:%s)" % self.cell.pattern.replace(b"?P<quoted>", b"?:")
        return re.compile(self.whole_cells.pattern + cell + self._row_end, re.DOTALL)

    @cached_property
    def whole_cells(self) -> re.Pattern[bytes]:
        """Matches cells from a row start on, each with the delimiter after it."""
        cell = b"(?:%s)" % self.cell.pattern.replace(b"?P<quoted>", b"?:")
        return re.compile(b"(?:%s%s)*+" % (cell, re.escape(self.delimiter)), re.DOTALL)

    def value(self, match: re.Match[bytes]) -> bytes:
        """Return what a match of ``cell`` says, without quotes and escapes."""
        quoted = match["quoted"] if self.quote else None
        return self._unquoted_value(match[0]) if quoted is None else self._quoted_value(quoted)

    def values(self, row: bytes) -> list[bytes]:
        """Return the cells of a text that ``row`` or ``whole_cells`` matches."""
        if not self.quote:
            return [self._unquoted_value(bare) for bare in self._ended_cell.findall(row)]
        return [
            self._quoted_value(quoted) if quoted else self._unquoted_value(bare)
            for quoted, bare in self._ended_cell.findall(row)
        ]

    def has_apostrophes(self, row: bytes) -> bool:
        """Whether a whole cell without quotes stands in apostrophes, in a text that ``row`` matches."""
        if not row.startswith(b"'") and self.delimiter + b"'" not in row:
            return False
        bare = (found[1] if self.quote else found for found in self._ended_cell.findall(row))
        return any(_APOSTROPHES.fullmatch(cell) for cell in bare)

    def _unquoted_value(self, text: bytes) -> bytes:
        return self._unescape.sub(rb"\1", text) if self.escape else text

    def _quoted_value(self, text: bytes) -> bytes:
        if self.doubled:
            return text.replace(self.quote * 2, self.quote)
        return self._unescape_quoted.sub(rb"\1", text) if self.escape else text

    @cached_property
    def _ended_cell(self) -> re.Pattern[bytes]:
        quoted = b"%s(%s)%s|" % (self._quote, self._inside, self._quote) if self.quote else b""
        ends = b"(?:%s|%s)" % (re.escape(self.delimiter), self._row_end)
        return re.compile(b"(?:%s(%s))%s" % (quoted, self._unquoted, ends), re.DOTALL)

    @cached_property
    def _quote(self) -> bytes:
        return re.escape(self.quote)

    @cached_property
    def _row_end(self) -> bytes:
        return _ROW_ENDS.get(self.newline) or re.escape(self.newline.encode())

    @cached_property
    def _breaks(self) -> list[bytes]:
        return [b"\r", b"\n"] if self.newline in _ROW_ENDS else [self.newline.encode()]

    @cached_property
    def _escapable(self) -> bytes:
        """What the escape protects outside quotes; a line end only where no quotes could."""
        signs = [self.delimiter, self.escape, self.quote]
        if not self.quote:
            signs += [b"\r\n"] * (self.newline in ("crlf", "any")) + self._breaks
        return b"|".join(re.escape(sign) for sign in signs if sign)

    @cached_property
    def _unquoted(self) -> bytes:
        signs = [self.delimiter, *self._breaks]
        if self.quote and not self.stray_text:
            signs.append(self.quote)
        ahead = b"(?!%s)" % self._quote if self.quote else b""
        if not self.escape:
            return ahead + _any_but(signs)
        escape = re.escape(self.escape)
        return ahead + _any_but([*signs, self.escape], b"%s(?:%s)" % (escape, self._escapable), escape)

    @cached_property
    def _inside(self) -> bytes:
        allowed = [b"(?:%s)++" % (self._quote * 2)] if self.doubled else []
        if self.escape:
            escape = re.escape(self.escape)
            allowed += [b"%s(?:%s|%s)" % (escape, self._quote, escape), escape]
        if self.stray_text:
            allowed.append(b"%s(?!%s|%s)" % (self._quote, re.escape(self.delimiter), self._row_end))
        return _any_but([sign for sign in (self.quote, self.escape) if sign], *allowed)

    @cached_property
    def _unescape(self) -> re.Pattern[bytes]:
        return re.compile(b"%s(%s)" % (re.escape(self.escape), self._escapable))

    @cached_property
    def _unescape_quoted(self) -> re.Pattern[bytes]:
        return re.compile(b"%s(%s|%s)" % (re.escape(self.escape), self._quote, re.escape(self.escape)))
