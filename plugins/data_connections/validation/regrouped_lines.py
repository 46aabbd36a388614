"""Orders whose lines may stand anywhere in the file: they are judged together at its end, and stay in their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from data_connections.data_types import Group
from data_connections.validation.consecutive_lines import (
    duplicate_findings,
    incomplete_findings,
    opening_of,
    repeated_alone,
    speakers_of,
)
from data_connections.validation.key_hashes import Hashes, KeyHasher
from data_connections.validation.outcomes import Finding, Lines, Mask, Outcome
from data_connections.validation.rows import CheckedRows
from data_connections.validation.runs import Runs
from data_connections.validation.spool import Spool
from data_connections.validation.stated_totals import StatedTotals


class RegroupedLines:
    """Sets rows aside until the file has ended, and judges runs of the same key as one order.

    The rows wait on disk. Memory holds, for each run, a hash of its key and what its order has to know of it.

    Args:
        group: What the lines of one order share.
        totals: Adds up orders that say what they are worth; None where the file has no such column.
    """

    def __init__(self, group: Group, totals: StatedTotals | None = None) -> None:
        self._group = group
        self._totals = totals
        self._sums: list[pa.Table] = []
        self._opening_lines: list[Lines] = []
        self._spool: Spool[tuple[CheckedRows, Runs]] = Spool()
        self._runs = 0
        self._hasher = KeyHasher()
        self._hashes: list[Hashes] = []
        self._keyed: list[Runs] = []
        self._items: list[Mask] = []
        self._failed: list[Runs] = []
        self._apart = 0

    def take(self, rows: CheckedRows, runs: Runs) -> Iterator[CheckedRows]:
        """Set aside rows whose runs have ended; yield none yet."""
        count = int(runs.max()) + 1
        speakers = speakers_of(rows, runs)
        _, openings = np.unique(runs, return_index=True)
        failed = np.zeros(count, dtype=np.int64)
        bad = np.flatnonzero(rows.outcome == Outcome.REJECTED)
        failed[runs[bad][::-1]] = rows.lines[bad][::-1]
        self._hashes.append(self._hasher.hashes(rows.key.take(pa.array(speakers))))
        self._keyed.append(runs[speakers] + self._runs)
        self._items.append(rows.item[openings])
        self._failed.append(failed)
        if self._totals is not None:
            self._sums.append(self._totals.of_runs(rows, runs, ~repeated_alone(rows, runs), first=self._runs))
            self._opening_lines.append(rows.lines[openings])
        self._spool.add((rows, runs + self._runs))
        self._runs += count
        yield from ()

    def finish(self) -> Iterator[CheckedRows]:
        """Yield all rows in file order, with their final outcomes."""
        if not self._runs:
            return
        order_of = self._orders()
        _, first_run = np.unique(order_of, return_index=True)
        takes_items = np.concatenate(self._items)[first_run]
        failed = np.concatenate(self._failed)
        of_order = np.zeros(len(first_run), dtype=np.int64)
        bad = np.flatnonzero(failed)
        of_order[order_of[bad][::-1]] = failed[bad][::-1]
        wrong = self._wrong_totals(order_of, first_run, takes_items, of_order)
        for rows, runs in self._spool.read():
            order = order_of[runs]
            is_first = first_run[order] == runs
            yield self._judged(rows, runs, is_first, takes_items[order], of_order[order], wrong)

    def findings(self) -> Iterator[Finding]:
        """Yield a warning about the file where items of an order stood apart."""
        if self._apart:
            name = self._group.key[-1]
            message = (
                f"Lines that stand apart from the others of their {name}: {self._apart:,}. They count with them. "
                "List the lines of one order directly below each other."
            )
            yield Finding(None, name, "ORDER_LINES_APART", message, "warning")

    def _orders(self) -> Runs:
        """Return the number of each run's order: runs with the same key share one, a run without a key has its own."""
        keyed = np.concatenate(self._keyed)
        order_of = np.arange(self._runs, dtype=np.int64)
        if len(keyed):
            _, first, inverse = np.unique(np.concatenate(self._hashes), axis=0, return_index=True, return_inverse=True)
            order_of[keyed] = keyed[first][inverse.reshape(-1)]
        _, numbered = np.unique(order_of, return_inverse=True)
        return np.asarray(numbered, dtype=np.int64)

    def _wrong_totals(
        self, order_of: Runs, first_run: Runs, takes_items: Mask, failed_lines: Runs
    ) -> dict[int, Finding]:
        """Return what is wrong with orders that are not worth what they say, by first line; these have failed too."""
        if self._totals is None:
            return {}
        runs, items = np.arange(self._runs), np.concatenate(self._items)
        counted = (first_run[order_of] == runs) | (items & takes_items[order_of])
        messages = self._totals.wrong(self._totals.of_orders(self._sums, order_of, counted))
        opening_lines = np.concatenate(self._opening_lines)[first_run]
        wrong = {}
        for order, message in messages.items():
            if not failed_lines[order]:
                failed_lines[order] = line = int(opening_lines[order])
                wrong[line] = self._totals.finding(line, message)
        return wrong

    def _judged(
        self,
        rows: CheckedRows,
        runs: Runs,
        is_first: Mask,
        takes_items: Mask,
        failed_lines: Runs,
        wrong: dict[int, Finding],
    ) -> CheckedRows:
        """Return rows with their outcomes; each of the other arrays says of every row what its order knows."""
        outcome = rows.outcome.copy()
        opens = is_first & (np.arange(len(rows)) == opening_of(runs))
        duplicate = (outcome == Outcome.ACCEPTED) & ~opens & ~(rows.item & takes_items)
        outcome[duplicate] = Outcome.DUPLICATE
        unlike = [row for row in np.flatnonzero(opens).tolist() if int(rows.lines[row]) in wrong] if wrong else []
        outcome[unlike] = Outcome.REJECTED
        incomplete = (outcome == Outcome.ACCEPTED) & (failed_lines > 0)
        outcome[incomplete] = Outcome.REJECTED
        self._apart += int(np.count_nonzero((outcome == Outcome.ACCEPTED) & ~is_first))
        if not duplicate.any() and not incomplete.any() and not unlike:
            return rows
        found = [*rows.findings, *(wrong[int(rows.lines[row])] for row in unlike)]
        found += [*duplicate_findings(rows, duplicate, ~is_first, self._group)]
        found += incomplete_findings(rows, incomplete, failed_lines, self._group)
        found.sort(key=lambda finding: finding.line or 0)
        return replace(rows, outcome=outcome, findings=found)
