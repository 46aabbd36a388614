"""Opening a file of rows, and reading delimited text block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

import numpy as np
import pyarrow as pa

from data_connections.errors import FileRefused
from data_connections.formats.blocks import ROWS_A_BLOCK, BrokenRow, RowBlock, text_array
from data_connections.formats.columnar import Columns, read_columns, safe_end
from data_connections.formats.decoding import codec_of, refuse_no_text, refuse_other_text, utf8_chunks
from data_connections.formats.detection import detect_delimiter, detect_newline, needs_double_quotes, offer_escape
from data_connections.formats.dialect import Dialect, line_end_of
from data_connections.formats.header import Header, read_header
from data_connections.formats.packed import MOST_BYTES, is_packed, unpacked
from data_connections.formats.recovery import KnownRow
from data_connections.formats.rowcheck import RowChecker
from data_connections.formats.strict import read_rows, too_long
from data_connections.formats.window import Window
from data_connections.formats.xml_reader import is_xml, open_xml
from data_connections.spec.file_format import FileFormat
from data_connections.spec.trailer import Trailer

BLOCK_SIZE = 2 * 1024 * 1024
"""How many bytes are read at a time."""


class TableReader(Protocol):
    """The rows of a file, however it is written; made by ``open_rows``.

    Attributes:
        header: Names of the columns, in file order.
        file_format: The file format, with what was detected filled in.
        notes: What is to be said about the file beside its rows: code and sentence.
    """

    header: tuple[str, ...]
    file_format: FileFormat
    notes: tuple[tuple[str, str], ...]

    def blocks(self) -> Iterator[RowBlock]:
        """Yield the rows in file order, once.

        Raises:
            FileRefused: What shows only further on in the file; then none of its rows counts.
        """


class RowReader:
    """The rows of a delimited file; made by ``open_rows``.

    Attributes:
        header: Names of the columns, in file order.
        file_format: The file format, with what was detected filled in.
        notes: Nothing.
    """

    def __init__(self, window: Window, dialect: Dialect, header: Header, file_format: FileFormat) -> None:
        self.header = header.names
        self.file_format = file_format
        self.notes: tuple[tuple[str, str], ...] = ()
        self._window = window
        self._dialect = dialect
        self._width = len(header.names) + file_format.trailing_delimiter
        self._checker = RowChecker(header, file_format)
        self._known = KnownRow(header.text, self._width)

    def blocks(self) -> Iterator[RowBlock]:
        """Yield the rows in file order, once.

        Raises:
            FileRefused: What shows only further on in the file; then none of its rows counts.
        """
        window = self._window
        while window.data or not window.ended:
            try:
                block = self._fast_block() or self._strict_block()
            except FileRefused as refused:
                offer_escape(refused, window, self.file_format, self._dialect)
                raise
            if block is not None and block.rows:
                yield block

    def _fast_block(self) -> RowBlock | None:
        window, dialect = self._window, self._dialect
        end = safe_end(dialect, window.data) if dialect.plain else 0
        if not end:
            return None
        block = window.data[:end]
        columns = read_columns(dialect, block, self._width)
        if columns is None or not self._checker.accepts_columns(dialect, block, columns.cells):
            return None
        rows = self._block_of(columns, window.line)
        self._known = KnownRow(block[columns.last_row :], self._width)
        window.drop(end, columns.line_count)
        return rows

    def _block_of(self, columns: Columns, line: int) -> RowBlock:
        names = list(self.header)
        cells = columns.cells.select(range(len(names))).rename_columns(names)
        return RowBlock(columns.lines + line, cells, self._checker.blank_lines(0))

    def _strict_block(self) -> RowBlock | None:
        """Return the rows that the strict reader finds complete; None when it needed more text and has read on."""
        window, dialect, checker = self._window, self._dialect, self._checker
        lines: list[int] = []
        rows: list[list[bytes]] = []
        broken: list[BrokenRow] = []
        end, next_line, text = 0, window.line, b""
        for row in read_rows(dialect, window.data, window.line, ended=window.ended, known=self._known):
            end, next_line, text = row.end, row.next_line, row.text
            if checker.accepts(row, len(rows), broken):
                lines.append(row.line)
                rows.append(row.cells)
            if len(rows) + len(broken) >= ROWS_A_BLOCK:
                break
        if not end:
            self._read_on()
            return None
        self._known = KnownRow(text, self._width)
        window.drop(end, next_line - window.line)
        return RowBlock(np.array(lines, np.int64), self._table(rows), broken)

    def _read_on(self) -> None:
        if self._window.overfull:
            raise too_long(self._dialect, self._window.data, self._window.line)
        self._window.more()

    def _table(self, rows: list[list[bytes]]) -> pa.Table:
        columns = zip(*rows, strict=True) if rows else ((),) * len(self.header)
        return pa.Table.from_arrays([text_array(column) for column in columns], names=list(self.header))


def open_rows(
    source: BinaryIO,
    file_format: FileFormat,
    *,
    name: str,
    default_names: Sequence[str] | None = None,
    block_size: int = BLOCK_SIZE,
    most: int = MOST_BYTES,
) -> TableReader:
    """Open a file of rows: unpack it where it is packed, find out how it is written, and read its header.

    Args:
        source: Its bytes; read once, from where it stands.
        file_format: What is declared about it.
        name: Its name, for messages.
        default_names: Names of the columns for a file without a header, where ``file_format`` gives none, and for
            an XML file without a row.
        block_size: How many bytes to read at a time.
        most: Bytes that a packed file may hold.

    Raises:
        FileRefused: The file cannot be read without guessing, or at all.
    """
    head = _read_fully(source, max(block_size, 64))
    if is_packed(head):
        source = unpacked(head, source, name, most=most)
        head = _read_fully(source, max(block_size, 64))
        if is_packed(head):
            raise FileRefused("PACKED_TWICE", f"{name} is packed twice. Pack it once, or not at all.")
    refuse_no_text(head)
    if is_xml(head, file_format, name):
        return open_xml(source, head, file_format, default_names, block_size)
    refuse_other_text(head, preamble=file_format.skip_lines > 0 or file_format.comment is not None)
    codec, mark = codec_of(head, file_format.encoding)
    if mark and file_format.byte_order_mark == "refuse":
        raise FileRefused(
            "BOM_REFUSED",
            f"{name} begins with a byte order mark. Save it without one.",
            line=1,
            options={"byte_order_mark": "allow"},
        )
    chunks = utf8_chunks(source, codec, head[mark:], block_size)
    footer = max(file_format.skip_footer, file_format.trailer is not None)
    window = Window(chunks, line_end_of(file_format.newline), footer)
    window.more()
    window.skip_lines(file_format.skip_lines)
    _refuse_blank(window, file_format, name)
    newline = file_format.newline or detect_newline(window, file_format)
    delimiter = file_format.delimiter or detect_delimiter(window, file_format, newline)
    dialect = Dialect.of(file_format, delimiter, newline)
    try:
        header = read_header(window, dialect, file_format, default_names)
    except FileRefused as refused:
        offer_escape(refused, window, file_format, dialect)
        raise
    found = {"encoding": codec, "delimiter": delimiter, "newline": newline}
    width = len(header.names) + file_format.trailing_delimiter
    if file_format.quote is None and needs_double_quotes(window, file_format, dialect, width):
        found["quote"] = '"'
    reader = RowReader(window, dialect, header, file_format.model_copy(update=found))
    if file_format.trailer is None:
        return reader
    from data_connections.formats.trailer import TrailerReader

    return TrailerReader(reader, window, Trailer(file_format.trailer))


def _read_fully(source: BinaryIO, size: int) -> bytes:
    head = b""
    while len(head) < size and (part := source.read(size - len(head))):
        head += part
    return head


def _refuse_blank(window: Window, file_format: FileFormat, name: str) -> None:
    while not window.data.strip(b"\r\n") and not window.ended and not window.overfull:
        window.more()
    text = window.data.lstrip(b"\r\n")
    if not text:
        raise FileRefused("EMPTY_FILE", f"{name} holds no row, not even a header.", line=window.line)
    blank = window.data[: len(window.data) - len(text)].count(b"\n")
    if blank and file_format.header and file_format.newline in (None, "lf", "crlf", "any"):
        message = "A blank line stands where the header should be; declare how many lines come before the table."
        raise FileRefused(
            "NO_HEADER", message, line=window.line, options={"skip_lines": file_format.skip_lines + blank}
        )
