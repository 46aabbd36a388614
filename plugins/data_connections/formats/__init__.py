"""Delimited text, XML and more: bytes to rows, and rows to bytes."""

from data_connections.formats.blocks import BrokenRow, RowBlock
from data_connections.formats.csv_writer import CsvWriter, encode_rows, write_csv
from data_connections.formats.opening import open_rows
from data_connections.formats.table_reader import TableReader

__all__ = ["BrokenRow", "CsvWriter", "RowBlock", "TableReader", "encode_rows", "open_rows", "write_csv"]
