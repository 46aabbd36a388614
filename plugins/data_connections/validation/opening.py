"""Opening a file as rows of a data type: read, and its items spread over rows of their own."""

from __future__ import annotations

from typing import BinaryIO

from data_connections.data_types import DataType
from data_connections.formats import TableReader, open_rows
from data_connections.formats.packed import MOST_BYTES
from data_connections.spec.file_format import FileFormat
from data_connections.spec.mapping import ColumnMapping
from data_connections.validation.indexed import spread_items
from data_connections.validation.packed import unpack_items


def open_table(
    source: BinaryIO,
    data_type: DataType,
    file_format: FileFormat,
    mapping: ColumnMapping,
    *,
    name: str,
    most: int = MOST_BYTES,
) -> TableReader:
    """Open a file whose rows are of a data type.

    Args:
        source: Its bytes; read once.
        data_type: What its rows are.
        file_format: How it is written.
        mapping: How its columns become those of the data type, its preset resolved.
        name: Its name, for messages.
        most: Bytes that a packed file may hold.

    Raises:
        FileRefused: The file cannot be read without guessing, or at all.
    """
    names = [column.name for column in data_type.columns]
    if data_type.indexed and file_format.repeated == "reject":
        file_format = file_format.model_copy(update={"repeated": "items"})
    reader = open_rows(source, file_format, name=name, default_names=names, most=most)
    return unpack_items(spread_items(reader, data_type), mapping)
