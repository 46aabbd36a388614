"""Reads a written file back from its bytes, row by row, in bounded memory: for the recount before it is sent."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, BinaryIO, cast
from xml.etree import ElementTree

import pyarrow as pa

from data_connections.formats.formula_guard import guarded
from data_connections.formats.outputs.column import OutputColumn
from data_connections.formats.outputs.trailing_line import TrailingLine
from data_connections.formats.outputs.xml_rows import ROOT, ROW
from data_connections.spec.output_format import DELIMITERS, OutputFormat
from data_connections.spec.trailer import Trailer

_BLOCK = 1024 * 1024
_BROKEN = (csv.Error, zipfile.BadZipFile, zlib.error, EOFError, OSError, ElementTree.ParseError, ValueError)


class Unreadable(Exception):
    """A file is not what the writer of its format makes of these columns."""


def read_back(source: BinaryIO, output: OutputFormat, columns: Sequence[OutputColumn]) -> Iterator[Sequence[Any]]:
    """Yield the values of each row in the order of the columns, as the file has them.

    Numbers of delimited text and XML are their text; what the file has not is None, or an empty cell.

    Args:
        source: The file, from its beginning; it can be sought in.
        output: How it was written.
        columns: What it has to hold.

    Raises:
        Unreadable: It is broken, cut short, or not a file of these columns.
    """
    try:
        with _unpacked(source, output) as content:
            yield from _rows(content, output, columns)
    except _BROKEN as broken:
        raise Unreadable(str(broken) or type(broken).__name__) from broken


@contextmanager
def _unpacked(source: BinaryIO, output: OutputFormat) -> Iterator[BinaryIO]:
    if output.compression == "gzip":
        with gzip.GzipFile(fileobj=source, mode="rb") as packed:
            yield cast("BinaryIO", packed)
    elif output.compression == "zstd":
        with pa.CompressedInputStream(pa.PythonFile(source, mode="r"), "zstd") as packed:
            yield cast("BinaryIO", packed)
    elif output.compression == "zip":
        with zipfile.ZipFile(source) as archive:
            (entry,) = archive.infolist()
            with archive.open(entry) as packed:
                yield cast("BinaryIO", packed)
    else:
        yield source


def _rows(content: BinaryIO, output: OutputFormat, columns: Sequence[OutputColumn]) -> Iterator[Sequence[Any]]:
    names = [column.name for column in columns]
    if output.type in DELIMITERS:
        return _delimited(content, output, names)
    if output.type == "xml":
        return _xml(content, names)
    if output.type == "json_lines":
        return _json_lines(content, names)
    return _parquet(content, output, columns)


def _delimited(content: BinaryIO, output: OutputFormat, names: Sequence[str]) -> Iterator[Sequence[str]]:
    buffered = io.BufferedReader(cast("io.RawIOBase", _Blocks(content)), _BLOCK)
    text = io.TextIOWrapper(buffered, encoding=output.encoding, newline="")
    trailer = TrailingLine(text, Trailer(output.trailer), names) if output.trailer else None
    rows = csv.reader(trailer or text, delimiter=DELIMITERS[output.type], strict=True)
    if output.header and next(rows, []) != [guarded(name) for name in names]:
        raise ValueError("the header is not the report's")
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"line {rows.line_num} has {len(row)} cells, not {len(names)}")
        if trailer:
            trailer.count(row)
        yield row
    if trailer:
        trailer.compare()


class _Blocks(io.RawIOBase):
    """Hands the bytes of a file on, whatever kind of file it is; closing it leaves the file open."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        block = self._source.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _xml(content: BinaryIO, names: Sequence[str]) -> Iterator[Sequence[str | None]]:
    root = None
    # The file is one that we wrote, and its hash was compared: no foreign XML is parsed here.
    for event, element in ElementTree.iterparse(content, ("start", "end")):  # noqa: S314 - see above
        if root is None:
            root = element
            if root.tag != ROOT:
                raise ValueError(f"the root element is {root.tag}, not {ROOT}")
        elif event == "end" and element.tag == ROW:
            yield _cells_of(element, names)
            root.clear()
    if root is None:
        raise ValueError("it has no root element")


def _cells_of(row: ElementTree.Element, names: Sequence[str]) -> list[str | None]:
    found = {cell.tag: cell.text or "" for cell in row}
    if len(found) < len(row) or [name for name in names if name in found] != list(found):
        raise ValueError(f"a row has the elements {', '.join(cell.tag for cell in row)}")
    return [found.get(name) for name in names]


def _json_lines(content: BinaryIO, names: Sequence[str]) -> Iterator[list[Any]]:
    for line in io.BufferedReader(cast("io.RawIOBase", _Blocks(content)), _BLOCK):
        if not line.endswith(b"\n"):
            raise ValueError("the last line has no end")
        row = json.loads(line, parse_float=Decimal)
        if list(row) != list(names):
            raise ValueError(f"a line has the keys {', '.join(row)}")
        yield list(row.values())


def _parquet(content: BinaryIO, output: OutputFormat, columns: Sequence[OutputColumn]) -> Iterator[Sequence[Any]]:
    import pyarrow.parquet as pq

    from data_connections.formats.outputs.parquet import schema_of

    with pq.ParquetFile(pa.PythonFile(content, mode="r")) as file:
        expected = schema_of(columns, output.time_zone)
        if not file.schema_arrow.remove_metadata().equals(expected):
            raise ValueError(f"its columns are {file.schema_arrow}")
        for batch in file.iter_batches(batch_size=10_000):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
