"""Opening an XML file as rows: streamed through a safe parser, its columns known before its rows are read."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from data_connections.errors import FileRefused
from data_connections.formats.blocks import RowBlock
from data_connections.formats.decoding import codec_of, utf8_chunks
from data_connections.formats.xml_rows import XmlRows
from data_connections.formats.xml_shape import RowShape, row_shape
from data_connections.formats.xml_spool import XmlSpool
from data_connections.spec.file_format import FileFormat

_SURVEYED = 1024 * 1024
_ROWS_AT_ONCE = 16_384
_SIZE_AT_ONCE = 1024 * 1024
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DELIMITED_ONLY = (
    "delimiter",
    "quote",
    "names",
    "comment",
    "skip_lines",
    "header_rows",
    "header",
    "trailing_delimiter",
)


class XmlReader:
    """The rows of an XML file; made by ``open_xml``.

    Attributes:
        header: Names of the columns, in order of appearance: elements, with ``/`` between those inside each other,
            and attributes after ``@``.
        file_format: The file format, with what was detected filled in.
        notes: What is to be said about the file beside its rows: code and sentence.
    """

    def __init__(self, spool: XmlSpool, file_format: FileFormat, header: Sequence[str], outside: Sequence[str]) -> None:
        self.header = tuple(header)
        self.file_format = file_format
        self.notes = tuple(_notes(spool, outside))
        self._spool = spool

    def blocks(self) -> Iterator[RowBlock]:
        """Yield the rows in file order, once."""
        return self._spool.read()


def is_xml(head: bytes, file_format: FileFormat, name: str) -> bool:
    """Return whether a file is to be read as XML: declared, or by its beginning and name."""
    if file_format.kind is not None:
        return file_format.kind == "xml"
    if any(getattr(file_format, key) != FileFormat.model_fields[key].default for key in _DELIMITED_ONLY):
        return False
    start = _beginning(head)
    return start.startswith("<?xml") or (start.startswith("<") and name.lower().endswith(".xml"))


def open_xml(
    source: BinaryIO, head: bytes, file_format: FileFormat, default_names: Sequence[str] | None, block_size: int
) -> XmlReader:
    """Open an XML file: check all of it, and set its rows aside on disk until its columns are known.

    Args:
        source: Its bytes after ``head``; read once.
        head: Its first bytes.
        file_format: What is declared about it.
        default_names: Names of the columns of a file without a row; what holds one of them has the row's items in it.
        block_size: How many bytes to read at a time.

    Raises:
        FileRefused: The file is unsafe, malformed, or it would be a guess what its rows are.
    """
    encoding = file_format.encoding or _declared_encoding(head)
    codec, mark = codec_of(head, encoding)
    chunks = utf8_chunks(source, codec, head[mark:], block_size)
    beginning, whole = _first(chunks)
    names = (default_names or ()) if file_format.repeated == "items" else ()
    shape = row_shape(beginning, file_format.row, whole=whole, names=names)
    rows = XmlRows(shape or RowShape(("",), certain=True), repeated=file_format.repeated)
    spool = XmlSpool()
    for data in chain([beginning], chunks):
        rows.parse(data, final=False)
        if len(rows.rows) >= _ROWS_AT_ONCE or rows.size >= _SIZE_AT_ONCE:
            spool.add(rows.take())
    rows.parse(b"", final=True)
    if rows.rows:
        spool.add(rows.take())
    found = {"kind": "xml", "encoding": codec, "row": "/".join(shape.path) if shape else None}
    header = spool.names or default_names or ()
    return XmlReader(spool, file_format.model_copy(update=found), tuple(header), tuple(rows.outside))


def _first(chunks: Iterator[bytes]) -> tuple[bytes, bool]:
    """Return the beginning of the file, long enough to see its shape, and whether it is all of it."""
    parts, size = [], 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= _SURVEYED:
            return b"".join(parts), False
    return b"".join(parts), True


def _beginning(head: bytes) -> str:
    wide = head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return head[:256].decode("utf-16" if wide else "utf-8", errors="replace").lstrip("\ufeff \t\r\n")


def _declared_encoding(head: bytes) -> str | None:
    declared = _DECLARED.match(head.removeprefix(codecs.BOM_UTF8))
    if declared is None:
        return None
    name = declared[1].decode()
    try:
        "".encode(name)
    except LookupError:
        message = f"The XML declaration names the encoding {name}, which is none."
        raise FileRefused("INVALID_ENCODING", message, line=1) from None
    return name


def _notes(spool: XmlSpool, outside: Sequence[str]) -> Iterator[tuple[str, str]]:
    if spool.lines_shared:
        yield "ROWS_SHARE_LINES", "Several rows stand on one line: where a line is named, it is the row's number."
    if outside:
        yield "XML_OUTSIDE_ROWS", f"Passed over, because it stands outside the rows: {', '.join(outside)}."
