"""The steps of an outbound run: export a report, check it, deliver it. Each may be run again at any time.

The promise: a file appears whole under its final name, at least once, and always with the bytes that were checked.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, BinaryIO, cast
from zoneinfo import ZoneInfo

from data_connections import reports as reporting
from data_connections.errors import ConfigurationError, TotalsMismatch
from data_connections.landing import Landing
from data_connections.ledger import Ledger, deliveries, outbound_runs
from data_connections.ledger.deliveries import Delivery
from data_connections.reports import Parameters, Program, Report, Reports
from data_connections.spec import OutboundConnection
from data_connections.spec.file_name import versioned
from data_connections.steps.business_day import BusinessDays, business_days
from data_connections.steps.outbound_spec import base_name, outbound_spec
from data_connections.steps.pinned_run import PinnedRun
from data_connections.steps.sending import deliver

__all__ = ["check_report", "deliver", "export_report", "fail_run"]


def export_report(
    ledger: Ledger,
    landing: Landing,
    reports: Reports,
    run: PinnedRun,
    *,
    business_date: date | None = None,
    interval_start: datetime | None = None,
    scheduled: bool = False,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Export the report of a run's business days, keep its bytes, and record a delivery.

    Args:
        ledger: The ledger.
        landing: Where the bytes are kept.
        reports: The reports of the installation.
        run: The run; its connection's ``data_type`` names the report.
        business_date: The day that somebody asked for.
        interval_start: Start of the run's data interval; None for manual runs.
        scheduled: Nobody asked for this run, the schedule did: days before ``active_from`` are not sent.
        now: The present instant; the clock's where left out.

    Returns:
        The delivery (``Delivery.as_json``), or ``{"state": "skipped", "delivery_id": None, "message": ...}``.

    Raises:
        ConfigurationError: The day has not begun, is not over in the program's time zone, or the report does not run.
        LedgerUnavailable: The ledger does not answer.
    """
    spec = outbound_spec(run.spec)
    now = now or datetime.now(UTC)
    days = business_days(spec, now, business_date=business_date, interval_start=interval_start)
    unasked = _before_active_from(ledger, run, spec, days) if scheduled else None
    if unasked:
        return _skip(ledger, run, unasked)
    program = reporting.find_program(ledger, spec.program)
    note = _unfinished(spec, program, days, now, asked=business_date is not None)
    delivery = _export(ledger, landing, reports[spec.data_type], run, spec, days, note)
    return delivery.as_json()


def check_report(ledger: Ledger, landing: Landing, reports: Reports, delivery_id: int) -> dict[str, Any]:
    """Read the kept bytes of a delivery again, and compare them with what the ledger said when they were exported.

    The ledger may have changed since; the totals were taken by another query in the same snapshot as the export.

    Raises:
        TotalsMismatch: They do not add up; the delivery is Failed and cannot be sent.
        OriginalDamaged: The bytes are gone.
    """
    with ledger.connect() as connection:
        delivery = deliveries.get(connection, delivery_id)
    if delivery.checked_at is None:
        try:
            _check(landing, delivery, reports[delivery.report])
        except TotalsMismatch as mismatch:
            with ledger.connect() as connection:
                deliveries.mark_failed(connection, delivery_id, str(mismatch))
            raise
        with ledger.connect() as connection:
            deliveries.mark_checked(connection, delivery_id)
            delivery = deliveries.get(connection, delivery_id)
    return delivery.as_json()


def fail_run(ledger: Ledger, run_id: int, reason: str) -> None:
    """Record that a run failed for good, with what it had not delivered."""
    with ledger.connect() as connection:
        deliveries.fail_unsent(connection, run_id, reason)
        outbound_runs.finish_run(connection, run_id, reason=reason, failed=True)


def _before_active_from(ledger: Ledger, run: PinnedRun, spec: OutboundConnection, days: BusinessDays) -> str | None:
    """Return why a scheduled run sends nothing: its days lie before the first one that was asked for."""
    if spec.active_from is not None:
        first, reason = spec.active_from, "its active_from"
    else:
        with ledger.connect() as connection:
            since = outbound_runs.first_own_instant(connection, run.connection_id)
        first, reason = since.astimezone(ZoneInfo(spec.time_zone)).date(), "the day it began to run by itself"
    if days.last >= first:
        return None
    return (
        f"Nothing was sent: {days} is before {first}, {reason}. To send it all the same, start a run by hand with the "
        f"parameter business_date={days.first}."
    )


def _skip(ledger: Ledger, run: PinnedRun, reason: str) -> dict[str, Any]:
    with ledger.connect() as connection:
        outbound_runs.finish_run(connection, run.id, reason=reason)
    return {"delivery_id": None, "state": "skipped", "connection": run.spec.name, "message": reason}


def _unfinished(
    spec: OutboundConnection, program: Program, days: BusinessDays, now: datetime, *, asked: bool
) -> str | None:
    """Return what is to be noted about days that are not over yet.

    Raises:
        ConfigurationError: They have not begun, or only the program's calendar is behind and nobody asked for it.
    """
    today = now.astimezone(ZoneInfo(spec.time_zone)).date()
    if days.first > today:
        raise ConfigurationError(f"Connection {spec.name}: {days.first} has not begun yet in {spec.time_zone}.")
    if program.day_is_over(days.last, now):
        return None
    end = program.end_of(days.last)
    if days.last < today and not asked:
        raise ConfigurationError(
            f"Connection {spec.name}: {days.last} is over in {spec.time_zone}, the connection's time zone, and not "
            f"before {end.astimezone(UTC):%Y-%m-%d %H:%M} UTC in {program.time_zone}, the program's, whose days the "
            "report is about. Give the connection the program's time zone.",
            field="time_zone",
            suggestion=program.time_zone,
        )
    return f"{days.last} was not over in {program.time_zone} when this was exported; what came later is missing."


def _export(
    ledger: Ledger,
    landing: Landing,
    report: Report,
    run: PinnedRun,
    spec: OutboundConnection,
    days: BusinessDays,
    note: str | None,
) -> Delivery:
    with landing.keep() as incoming:
        parameters = Parameters(days.first, days.last, program=spec.program)
        exported = reporting.export_report(ledger, report, parameters, cast("BinaryIO", incoming))
    name = base_name(spec, days.first, days.last)
    with ledger.connect() as connection:
        if spec.details.existing == "version":
            name = versioned(name, 1 + deliveries.names_used(connection, run.connection_id, days.first))
        values = {
            "connection_id": run.connection_id,
            "revision": run.revision,
            "run_id": run.id,
            "report": report.name,
            "business_date": days.first,
            "last_date": days.last,
            "note": note,
            "file_name": name,
            "size": incoming.original.size,
            "sha256": incoming.original.sha256,
            "landing_key": incoming.original.key,
            "rows": exported.rows,
            "totals": exported.control,
        }
        return deliveries.get(connection, deliveries.record_export(connection, values))


def _check(landing: Landing, delivery: Delivery, report: Report) -> None:
    with landing.open(delivery.landing_key) as source:
        found = reporting.recount(source, report)
    if (found.sha256, found.size) != (delivery.sha256, delivery.size):
        raise TotalsMismatch(
            f"Delivery {delivery.id} of {delivery.connection}: the kept bytes are not those that were exported "
            f"({found.size:,} bytes with SHA-256 {found.sha256}). Run it again from export_report."
        )
    what = f"Delivery {delivery.id} of {delivery.connection} ({delivery.file_name})"
    reporting.compare(found.totals, delivery.totals, what=what)
