"""Opening a file of rows: unpacked, its text decoded, its way of writing found out, its header read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from data_connections.errors import FileRefused
from data_connections.formats.decoding import codec_of, refuse_no_text, refuse_other_text, utf8_chunks
from data_connections.formats.delimited_reader import DelimitedReader
from data_connections.formats.detection import detect_delimiter, detect_newline, needs_double_quotes, offer_escape
from data_connections.formats.dialect import Dialect, line_end_of
from data_connections.formats.header import read_header
from data_connections.formats.packed import MOST_BYTES, is_packed, unpacked
from data_connections.formats.table_reader import TableReader
from data_connections.formats.trailer import TrailerReader
from data_connections.formats.window import Window
from data_connections.formats.xml_reader import is_xml, open_xml
from data_connections.spec.file_format import FileFormat
from data_connections.spec.trailer import Trailer

BLOCK_SIZE = 2 * 1024 * 1024
"""How many bytes are read at a time."""


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
    reader = DelimitedReader(window, dialect, header, file_format.model_copy(update=found))
    if file_format.trailer is None:
        return reader
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
