"""Schedules as people say them, and the next times they fire."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from cron_descriptor import FormatError, Options, get_description
from croniter import croniter

from data_connections.spec import ON_REQUEST, cron_line

TIMES_SHOWN = 5


@lru_cache(maxsize=4096)
def schedule_in_words(schedule: str, name: str) -> str:
    """Return a schedule in words, such as ``At 06:30``, in its time zone; a line without words as it is."""
    line = cron_line(schedule, name)
    if line is None:
        return ON_REQUEST.capitalize()
    options = Options()
    options.use_24hour_time_format = True
    try:
        return str(get_description(line, options))
    except FormatError:
        return line


def next_times(schedule: str, name: str, time_zone: str, count: int = TIMES_SHOWN) -> list[datetime]:
    """Return the next times that a schedule fires, in its own time zone; none for one on request."""
    line = cron_line(schedule, name)
    if line is None:
        return []
    times = croniter(line, datetime.now(ZoneInfo(time_zone)))
    return [times.get_next(datetime) for _ in range(count)]
