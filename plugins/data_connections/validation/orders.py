"""Whole orders: the lines of one group stand or fall together, and come only once in a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from data_connections.data_types import DataType
from data_connections.errors import FileRefused
from data_connections.validation.consecutive_lines import ConsecutiveLines
from data_connections.validation.header import Header
from data_connections.validation.outcomes import Finding, Mask
from data_connections.validation.regrouped_lines import RegroupedLines
from data_connections.validation.rows import CheckedRows
from data_connections.validation.runs import LONGEST_GAP, RunFinder, Runs
from data_connections.validation.stated_totals import StatedTotals

LONGEST_RUN = 100_000
"""More lines of one group than this refuse the file: they are held in memory until the group ends."""


class Orders:
    """Settles the outcomes of groups of lines in a file, whatever blocks it is read in.

    Args:
        data_type: What the rows are; without a group every line stands alone.
        header: Where the key's columns stand.
        lines: Whether the lines of an order have to be ``consecutive``, or ``regroup`` finds them anywhere in the file.
    """

    def __init__(
        self, data_type: DataType, header: Header, lines: Literal["consecutive", "regroup"] = "consecutive"
    ) -> None:
        group = data_type.group
        self._names = [name for name in group.key if name in header.typed] if group else []
        judging = RegroupedLines if lines == "regroup" else ConsecutiveLines
        self._judge = None
        if group and self._names:
            totals = StatedTotals(data_type) if group.total in header.typed else None
            self._judge = judging(group.model_copy(update={"key": tuple(self._names)}), totals)
        in_file = [name for name in self._names if name in header.columns]
        self._finder = RunFinder(in_file, [header.columns[name] for name in in_file])
        self._held: CheckedRows | None = None
        self._emitted_gap = 0

    def settle(self, rows: CheckedRows) -> Iterator[CheckedRows]:
        """Take the next rows; yield those whose groups have ended, with their final outcomes.

        Raises:
            FileRefused: ORDER_TOO_LONG.
        """
        if self._judge is None:
            yield rows
            return
        waiting = rows if self._held is None else CheckedRows.joined([self._held, rows])
        yield from self._release(waiting, final=False)

    def finish(self) -> Iterator[CheckedRows]:
        """Yield the rows that were still waiting for the end of their group, or of the file."""
        if self._held is not None:
            yield from self._release(self._held, final=True)
        if self._judge is not None:
            yield from self._judge.finish()

    def findings(self) -> Iterator[Finding]:
        """Yield what is to be said about the file."""
        if self._judge is not None:
            yield from self._judge.findings()

    def _release(self, rows: CheckedRows, *, final: bool) -> Iterator[CheckedRows]:
        if self._judge is None or not len(rows):
            return
        runs = self._finder.find(rows, self._emitted_gap)
        cut = len(rows) if final else self._open_from(rows, runs)
        if cut:
            ended = rows.slice(0, cut)
            yield from self._judge.take(ended, runs[:cut])
            self._emitted_gap = _gap_at_end(ended.certain, self._emitted_gap)
        self._held = rows.slice(cut, len(rows)) if cut < len(rows) else None

    def _open_from(self, rows: CheckedRows, runs: Runs) -> int:
        """Return where the rows begin whose group the next block may go on with."""
        sure = np.flatnonzero(rows.certain)
        tail = len(rows) - (int(sure[-1]) + 1 if len(sure) else 0)
        if tail + (0 if len(sure) else self._emitted_gap) > LONGEST_GAP:
            return len(rows)
        if not len(sure):
            return 0
        last = np.flatnonzero(runs == runs[sure[-1]])
        if len(last) > LONGEST_RUN:
            raise FileRefused(
                "ORDER_TOO_LONG",
                f"More than {LONGEST_RUN:,} lines in a row have the same {self._names[-1]}. "
                "Check that the column holds a number of its own for every order.",
                line=int(rows.lines[last[0]]),
            )
        return int(last[0])


def _gap_at_end(certain: Mask, emitted_gap: int) -> int:
    sure = np.flatnonzero(certain)
    return len(certain) - int(sure[-1]) - 1 if len(sure) else len(certain) + emitted_gap
