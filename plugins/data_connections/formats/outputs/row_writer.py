"""What every writer of rows does, whatever its format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence


class RowWriter(ABC):
    """Takes the rows of one file.

    Attributes:
        rows: How many it has taken, the header not counted.
    """

    def __init__(self) -> None:
        self.rows = 0

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Add some rows; their values are in the order of the columns, each of its column's type or None."""
        if rows:
            self._add(rows)
            self.rows += len(rows)

    @abstractmethod
    def _add(self, rows: Sequence[Sequence[object]]) -> None:
        """Write rows, at least one."""

    @abstractmethod
    def finish(self) -> None:
        """Write what follows the last row."""
