"""Rows to RFC 4180 text in UTF-8, whole Arrow columns at a time, values exactly as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

ROW_END = "\r\n"


def encode_rows(columns: Sequence[pa.ChunkedArray | pa.Array], delimiter: str = ",") -> bytes:
    """Return rows of text columns as delimited text.

    Quoted is what has to be, and what a cautious reader would ask about: cells that begin with an apostrophe, begin or
    end with white space, or are the only one of their row and empty.

    Args:
        columns: Columns of ``pa.string``, of equal length; null is written as an empty cell.
        delimiter: One character.
    """
    texts = [_quoted(pc.fill_null(column, ""), delimiter, alone=len(columns) == 1) for column in columns]
    texts[-1] = pc.binary_join_element_wise(texts[-1], ROW_END, "")
    rows = pc.binary_join_element_wise(*texts, delimiter) if len(texts) > 1 else texts[0]
    chunks = rows.chunks if isinstance(rows, pa.ChunkedArray) else [rows]
    return b"".join(_bytes(chunk) for chunk in chunks if len(chunk))


class CsvWriter:
    """Writes RFC 4180 text: comma, double quotes, CR LF, UTF-8 without a byte order mark.

    Args:
        target: Where the bytes go.
        header: Names of the columns; written at once.
    """

    def __init__(self, target: BinaryIO, header: Sequence[str]) -> None:
        self.rows = 0
        self._target = target
        self._width = len(header)
        target.write(encode_rows([pa.array([name]) for name in header]))

    def write(self, table: pa.Table) -> None:
        """Write the rows of a table of ``pa.string`` columns, in the order of the header."""
        if table.num_columns != self._width:
            message = f"a table of {table.num_columns} columns does not fit a header of {self._width}"
            raise ValueError(message)
        if table.num_rows:
            self._target.write(encode_rows(table.columns))
        self.rows += table.num_rows


def write_csv(target: BinaryIO, header: Sequence[str], tables: Iterable[pa.Table]) -> int:
    """Write tables of ``pa.string`` columns as one RFC 4180 file.

    Args:
        target: Where the bytes go.
        header: Names of the columns.
        tables: The rows, block by block.

    Returns:
        How many rows were written, the header not counted.
    """
    writer = CsvWriter(target, header)
    for table in tables:
        writer.write(table)
    return writer.rows


def _quoted(column: pa.ChunkedArray | pa.Array, delimiter: str, *, alone: bool) -> pa.ChunkedArray | pa.Array:
    pattern = rf"""["\r\n,;|\t{re.escape(delimiter)}]|^['\s\x{{FEFF}}]|\s$""" + ("|^$" if alone else "")
    needed = pc.match_substring_regex(column, pattern)
    if not pc.any(needed).as_py():
        return column
    doubled = pc.replace_substring(column, '"', '""')
    return pc.if_else(needed, pc.binary_join_element_wise('"', doubled, '"', ""), column)


def _bytes(array: pa.Array) -> bytes:
    """Return the values of a text array one after another, as Arrow keeps them."""
    large = pa.types.is_large_string(array.type)
    offsets = memoryview(array.buffers()[1]).cast("q" if large else "i")
    first, last = offsets[array.offset], offsets[array.offset + len(array)]
    return bytes(memoryview(array.buffers()[2])[first:last])
