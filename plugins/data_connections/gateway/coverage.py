"""Which bytes of a file have gone over the line: requests come in any order, and some clients leave holes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

MOST_PIECES = 10_000


class Coverage:
    """Byte ranges that were touched, merged as they meet."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Note the bytes from ``start`` to before ``end``.

        Raises:
            ValueError: There are over 10,000 separate pieces; no honest client writes so.
        """
        if end <= start:
            return
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last], self._ends[first:last] = [start], [end]
        if len(self._starts) > MOST_PIECES:
            raise ValueError(f"over {MOST_PIECES} pieces")

    @property
    def end(self) -> int:
        """One past the last byte that was touched."""
        return self._ends[-1] if self._ends else 0

    def is_whole(self, size: int) -> bool:
        """Whether every byte of a file of ``size`` bytes was touched."""
        return size == 0 or (len(self._starts) == 1 and self._starts[0] == 0 and self._ends[0] >= size)
