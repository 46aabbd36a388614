"""What a reader hands out: blocks of rows as Arrow columns, and the rows that are broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

ROW_LIMIT = 8 * 1024 * 1024
"""The longest row in bytes of UTF-8; a longer one is a file without row ends, or an unclosed quote."""

ROWS_A_BLOCK = 65_536
"""How many rows the strict reader puts into one block at most, so that memory stays bounded for tiny rows."""


@dataclass(frozen=True)
class BrokenRow:
    """A row that cannot be one of the table, although where it begins and ends is certain.

    Args:
        line: 1-based physical line on which it starts.
        cells: Its cells as far as they can be read; after a broken quote the last one is the raw rest.
        code: CELL_COUNT, BROKEN_QUOTE or BLANK_LINE.
        message: What is wrong, as a sentence.
        before: Index in ``RowBlock.lines`` of the well-formed row that it stands before.
    """

    line: int
    cells: tuple[str, ...]
    code: str
    message: str
    before: int


@dataclass(frozen=True)
class RowBlock:
    """Consecutive rows of a file.

    Args:
        lines: 1-based physical line on which each well-formed row starts, ``int64``.
        cells: The well-formed rows: one ``pa.string`` column for each cell of the header, in file order, the values
            exactly as written; an empty cell is ``""``, never null.
        broken: The broken rows between them.
    """

    lines: npt.NDArray[np.int64]
    cells: pa.Table
    broken: list[BrokenRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows the block holds, broken ones too."""
        return len(self.lines) + len(self.broken)


def text_array(values: Sequence[bytes]) -> pa.StringArray:
    """Return UTF-8 texts as an Arrow column; made from buffers because ``pa.array`` imports pandas, which is slow."""
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(b"".join(values)))
