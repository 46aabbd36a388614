"""Opens a writer for any format: compression outside, rows inside, nothing kept in memory."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast

import pyarrow as pa

from data_connections.errors import ConfigurationError
from data_connections.formats.outputs.column import OutputColumn
from data_connections.formats.outputs.row_writer import RowWriter
from data_connections.spec.output_format import DELIMITERS, OutputFormat

_GZIP_LEVEL = 6
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ZIP_UNIX = 3
_ZIP_MODE = 0o100644 << 16


class _Sink(io.RawIOBase):
    """Passes bytes on; it never seeks, so that the bytes do not depend on whether the target can."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, block: object, /) -> int:
        view = memoryview(block).cast("B")  # type: ignore[arg-type]
        self._target.write(view)
        self._written += len(view)
        return len(view)

    def tell(self) -> int:
        return self._written


@contextmanager
def open_writer(
    target: BinaryIO, output: OutputFormat, columns: Sequence[OutputColumn], *, name: str
) -> Iterator[RowWriter]:
    """Hand out what writes rows to ``target``; the file is whole at the end of the block.

    Args:
        target: Where the bytes go; only ``write`` is called.
        output: Type, compression and the rest.
        columns: Of the file, in order.
        name: Of the report: what the rows are of, and what the file in a zip is called.

    Raises:
        ConfigurationError: A value that the format cannot hold, or a zip over 2 GiB.
    """
    with _compressed(target, output, name) as sink:
        writer = _writer(sink, output, columns, name)
        yield writer
        writer.finish()


def _writer(sink: BinaryIO, output: OutputFormat, columns: Sequence[OutputColumn], name: str) -> RowWriter:
    if output.type in DELIMITERS:
        from data_connections.formats.outputs.delimited import DelimitedWriter

        return DelimitedWriter(sink, output, columns)
    if output.type == "xml":
        from data_connections.formats.outputs.xml_rows import XmlWriter

        return XmlWriter(sink, output, columns, name)
    if output.type == "json_lines":
        from data_connections.formats.outputs.json_lines import JsonLinesWriter

        return JsonLinesWriter(sink, output, columns)
    from data_connections.formats.outputs.parquet import ParquetRowWriter

    return ParquetRowWriter(sink, output, columns)


@contextmanager
def _compressed(target: BinaryIO, output: OutputFormat, name: str) -> Iterator[BinaryIO]:
    sink = cast("BinaryIO", _Sink(target))
    if output.compression == "none":
        yield sink
    elif output.compression == "gzip":
        with gzip.GzipFile(filename="", mode="wb", fileobj=sink, compresslevel=_GZIP_LEVEL, mtime=0) as packed:
            yield cast("BinaryIO", packed)
    elif output.compression == "zstd":
        with pa.CompressedOutputStream(pa.PythonFile(sink, mode="w"), "zstd") as packed:
            yield cast("BinaryIO", packed)
    else:
        with _zip_entry(sink, name + output.extension) as packed:
            yield packed


@contextmanager
def _zip_entry(sink: BinaryIO, name: str) -> Iterator[BinaryIO]:
    entry = zipfile.ZipInfo(name, _ZIP_TIME)
    entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, _ZIP_UNIX, _ZIP_MODE
    try:
        with zipfile.ZipFile(sink, "w") as archive, archive.open(entry, "w") as packed:
            yield cast("BinaryIO", packed)
    except RuntimeError as too_large:
        if "ZIP64" not in str(too_large) and "too large" not in str(too_large):
            raise
        raise ConfigurationError(
            "The file would have over 2 GiB in its zip, more than many programs can read. Use gzip, or "
            "packaging.rows_per_file.",
            field="format.compression",
        ) from too_large
