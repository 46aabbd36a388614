"""Rows to the files that go out, in each format, and those files back to rows for their recount."""

from data_connections.formats.outputs.column import ColumnType, OutputColumn
from data_connections.formats.outputs.reading import Unreadable, read_back
from data_connections.formats.outputs.row_writer import RowWriter
from data_connections.formats.outputs.writing import open_writer

__all__ = ["ColumnType", "OutputColumn", "RowWriter", "Unreadable", "open_writer", "read_back"]
