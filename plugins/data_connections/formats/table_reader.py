"""What a reader of a file's rows gives, however the file is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from data_connections.formats.blocks import RowBlock
from data_connections.spec.file_format import FileFormat


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
