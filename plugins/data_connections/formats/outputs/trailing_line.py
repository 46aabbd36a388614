"""The trailer of a written file, read back: it has to say what the rows before it are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from data_connections.spec.trailer import Trailer, added


class TrailingLine:
    """Yields all lines of a file but the last, which is compared with what was counted of the others.

    Args:
        lines: Of the file, with their ends.
        trailer: What the last one has to look like.
        names: Of the columns, in the order of the rows.
    """

    def __init__(self, lines: Iterable[str], trailer: Trailer, names: Sequence[str]) -> None:
        self._lines = lines
        self._trailer = trailer
        self._places = {name: names.index(name) for name in trailer.columns}
        self._sums = dict.fromkeys(trailer.columns, Decimal(0))
        self._rows = 0
        self._last = ""

    def __iter__(self) -> Iterator[str]:
        lines = iter(self._lines)
        self._last = next(lines, "")
        for line in lines:
            yield self._last
            self._last = line

    def count(self, row: Sequence[str]) -> None:
        """Add a row to what the trailer has to say."""
        self._rows += 1
        for name, place in self._places.items():
            self._sums[name] = added(self._sums[name], Decimal(row[place] or 0))

    def compare(self) -> None:
        """Compare the trailer, once every row was counted.

        Raises:
            ValueError: It says something else, or is missing.
        """
        expected = self._trailer.filled(self._rows, self._sums)
        if self._last.rstrip("\r\n") != expected:
            raise ValueError(f"the last line is {self._last[:80]!r}, and not the trailer {expected!r}")
