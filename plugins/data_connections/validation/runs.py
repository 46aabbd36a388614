"""Runs: which consecutive rows of a file are lines of one group, broken lines among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data_connections.validation.lexical import as_mask
from data_connections.validation.outcomes import Mask
from data_connections.validation.rows import CheckedRows

LONGEST_GAP = 1000
"""So many rows with unreliable keys may stand between two lines of one group; more of them part it."""

Runs = npt.NDArray[np.int64]

_NOT_BLANK = ("",)


class RunFinder:
    """Tells which rows belong together.

    Rows with equal keys that follow each other are one run. A row whose key cannot be relied on (a wrong number of
    cells, a bad cell in the key) belongs to the run that it stands in the middle of, or to a neighbour whose key
    cells it repeats; otherwise it is a run of its own. A blank line is no line of any order.

    Args:
        columns: Names of the key's columns that the file has; the last one is the number that tells groups apart.
        positions: Where they stand in the header.
    """

    def __init__(self, columns: Sequence[str], positions: Sequence[int]) -> None:
        self._columns = list(columns)
        self._positions = list(positions)

    def find(self, rows: CheckedRows, emitted_gap: int) -> Runs:
        """Return the number of each row's run, ascending from 0 by first row.

        Args:
            rows: Consecutive rows.
            emitted_gap: How many rows without a reliable key came right before, when there were too many to wait.
        """
        sure = np.flatnonzero(rows.certain)
        first = np.ones(len(rows), dtype=bool)
        if len(sure):
            keys = rows.key.take(pa.array(sure))
            same = as_mask(pc.equal(keys[1:], keys[:-1])) & (np.diff(sure) <= LONGEST_GAP + 1)
            first[sure[1:]] = ~same
        runs: Runs = np.full(len(rows), -1, dtype=np.int64)
        runs[sure] = np.cumsum(first[sure]) - 1
        for gap in _gaps(rows.certain):
            self._place(rows, runs, gap, emitted_gap if gap.start == 0 else 0)
        return _renumbered(runs)

    def _place(self, rows: CheckedRows, runs: Runs, gap: range, emitted_gap: int) -> None:
        """Give the rows of a gap, which stands between reliable rows, to the runs around it; blank lines to none."""
        waiting = [row for row in gap if rows.broken.get(int(rows.lines[row]), _NOT_BLANK)]
        before = int(runs[gap.start - 1]) if gap.start else -1
        after = int(runs[gap.stop]) if gap.stop < len(rows) else -1
        if before >= 0 and before == after:
            runs[waiting] = before
            return
        joined = 0
        while before >= 0 and joined < len(waiting) and self._repeats(rows, waiting[joined], gap.start - 1):
            joined += 1
        joined = min(joined, LONGEST_GAP)
        runs[waiting[:joined]] = before
        if after < 0 or len(gap) + emitted_gap > LONGEST_GAP:
            return
        for row in reversed(waiting[joined:]):
            if not self._repeats(rows, row, gap.stop):
                return
            runs[row] = after

    def _repeats(self, rows: CheckedRows, row: int, neighbour: int) -> bool:
        """Return whether the cells of an unreliable row say that it belongs to its neighbour's group."""
        key = [rows.cells.column(position)[neighbour].as_py() for position in self._positions]
        if not key or not key[-1]:
            return False
        broken = rows.broken.get(int(rows.lines[row]))
        if broken is not None:
            return self._aligned(broken, key, rows.cells.num_columns)
        own = [rows.cells.column(position)[row].as_py() for position in self._positions]
        bad = [rows.typed.column(name)[row].as_py() is None for name in self._columns]
        return own[-1] == key[-1] and all(
            mine == theirs or unreadable for mine, theirs, unreadable in zip(own, key, bad, strict=True)
        )

    def _aligned(self, cells: Sequence[str], key: Sequence[str], width: int) -> bool:
        """Return whether the key's cells stand at their places, counted from the left or from the right."""
        shift = len(cells) - width
        return all(
            any(0 <= place < len(cells) and cells[place] == wanted for place in (position, position + shift))
            for position, wanted in zip(self._positions, key, strict=True)
        )


def _gaps(certain: Mask) -> list[range]:
    """Return the stretches of rows without a reliable key."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], certain, [True]]).astype(np.int8)))
    return [range(start, stop) for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]


def _renumbered(runs: Runs) -> Runs:
    """Number runs by their first rows, and give each row without one a run of its own."""
    alone = runs < 0
    if alone.any():
        runs = runs.copy()
        runs[alone] = runs.max(initial=-1) + 1 + np.arange(np.count_nonzero(alone))
    _, first, inverse = np.unique(runs, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return np.asarray(rank[inverse], dtype=np.int64)
