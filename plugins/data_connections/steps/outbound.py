"""The steps of an outbound run: export a report, check it, deliver it. Each may be run again at any time.

The promise: a file appears whole under its final name, at least once, and always with the bytes that were checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, BinaryIO, cast
from zoneinfo import ZoneInfo

from data_connections import catalog
from data_connections import reports as reporting
from data_connections.errors import ConfigurationError, TotalsMismatch
from data_connections.landing import Landing
from data_connections.landing.area import Incoming
from data_connections.ledger import Ledger, deliveries, outbound_runs, restored_deliveries
from data_connections.ledger.delivery import Delivery, DeliveryFile
from data_connections.reports import Layout, Parameters, Program, Recount, Report, Reports
from data_connections.spec import OutboundConnection
from data_connections.spec.file_name import versioned
from data_connections.steps.business_day import BusinessDays, business_days
from data_connections.steps.delivery_names import part_names
from data_connections.steps.missed_turns import sent_whole
from data_connections.steps.outbound_spec import base_name, outbound_spec
from data_connections.steps.pinned_run import PinnedRun
from data_connections.steps.sending import deliver
from data_connections.steps.unwrap import Keys
from data_connections.steps.wrap import wrap

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
    made_up: bool = False,
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
        made_up: The run makes up for a turn that passed: days that another run has sent meanwhile are not sent again.
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
    unasked = (
        _before_active_from(ledger, run, spec, days) or _sent_before_restore(ledger, run, days) if scheduled else None
    )
    if made_up:
        unasked = unasked or _sent_meanwhile(ledger, run, days)
    if unasked:
        return _skip(ledger, run, unasked)
    program = reporting.find_program(ledger, spec.program)
    note = _unfinished(spec, program, days, now, asked=business_date is not None)
    delivery = _export(ledger, landing, reports[spec.data_type], run, spec, days, note)
    if delivery is None:
        return _skip(ledger, run, f"Nothing was sent: {days} has no rows, and packaging.when_empty is skip.")
    return delivery.as_json()


def check_report(
    ledger: Ledger, landing: Landing, reports: Reports, delivery_id: int, *, keys: Keys | None = None
) -> dict[str, Any]:
    """Read the kept bytes of a delivery again, and compare them with what the ledger said when they were exported.

    The ledger may have changed since; the totals were taken by another query in the same snapshot as the export.
    Where the connection protects its files with PGP, what adds up is encrypted or signed here.

    Raises:
        TotalsMismatch: They do not add up; the delivery is Failed and cannot be sent.
        OriginalDamaged: The bytes are gone.
        ConfigurationError: There is no valid key to encrypt for or to sign with.
    """
    with ledger.connect() as connection:
        delivery = deliveries.get(connection, delivery_id)
    if delivery.checked_at is None:
        spec = outbound_spec(catalog.revision(ledger, delivery.connection, delivery.revision).spec)
        try:
            md5 = _check(landing, delivery, Layout.of(reports[delivery.report], spec.format))
        except TotalsMismatch as mismatch:
            with ledger.connect() as connection:
                deliveries.mark_failed(connection, delivery_id, str(mismatch))
            raise
        messages = _messages(landing, delivery, spec, keys)
        with ledger.connect() as connection:
            deliveries.mark_checked(connection, delivery_id, md5, messages)
            delivery = deliveries.get(connection, delivery_id)
    return delivery.as_json()


def _messages(
    landing: Landing, delivery: Delivery, spec: OutboundConnection, keys: Keys | None
) -> dict[int, deliveries.Message]:
    if spec.pgp is None:
        return {}
    if keys is None:
        raise ConfigurationError(f"The keys of {spec.pgp.credentials} are not at hand; run this where Airflow's are.")
    return wrap(landing, delivery, spec.pgp, keys(spec.pgp.credentials))


def fail_run(ledger: Ledger, run_id: int, reason: str) -> None:
    """Record that a run failed for good, with what it had not delivered."""
    with ledger.connect() as connection:
        deliveries.fail_unsent(connection, run_id, reason)
        outbound_runs.finish_run(connection, run_id, reason=reason, failed=True)


def _before_active_from(ledger: Ledger, run: PinnedRun, spec: OutboundConnection, days: BusinessDays) -> str | None:
    """Return why a scheduled run sends nothing: its days lie before the first one that was asked for."""
    first = _first_own_day(ledger, run, spec)
    reason = "its active_from" if spec.active_from else "the day it began to run by itself"
    if days.last >= first:
        return None
    return (
        f"Nothing was sent: {days} is before {first}, {reason}. To send it all the same, start a run by hand with the "
        f"parameter business_date={days.first}."
    )


def _first_own_day(ledger: Ledger, run: PinnedRun, spec: OutboundConnection) -> date:
    """Return the first day that a connection sends by itself."""
    if spec.active_from is not None:
        return spec.active_from
    with ledger.connect() as connection:
        since = outbound_runs.first_own_instant(connection, run.connection_id)
    return since.astimezone(ZoneInfo(spec.time_zone)).date()


def _sent_before_restore(ledger: Ledger, run: PinnedRun, days: BusinessDays) -> str | None:
    """Return why a scheduled run sends nothing: the receiver has the days' file, the restored ledger says."""
    with ledger.connect() as connection:
        name = restored_deliveries.name_restored(connection, run.connection_id, days.first)
    if name is None:
        return None
    return (
        f"Nothing was sent: {name} of {days} was sent before the ledger was restored. To send it all the same, start a "
        f"run by hand with the parameter business_date={days.first}."
    )


def _sent_meanwhile(ledger: Ledger, run: PinnedRun, days: BusinessDays) -> str | None:
    """Return why a run that makes up for a turn sends nothing: another one did."""
    sent = sent_whole(ledger, run, days)
    return f"Nothing was sent: the report of {days} was sent by another run." if sent else None


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
) -> Delivery | None:
    """Export, and return the recorded delivery; None where there are no rows and nothing is to be sent then."""
    parts: list[Incoming] = []

    @contextmanager
    def open_part(number: int) -> Iterator[BinaryIO]:
        with landing.keep() as incoming:
            parts.append(incoming)
            yield cast("BinaryIO", incoming)

    date_from = _reach_back(ledger, run, spec, days)
    exported = reporting.export_report(
        ledger,
        Layout.of(report, spec.format),
        Parameters(date_from, days.last, program=spec.program, date_basis=spec.covers.date_basis),
        open_part,
        rows_per_file=spec.packaging.rows_per_file,
    )
    if not exported.rows and spec.packaging.when_empty == "skip":
        return None
    name = base_name(spec, days.first, days.last)
    with ledger.connect() as connection:
        if spec.details.existing == "version":
            name = versioned(name, 1 + deliveries.names_used(connection, run.connection_id, days.first))
        originals = [part.original for part in parts]
        names = part_names(name, len(parts))
        files = [
            {"file_name": file_name, "rows": rows, "size": kept.size, "sha256": kept.sha256, "landing_key": kept.key}
            for file_name, rows, kept in zip(names, exported.parts, originals, strict=True)
        ]
        values = {
            "connection_id": run.connection_id,
            "revision": run.revision,
            "run_id": run.id,
            "report": report.name,
            "kind": report.kind,
            "business_date": days.first,
            "last_date": days.last,
            "date_from": date_from,
            "date_basis": report.basis(spec.covers.date_basis),
            "note": note,
            "file_name": name,
            "size": sum(kept.size for kept in originals),
            "rows": exported.rows,
            "totals": exported.control,
        }
        return deliveries.get(connection, deliveries.record_export(connection, values, files))


def _reach_back(ledger: Ledger, run: PinnedRun, spec: OutboundConnection, days: BusinessDays) -> date:
    """Return the first day of the report: that of the run, or an earlier one that is sent again or was left out."""
    first = days.first - timedelta(days=spec.covers.days_again)
    if spec.covers.since_last_delivery:
        with ledger.connect() as connection:
            sent = deliveries.last_day_sent(connection, run.connection_id, before=days.first)
        since = sent + timedelta(days=1) if sent else _first_own_day(ledger, run, spec)
        first = min(since, days.first)
    return max(first, min(spec.active_from, days.first)) if spec.active_from else first


def _check(landing: Landing, delivery: Delivery, layout: Layout) -> dict[int, str]:
    """Recount every file, compare their sum with the ledger's, and return the MD5 of each by its number."""
    found = {file.number: _recounted(landing, delivery, file, layout) for file in delivery.files}
    what = f"Delivery {delivery.id} of {delivery.connection} ({delivery.file_name})"
    totals = reporting.together((counted.totals for counted in found.values()), layout.check.totals)
    reporting.compare(totals, delivery.totals, what=what)
    return {number: counted.md5 for number, counted in found.items()}


def _recounted(landing: Landing, delivery: Delivery, file: DeliveryFile, layout: Layout) -> Recount:
    with landing.open(file.landing_key) as source:
        found = reporting.recount(source, layout)
    if (found.sha256, found.size, found.rows) != (file.sha256, file.size, file.rows):
        raise TotalsMismatch(
            f"Delivery {delivery.id} of {delivery.connection}: the kept bytes of {file.file_name} are not those that "
            f"were exported ({found.rows:,} rows, {found.size:,} bytes with SHA-256 {found.sha256}). Run it again from "
            "export_report."
        )
    return found
