"""Orders whose lines have to follow each other: lines that come again further down are duplicates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from data_connections.data_types import Group
from data_connections.validation.outcomes import Finding, Lines, Mask, Outcome, Outcomes
from data_connections.validation.rows import CheckedRows
from data_connections.validation.runs import Runs
from data_connections.validation.seen import SeenKeys
from data_connections.validation.stated_totals import StatedTotals


class ConsecutiveLines:
    """Judges runs of lines as they come: one bad line rejects its run, and a key that comes again is a duplicate.

    Args:
        group: What the lines of one order share.
        totals: Adds up orders that say what they are worth; None where the file has no such column.
    """

    def __init__(self, group: Group, totals: StatedTotals | None = None) -> None:
        self._group = group
        self._totals = totals
        self._seen = SeenKeys()
        self._apart = 0

    def take(self, rows: CheckedRows, runs: Runs) -> Iterator[CheckedRows]:
        """Take rows whose runs have ended; yield them with their final outcomes."""
        outcome = rows.outcome.copy()
        repeated = self._repeated_runs(rows, runs)[runs]
        duplicate = (outcome == Outcome.ACCEPTED) & (repeated | repeated_alone(rows, runs))
        outcome[duplicate] = Outcome.DUPLICATE
        self._apart += int(np.count_nonzero(duplicate & repeated & rows.item)) if self._group.item else 0
        wrong = self._wrong_totals(rows, runs, outcome)
        outcome[list(wrong)] = Outcome.REJECTED
        failed = np.bincount(runs, weights=outcome == Outcome.REJECTED) > 0
        incomplete = (outcome == Outcome.ACCEPTED) & failed[runs]
        failed_lines = _failed_lines(runs, rows.lines, outcome)
        outcome[incomplete] = Outcome.REJECTED
        if not duplicate.any() and not incomplete.any() and not wrong:
            yield rows
            return
        found = [*rows.findings, *duplicate_findings(rows, duplicate, repeated, self._group), *wrong.values()]
        found += incomplete_findings(rows, incomplete, failed_lines, self._group)
        found.sort(key=lambda finding: finding.line or 0)
        yield replace(rows, outcome=outcome, findings=found)

    def finish(self) -> Iterator[CheckedRows]:
        """Yield nothing: every row was judged when it came."""
        yield from ()

    def findings(self) -> Iterator[Finding]:
        """Yield a warning about the file where items of an order stand apart."""
        if self._apart:
            name = self._group.key[-1]
            message = (
                f"Lines that stand apart from the others of their {name}: {self._apart:,}. They are not taken "
                f"({self._group.repeated_code}). List the lines of one order directly below each other, or have the "
                "connection set to `order_lines: regroup`."
            )
            yield Finding(None, name, "ORDER_LINES_APART", message, "warning")

    def _wrong_totals(self, rows: CheckedRows, runs: Runs, outcome: Outcomes) -> dict[int, Finding]:
        """Return what is wrong with orders that are good so far and are not worth what they say, by first row."""
        if self._totals is None:
            return {}
        _, openings = np.unique(runs, return_index=True)
        bad = np.bincount(runs, weights=outcome == Outcome.REJECTED) > 0
        messages = self._totals.wrong(self._totals.of_runs(rows, runs, outcome == Outcome.ACCEPTED))
        return {
            int(openings[run]): self._totals.finding(int(rows.lines[openings[run]]), message)
            for run, message in messages.items()
            if not bad[run] and outcome[openings[run]] == Outcome.ACCEPTED
        }

    def _repeated_runs(self, rows: CheckedRows, runs: Runs) -> Mask:
        """Return for each run whether its key was there before; remembers the keys of all runs."""
        repeated = np.zeros(int(runs.max()) + 1, dtype=bool)
        speakers = speakers_of(rows, runs)
        repeated[runs[speakers]] = self._seen.add(rows.key.take(pa.array(speakers)))
        return repeated


def speakers_of(rows: CheckedRows, runs: Runs) -> Runs:
    """Return for each run that has a key the first row that tells it."""
    keyed = np.flatnonzero(rows.certain & ~np.asarray(rows.key.is_null()))
    _, first = np.unique(runs[keyed], return_index=True)
    return keyed[first]


def opening_of(runs: Runs) -> Runs:
    """Return for each row the first row of its run."""
    _, first, run_of = np.unique(runs, return_index=True, return_inverse=True)
    return np.asarray(first[run_of], dtype=np.int64)


def repeated_alone(rows: CheckedRows, runs: Runs) -> Mask:
    """Return which lines follow an order that is complete without them, or are none of its items."""
    opening = opening_of(runs)
    later = np.arange(len(rows)) != opening
    return np.asarray(later & ~(rows.item & rows.item[opening]))


def _failed_lines(runs: Runs, lines: Lines, outcome: Outcomes) -> Runs:
    """Return for each row the first rejected line of its run; 0 where there is none."""
    failed = np.flatnonzero(outcome == Outcome.REJECTED)
    of_run = np.zeros(int(runs.max()) + 1, dtype=np.int64)
    of_run[runs[failed][::-1]] = lines[failed][::-1]
    return np.asarray(of_run[runs], dtype=np.int64)


def duplicate_findings(rows: CheckedRows, duplicate: Mask, repeated: Mask, group: Group) -> Iterator[Finding]:
    """Yield what is to be said about lines that are not taken; ``repeated`` ones came further up."""
    name = group.key[-1]
    for row in np.flatnonzero(duplicate).tolist():
        where = "stands further up already" if repeated[row] else "stands on the line above already"
        item = f", each with its {group.item}" if group.item else ""
        advice = f"List the lines of one order directly below each other{item}"
        message = f"This {name} {where}; this line is not taken. {advice}."
        yield Finding(int(rows.lines[row]), name, group.repeated_code, message)


def incomplete_findings(rows: CheckedRows, incomplete: Mask, failed_lines: Runs, group: Group) -> Iterator[Finding]:
    """Yield what is to be said about good lines of which another line of the order is not; that one by row."""
    for row in np.flatnonzero(incomplete).tolist():
        message = (
            f"This line is good, but line {failed_lines[row]} of the same order is not. Correct it and send all of "
            "them again."
        )
        yield Finding(int(rows.lines[row]), group.key[-1], group.incomplete_code, message)
