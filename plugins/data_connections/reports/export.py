"""A report written as a file, together with what the ledger says it has to add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from data_connections.formats import ReportWriter
from data_connections.ledger import Ledger
from data_connections.reports.cells import checked_row
from data_connections.reports.definition import Report
from data_connections.reports.parameters import Parameters
from data_connections.reports.querying import control_totals, stream
from data_connections.reports.recount import Recount, recount
from data_connections.reports.snapshot import open_snapshot
from data_connections.reports.totals import Stored, compare

ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Exported:
    """A written report.

    Attributes:
        rows: Lines without the header.
        control: Totals that the check query found in the same snapshot of the ledger.
    """

    rows: int
    control: Stored


def export_report(
    ledger: Ledger,
    report: Report,
    parameters: Parameters,
    target: BinaryIO,
    progress: Callable[[int], None] = lambda rows: None,
) -> Exported:
    """Write ``report`` as CSV (UTF-8, RFC 4180) to ``target``, in memory that does not grow with it.

    The file and the totals of its check come from one snapshot of the ledger, so that rows which arrive
    meanwhile are in both or in neither.

    Args:
        ledger: The ledger.
        report: What to write.
        parameters: Range and program.
        target: Where to.
        progress: Told the number of lines now and then.

    Raises:
        ConfigurationError: One of the report's queries does not run.
        LedgerError: A query took too long.
        LedgerUnavailable: The ledger does not answer.
    """
    with open_snapshot(ledger) as snapshot:
        control = control_totals(snapshot, report, parameters).stored()
        rows = _write(report, stream(snapshot, report, parameters), target, progress)
    return Exported(rows, control)


def write_checked(
    ledger: Ledger,
    report: Report,
    parameters: Parameters,
    target: BinaryIO,
    progress: Callable[[int], None] = lambda rows: None,
) -> Recount:
    """Export ``report`` to an empty file, read the file again, and compare it with the ledger.

    Raises:
        TotalsMismatch: The file does not add up; it must not be used.
    """
    exported = export_report(ledger, report, parameters, target, progress)
    target.seek(0)
    counted = recount(target, report)
    compare(counted.totals, exported.control, what=f"The report {report.name}")
    return counted


def _write(report: Report, rows: Iterator[tuple[Any, ...]], target: BinaryIO, progress: Callable[[int], None]) -> int:
    writer = ReportWriter(target, report.header)
    while batch := [checked_row(report, row) for row in islice(rows, ROWS_AT_ONCE)]:
        writer.write_rows(batch)
        progress(writer.rows)
    return writer.rows
