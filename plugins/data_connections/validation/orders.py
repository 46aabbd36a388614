"""Whole orders: the lines of one group stand or fall together, and come only once in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from data_connections.data_types import Group
from data_connections.errors import FileRefused
from data_connections.validation.header import Header
from data_connections.validation.outcomes import Finding, Mask, Outcome
from data_connections.validation.rows import CheckedRows
from data_connections.validation.runs import LONGEST_GAP, RunFinder, Runs
from data_connections.validation.seen import SeenKeys

LONGEST_RUN = 100_000
"""More lines of one group than this refuse the file: they are held in memory until the group ends."""


class Orders:
    """Settles the outcomes of groups of lines in a file, whatever blocks it is read in.

    Args:
        group: What lines of one group share; None: every line stands alone.
        header: Where the key's columns stand.
    """

    def __init__(self, group: Group | None, header: Header) -> None:
        self._group = group
        self._names = [name for name in group.key if name in header.typed] if group else []
        in_file = [name for name in self._names if name in header.columns]
        self._finder = RunFinder(in_file, [header.columns[name] for name in in_file])
        self._seen = SeenKeys()
        self._held: CheckedRows | None = None
        self._emitted_gap = 0

    def settle(self, rows: CheckedRows) -> Iterator[CheckedRows]:
        """Take the next rows; yield those whose groups have ended, with their final outcomes.

        Raises:
            FileRefused: ORDER_TOO_LONG.
        """
        if not self._names or self._group is None:
            yield rows
            return
        waiting = rows if self._held is None else CheckedRows.joined([self._held, rows])
        yield from self._release(waiting, final=False)

    def finish(self) -> Iterator[CheckedRows]:
        """Yield the rows that were still waiting for the end of their group."""
        if self._held is not None:
            yield from self._release(self._held, final=True)

    def _release(self, rows: CheckedRows, *, final: bool) -> Iterator[CheckedRows]:
        if not len(rows):
            return
        runs = self._finder.find(rows, self._emitted_gap)
        cut = len(rows) if final else self._open_from(rows, runs)
        if cut:
            ended = _judge(rows.slice(0, cut), runs[:cut], self._judged_group(), self._seen)
            self._emitted_gap = _gap_at_end(ended.certain, self._emitted_gap)
            yield ended
        self._held = rows.slice(cut, len(rows)) if cut < len(rows) else None

    def _judged_group(self) -> Group:
        assert self._group is not None  # noqa: S101 - groups are settled only where there is a key
        return self._group.model_copy(update={"key": tuple(self._names)})

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


def _judge(rows: CheckedRows, runs: Runs, group: Group, seen: SeenKeys) -> CheckedRows:
    """Mark repeated lines as duplicates, then reject the accepted siblings of rejected lines."""
    outcome = rows.outcome.copy()
    repeated = _repeated_runs(rows, runs, seen)[runs]
    alone = _repeated_alone(rows, runs)
    duplicate = (outcome == Outcome.ACCEPTED) & (repeated | alone)
    outcome[duplicate] = Outcome.DUPLICATE
    failed = np.bincount(runs, weights=outcome == Outcome.REJECTED) > 0
    incomplete = (outcome == Outcome.ACCEPTED) & failed[runs]
    outcome[incomplete] = Outcome.REJECTED
    if not duplicate.any() and not incomplete.any():
        return rows
    found = [*rows.findings, *_duplicate_findings(rows, duplicate, repeated, group)]
    found += _incomplete_findings(rows, runs, incomplete, group)
    found.sort(key=lambda finding: finding.line or 0)
    return replace(rows, outcome=outcome, findings=found)


def _repeated_runs(rows: CheckedRows, runs: Runs, seen: SeenKeys) -> Mask:
    """Return for each run whether its key was there before; remembers the keys of all runs."""
    repeated = np.zeros(int(runs.max()) + 1, dtype=bool)
    keyed = np.flatnonzero(rows.certain & ~np.asarray(rows.key.is_null()))
    _, first = np.unique(runs[keyed], return_index=True)
    speakers = keyed[first]
    repeated[runs[speakers]] = seen.add(rows.key.take(pa.array(speakers)).to_pylist())
    return repeated


def _repeated_alone(rows: CheckedRows, runs: Runs) -> Mask:
    """Return which lines follow an order that is complete without them, or are none of its items."""
    _, first, run_of = np.unique(runs, return_index=True, return_inverse=True)
    opening = first[run_of]
    later = np.arange(len(rows)) != opening
    return np.asarray(later & ~(rows.item & rows.item[opening]))


def _duplicate_findings(rows: CheckedRows, duplicate: Mask, repeated: Mask, group: Group) -> Iterator[Finding]:
    name = group.key[-1]
    for row in np.flatnonzero(duplicate).tolist():
        where = "again further down" if repeated[row] else "again on the next line"
        item = f", each with its {group.item}" if group.item else ""
        advice = f"List the lines of one order directly below each other{item}"
        message = f"This {name} comes {where}; the line is not taken. {advice}."
        yield Finding(int(rows.lines[row]), name, group.repeated_code, message)


def _incomplete_findings(rows: CheckedRows, runs: Runs, incomplete: Mask, group: Group) -> Iterator[Finding]:
    if not incomplete.any():
        return
    failed_lines: dict[int, int] = {}
    for row in np.flatnonzero(rows.outcome == Outcome.REJECTED).tolist():
        failed_lines.setdefault(int(runs[row]), int(rows.lines[row]))
    for row in np.flatnonzero(incomplete).tolist():
        line = failed_lines[int(runs[row])]
        message = f"This line is good, but line {line} of the same order is not. Correct it and send all of them again."
        yield Finding(int(rows.lines[row]), group.key[-1], group.incomplete_code, message)
