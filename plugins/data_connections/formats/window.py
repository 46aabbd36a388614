"""The part of a file that is in memory: text from a row start on, which grows and is dropped row by row."""

from __future__ import annotations

from collections.abc import Iterator

from data_connections.errors import FileRefused
from data_connections.formats.blocks import ROW_LIMIT

_MOST = 2 * ROW_LIMIT + 1024 * 1024


class Window:
    """Text of a file from a row start on.

    Args:
        chunks: The text, as UTF-8.
        line_end: What a physical line ends with.
        skip_footer: How many lines at the end are left out.

    Attributes:
        footer: Those lines, once all was read.
    """

    def __init__(self, chunks: Iterator[bytes], line_end: bytes, skip_footer: int = 0) -> None:
        self.data = b""
        self.line = 1
        self.ended = False
        self._chunks = chunks
        self._line_end = line_end
        self._skip_footer = skip_footer
        self._held = b""
        self.footer = b""

    @property
    def overfull(self) -> bool:
        """Whether more text would only prove what is known: this row is too long."""
        return len(self.data) > _MOST

    def more(self) -> None:
        """Read on; at least as much as there is already, so that rereading a long row stays cheap."""
        wanted, parts = len(self.data), [self.data]
        while wanted >= 0 and not self.ended:
            part = self._next()
            parts.append(part)
            wanted -= max(len(part), 1)
        self.data = b"".join(parts)

    def drop(self, length: int, lines: int) -> None:
        """Leave behind ``length`` bytes that held ``lines`` physical lines."""
        self.data = self.data[length:]
        self.line += lines

    def skip_lines(self, count: int) -> None:
        """Leave behind the first ``count`` physical lines.

        Raises:
            FileRefused: TOO_FEW_LINES.
        """
        for _ in range(count):
            while (end := self.data.find(self._line_end)) < 0 and not self.ended and not self.overfull:
                self.more()
            if end < 0:
                message = f"The file has fewer lines than the {count} that skip_lines leaves out before the table."
                raise FileRefused("TOO_FEW_LINES", message, line=self.line)
            self.drop(end + len(self._line_end), 1)

    def _next(self) -> bytes:
        chunk = next(self._chunks, b"")
        self.ended = not chunk
        if not self._skip_footer:
            return chunk
        text = self._held + chunk
        end = len(text.rstrip(b"\r\n" + self._line_end))
        for _ in range(self._skip_footer):
            end = max(text.rfind(self._line_end, 0, max(end, 0)), -1)
        cut = end + len(self._line_end) if end >= 0 else 0
        self._held = b"" if self.ended else text[cut:]
        self.footer = text[cut:]
        return text[:cut]
