"""Runs a report's SQL in a snapshot, and turns what PostgreSQL says about it into sentences with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row, tuple_row

from data_connections.errors import ConfigurationError, LedgerError
from data_connections.ledger.database import LedgerConnection
from data_connections.reports.definition import ROWS, Query, Report
from data_connections.reports.layout import Layout
from data_connections.reports.parameters import Parameters
from data_connections.reports.totals import Totals

FETCHED_AT_ONCE = 5000
_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)


def stream(connection: LedgerConnection, report: Report, parameters: Parameters) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of ``report`` through a server-side cursor, a few thousand in memory at a time.

    Raises:
        ConfigurationError: The SQL does not run, or its columns are not the defined ones.
        LedgerError: It took too long.
    """
    with _explained(report.query), connection.cursor(name="report", row_factory=tuple_row) as cursor:
        cursor.itersize = FETCHED_AT_ONCE
        cursor.execute(report.query.sql.encode(), parameters.bound(report))
        _compare_columns(report, [column.name for column in cursor.description or ()])
        yield from cursor


def control_totals(connection: LedgerConnection, layout: Layout, parameters: Parameters) -> Totals:
    """Return what the report's files have to add up to, by the check query and in the same snapshot.

    Raises:
        ConfigurationError: The check query does not run, or lacks a column.
        LedgerError: It took too long.
    """
    report, check = layout.report, layout.check
    with _explained(report.check_query), connection.cursor(name="control", row_factory=dict_row) as cursor:
        cursor.execute(report.check_query.sql.encode(), parameters.bound(report))
        wanted = [*filter(None, [check.per]), ROWS, *check.totals]
        missing = sorted(set(wanted) - {column.name for column in cursor.description or ()})
        if missing:
            message = f"The check query returns no column {', '.join(missing)}."
            raise ConfigurationError(message, path=report.check_query.path)
        totals = Totals(check.totals)
        for row in cursor:
            group = layout.group_name(row[check.per]) if check.per else ""
            totals.add(group, [row[name] or 0 for name in check.totals], rows=row[ROWS])
        return totals


def _compare_columns(report: Report, found: list[str]) -> None:
    if found == list(report.header):
        return
    raise ConfigurationError(
        f"The SQL returns the columns {', '.join(found)}; the definition says {', '.join(report.header)}. "
        "Both need the same names in the same order.",
        path=report.query.path,
    )


@contextmanager
def _explained(query: Query) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.QueryCanceled as slow:
        raise LedgerError(f"{query.path}: the query was stopped ({_first_line(slow)}); ask for fewer days.") from slow
    except (psycopg.ProgrammingError, psycopg.DataError) as wrong:
        found = _LINE.search(str(wrong))
        path, line = query.place(int(found[1]) if found else None)
        message = f"PostgreSQL refuses this SQL: {_first_line(wrong)}."
        raise ConfigurationError(message, path=path, line=line) from wrong
    except psycopg.InternalError as written:
        if not isinstance(written, psycopg.errors.ReadOnlySqlTransaction):
            raise
        raise ConfigurationError(f"A report only reads: {_first_line(written)}.", path=query.path) from written


def _first_line(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error).partition("\n")[0]).rstrip(".")
