"""When a run stops to look for files."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from data_connections.spec import InboundConnection, cron_line


def window_end(spec: InboundConnection, *, started_at: datetime, due_at: datetime | None) -> datetime:
    """Return the end of a run's arrival window.

    * ``continuous``: when the next run is due; without a schedule, ``wait`` after the start.
    * ``until``: that time of day, first reached after the run was due. A run that somebody started by hand keeps
      today's, and looks for ``wait`` at least.
    * else ``wait`` after the start.

    Args:
        spec: The connection.
        started_at: When the run started, with a time zone.
        due_at: When the schedule wanted it to start; None for a run that somebody started.
    """
    at_least = started_at + spec.arrival.wait
    zone = ZoneInfo(spec.time_zone)
    if spec.arrival.mode == "continuous":
        return _next_run(spec, started_at.astimezone(zone)) or at_least
    if spec.arrival.until is None:
        return at_least
    opened = (due_at or started_at).astimezone(zone)
    end = datetime.combine(opened.date(), spec.arrival.until, zone)
    if due_at is None:
        return max(end, at_least)
    return end if end > opened else datetime.combine(opened.date() + timedelta(days=1), spec.arrival.until, zone)


def _next_run(spec: InboundConnection, after: datetime) -> datetime | None:
    from croniter import croniter

    line = cron_line(spec.schedule, spec.name)
    return None if line is None else croniter(line, after).get_next(datetime)
