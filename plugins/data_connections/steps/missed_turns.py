"""Turns of a schedule that pass while a run waits: a connection runs one at a time, and Airflow skips them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from data_connections.ledger import Ledger, deliveries
from data_connections.spec import OutboundConnection, cron_line
from data_connections.steps.business_day import BusinessDays, business_days
from data_connections.steps.outbound_spec import outbound_spec
from data_connections.steps.pinned_run import PinnedRun

MADE_UP = "made_up"
"""Key of a run's configuration that says that it makes up for a turn that passed; its id begins so, too."""


_INSTANT = timedelta(microseconds=1)


def missed_days(ledger: Ledger, run: PinnedRun, since: datetime, now: datetime) -> list[date]:
    """Return the business dates whose reports nobody makes, because their turns passed while a run waited.

    The last turn that passed is not among them: Airflow catches up on that one itself, once the run has ended.

    Args:
        ledger: The ledger.
        run: The run that waited.
        since: When it was due.
        now: The present instant.
    """
    spec = outbound_spec(run.spec)
    passed = list(_turns(spec, since, now))
    missed = sorted({*passed} - {*passed[-1:]}, key=lambda days: days.first)
    return [days.first for days in missed if not sent_whole(ledger, run, days)]


def sent_whole(ledger: Ledger, run: PinnedRun, days: BusinessDays) -> bool:
    """Return whether the connection has sent a report of these days that was made after they were over."""
    over_at = datetime.combine(days.last + timedelta(days=1), time.min, ZoneInfo(run.spec.time_zone))
    with ledger.connect() as connection:
        return deliveries.is_sent_whole(connection, run.connection_id, days.first, over_at)


def _turns(spec: OutboundConnection, since: datetime, now: datetime) -> Iterator[BusinessDays]:
    """Yield the days of each turn that was due after ``since``, up to ``now``."""
    line = None if spec.paused else cron_line(spec.schedule, spec.name)
    if line is None:
        return
    begin = croniter(line, since.astimezone(ZoneInfo(spec.time_zone)) + _INSTANT).get_prev(datetime)
    turns = croniter(line, begin)
    while (due := turns.get_next(datetime)) <= now:
        yield business_days(spec, now, interval_start=begin)
        begin = due
