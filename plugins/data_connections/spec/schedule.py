"""When a connection runs: cron lines and the presets that stand for them."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter

from data_connections.errors import nearest

PRESETS: dict[str, str] = {
    "hourly": "{minute} * * * *",
    "every 2 hours": "{minute} */2 * * *",
    "every 4 hours": "{minute} */4 * * *",
    "every 8 hours": "{minute} */8 * * *",
    "twice daily": "{minute} 6,18 * * *",
    "daily": "{minute} {hour} * * *",
    "weekly": "{minute} {hour} * * 1",
    "monthly": "{minute} {hour} 1 * *",
}
"""Presets by name; minute and hour are spread by the connection's name so that not all run at once."""

ON_REQUEST = "on request"
"""The schedule of a connection that runs only when somebody starts it."""


def check_schedule(schedule: str) -> str:
    """Return ``schedule`` if it is a preset or a five-field cron line that fires at all.

    Raises:
        ValueError: With the reason, and the presets.
    """
    if schedule in PRESETS or schedule == ON_REQUEST:
        return schedule
    if len(schedule.split()) != 5:
        known = [*PRESETS, ON_REQUEST]
        near = nearest(schedule, known)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"{schedule!r} is neither a cron line of five fields nor one of: {', '.join(known)}{hint}")
    if re.search(r"\b[RH]\b", schedule, re.IGNORECASE):
        raise ValueError(f"{schedule!r} has a field that chance decides; write a number, * or a range")
    try:
        croniter(schedule, datetime(2026, 1, 1)).get_next(datetime)  # noqa: DTZ001 - only asks whether it fires
    except CroniterError as bad:
        raise ValueError(f"{schedule!r} is not a cron line that ever fires: {str(bad).rstrip('.')}") from bad
    return schedule


def next_run(schedule: str, name: str, time_zone: str, after: datetime) -> datetime | None:
    """Return when the connection ``name`` runs next after a time; None where no schedule says so.

    Args:
        schedule: A preset or a cron line, on the clocks of ``time_zone``.
        name: The connection's name.
        time_zone: An IANA time zone.
        after: With a time zone.
    """
    line = cron_line(schedule, name)
    if line is None:
        return None
    found: datetime = croniter(line, after.astimezone(ZoneInfo(time_zone))).get_next(datetime)
    return found


def cron_line(schedule: str, name: str) -> str | None:
    """Return the cron line of ``schedule`` for the connection ``name``; None when it has none.

    The minute of a preset, and the hour of a daily one (between 01:00 and 04:59), are spread by a hash of
    the name, so they are the same every day and on every machine.
    """
    if schedule == ON_REQUEST:
        return None
    if schedule not in PRESETS:
        return re.sub(r"\s+", " ", schedule.strip())
    digest = hashlib.sha256(name.encode()).digest()
    return PRESETS[schedule].format(minute=digest[0] % 60, hour=1 + digest[1] % 4)
