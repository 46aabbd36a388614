"""A report written as files, together with what the ledger says that they have to add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from data_connections.ledger import Ledger
from data_connections.reports.cells import checked_row
from data_connections.reports.layout import Layout
from data_connections.reports.parameters import Parameters
from data_connections.reports.parts import OpenPart, Parts
from data_connections.reports.querying import control_totals, stream
from data_connections.reports.recount import Recount, recount
from data_connections.reports.snapshot import open_snapshot
from data_connections.reports.totals import Stored, compare


def _untold(rows: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Exported:
    """A written report.

    Attributes:
        parts: Rows of each file.
        control: Totals that the check query found in the same snapshot of the ledger.
    """

    parts: tuple[int, ...]
    control: Stored

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(self.parts)


def export_report(
    ledger: Ledger,
    layout: Layout,
    parameters: Parameters,
    open_part: OpenPart,
    *,
    rows_per_file: int | None = 0,
    progress: Callable[[int], None] = _untold,
) -> Exported:
    """Write a report in memory that does not grow with it; the same rows always give the same bytes.

    The files and the totals of the check come from one snapshot of the ledger, so that rows which arrive
    meanwhile are in both or in neither.

    Args:
        ledger: The ledger.
        layout: What to write, and how.
        parameters: Range and program.
        open_part: Opens each file; several only where the rows are more than ``rows_per_file``.
        rows_per_file: Most rows in a file, 0 for no limit, None for the report's own.
        progress: Told the number of lines now and then.

    Raises:
        ConfigurationError: One of the report's queries does not run, or the format cannot hold a value.
        LedgerError: A query took too long.
        LedgerUnavailable: The ledger does not answer.
    """
    report = layout.report
    limit = report.rows_per_file if rows_per_file is None else rows_per_file
    together = [report.header.index(name) for name in report.keep_together]
    parts = Parts(layout, open_part, progress)
    with open_snapshot(ledger) as snapshot:
        control = control_totals(snapshot, layout, parameters).stored()
        rows = (checked_row(report, row) for row in stream(snapshot, report, parameters))
        parts.write(rows, limit, together)
    return Exported(tuple(parts.rows), control)


def write_checked(
    ledger: Ledger,
    layout: Layout,
    parameters: Parameters,
    target: BinaryIO,
    progress: Callable[[int], None] = _untold,
) -> Recount:
    """Export a report to one empty file, read the file again, and compare it with the ledger.

    Raises:
        TotalsMismatch: The file does not add up; it must not be used.
    """

    @contextmanager
    def the_file(number: int) -> Iterator[BinaryIO]:
        yield target

    exported = export_report(ledger, layout, parameters, the_file, progress=progress)
    target.seek(0)
    counted = recount(target, layout)
    compare(counted.totals, exported.control, what=f"The report {layout.report.name}")
    return counted
