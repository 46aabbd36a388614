"""Chosen days of a connection: the report that they would give, and going through them again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Literal, cast
from uuid import uuid4

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

from data_connections.catalog import activity, current
from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from data_connections.reports import Layout, Parameters, load_reports, unfinished_in, write_checked
from data_connections.settings import Settings
from data_connections.spec import OutboundConnection, OutputFormat
from data_connections.steps.acknowledgement import SPOOLED
from data_connections.steps.backfill import Conduct, backfill_range
from data_connections.steps.business_day import business_days
from data_connections.steps.outbound_spec import outbound_spec
from ui.airflow_backfills import planned_starts, start_backfill
from ui.visitor import Visitor

ROWS_SHOWN = 100
MOST_DAYS = 366


class Days(BaseModel):
    """A range of days, both ends included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: date
    last: date


class BackfillOrder(Days):
    """Which days are gone through again, and how."""

    reprocess: Literal["none", "failed", "completed"] = Field(
        default="none", description="Days that have a run: leave them, run those again that failed, or all that ended."
    )
    receipts: bool = Field(default=False, description="Give the partner receipts and rejects.")
    alerts: bool = Field(default=False, description="Tell people about runs that fail.")
    hold: bool = Field(default=False, description="Outbound: send no file before somebody approves it.")

    @property
    def conduct(self) -> Conduct:
        """How the runs conduct themselves."""
        return Conduct(receipts=self.receipts, alerts=self.alerts, again=self.reprocess != "none", hold=self.hold)


@dataclass(frozen=True)
class ReportPreview:
    """A report of chosen days, which adds up with the ledger.

    Attributes:
        header: Its columns.
        rows: The first rows, as text.
        count: All its rows.
        unfinished: Time zones in which the last day is not over yet.
    """

    header: list[str]
    rows: list[list[str]]
    count: int
    unfinished: list[str]


def preview_report(ledger: Ledger, name: str, days: Days) -> ReportPreview:
    """Return the first rows of the report that a connection would send for these days; nothing is kept or sent.

    Raises:
        ConfigurationError: The days are too many or the wrong way round, or the connection takes files.
        LedgerError: The report took too long.
    """
    spec = outbound_spec(current(ledger, name).spec)
    plain = spec.model_copy(update={"format": _as_csv(spec.format)})
    with _written(ledger, plain, days) as (target, count):
        text = io.TextIOWrapper(target, encoding="utf-8", newline="")
        reader = csv.reader(text)
        header = next(reader, [])
        rows = list(islice(reader, ROWS_SHOWN))
        text.detach()
    unfinished = unfinished_in(ledger, _parameters(spec, days), datetime.now(UTC))
    return ReportPreview(header, rows, count, unfinished)


@contextmanager
def whole_report(ledger: Ledger, name: str, days: Days) -> Iterator[BinaryIO]:
    """Give out the report of these days in the form in which the connection sends it, unpacked.

    Raises:
        ConfigurationError: As for a preview.
        LedgerError: The report took too long.
    """
    spec = outbound_spec(current(ledger, name).spec)
    with _written(ledger, spec, days) as (target, _count):
        yield target


def planned_days(ledger: Ledger, name: str, order: BackfillOrder) -> list[tuple[date, date]]:
    """Return the business days of the runs that a backfill would make.

    Raises:
        ConfigurationError: The connection or Airflow cannot go through these days.
    """
    spec = current(ledger, name).spec
    order.conduct.must_fit(spec)
    now = datetime.now(UTC)
    wanted = backfill_range(spec, order.first, order.last, now)
    starts = planned_starts(name, wanted, order.reprocess)
    turns = [business_days(spec, now, interval_start=start) for start in starts]
    return [(turn.first, turn.last) for turn in turns]


def order_backfill(ledger: Ledger, visitor: Visitor, name: str, order: BackfillOrder) -> int:
    """Start a backfill and return its number in Airflow.

    Raises:
        ConfigurationError: The connection or Airflow cannot go through these days.
        HTTPException: 403 where the user may not run the connection.
    """
    visitor.must(visitor.may_run(name), f"run {name}")
    stored = current(ledger, name)
    wanted = backfill_range(stored.spec, order.first, order.last, datetime.now(UTC))
    order.conduct.must_fit(stored.spec)
    number = start_backfill(name, wanted, order.reprocess, order.conduct.as_conf(str(uuid4())), visitor.name)
    details = order.model_dump(mode="json", exclude_defaults=True)
    with ledger.connect() as connection:
        activity.record(
            connection, visitor.name, "connection.backfilled", name, connection_id=stored.connection_id, details=details
        )
    return number


def must_run(visitor: Visitor, name: str) -> None:
    """Refuse the request unless the user may run the connection.

    Raises:
        HTTPException: 403.
    """
    visitor.must(visitor.may_run(name), f"run {name}")


@contextmanager
def _written(ledger: Ledger, spec: OutboundConnection, days: Days) -> Iterator[tuple[BinaryIO, int]]:
    if (days.last - days.first).days >= MOST_DAYS:
        raise ConfigurationError(f"A preview takes at most {MOST_DAYS} days.")
    known = load_reports(Settings.from_environment().include)
    if spec.data_type not in known:
        raise HTTPException(404, f"There is no report {spec.data_type!r}.")
    layout = Layout.of(known[spec.data_type], spec.format)
    with SpooledTemporaryFile(max_size=SPOOLED) as kept:
        target = cast("BinaryIO", kept)
        written = write_checked(ledger, layout, _parameters(spec, days), target)
        target.seek(0)
        yield target, written.rows


def _parameters(spec: OutboundConnection, days: Days) -> Parameters:
    return Parameters(days.first, days.last, program=spec.program)


def _as_csv(form: OutputFormat) -> OutputFormat:
    kept: dict[str, Any] = {name: getattr(form, name) for name in ("columns", "headers", "time_zone")}
    return OutputFormat(type="csv", **kept)
