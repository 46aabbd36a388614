"""Which days a run is about (decision 13 of the design)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from data_connections.spec import InboundConnection, OutboundConnection, cron_line

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class BusinessDays:
    """The days of one run: a single one for a daily connection, a week for a weekly one.

    Attributes:
        first: The business date: it stands in the names of files and in the record of a delivery.
        last: Last day; it belongs to them.
    """

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def as_json(self) -> list[str]:
        """Return both days for a trigger's event; ``from_json`` reads them back."""
        return [self.first.isoformat(), self.last.isoformat()]

    @classmethod
    def from_json(cls, value: Sequence[str]) -> BusinessDays:
        """Return the days that ``as_json`` wrote."""
        first, last = map(date.fromisoformat, value)
        return cls(first, last)

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def business_days(
    spec: InboundConnection | OutboundConnection,
    now: datetime,
    *,
    business_date: date | None = None,
    interval_start: datetime | None = None,
) -> BusinessDays:
    """Return the days that a run is about.

    They are the days of one turn of the schedule: from the day of one run to the day before the next one, and
    at least one day. It is the turn of ``business_date``, else the one that ``interval_start`` lies in, else the
    last that is over.

    Args:
        spec: The connection; its time zone says what day it is.
        now: The present instant.
        business_date: The day that somebody asked for.
        interval_start: Start of the run's data interval.
    """
    zone = ZoneInfo(spec.time_zone)
    if business_date is not None:
        return _turn(spec, business_date)
    if interval_start is not None:
        return _turn(spec, interval_start.astimezone(zone).date())
    yesterday = now.astimezone(zone).date() - _DAY
    latest = _turn(spec, yesterday)
    return latest if latest.last <= yesterday else _turn(spec, latest.first - _DAY)


def _turn(spec: InboundConnection | OutboundConnection, day: date) -> BusinessDays:
    line = cron_line(spec.schedule, spec.name)
    if line is None:
        return BusinessDays(day, day)
    runs = croniter(line, datetime.combine(day + _DAY, time.min))
    first: date = runs.get_prev(datetime).date()
    following: date = runs.get_next(datetime).date()
    return BusinessDays(first, max(following - _DAY, first))
