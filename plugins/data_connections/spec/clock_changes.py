"""What becomes of a schedule on the days on which the clocks of its zone change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from croniter import croniter

AHEAD = timedelta(days=366)
_DAY, _MINUTE, _INSTANT = timedelta(days=1), timedelta(minutes=1), timedelta(microseconds=1)
_OFTEN = timedelta(hours=3)
"""Schedules that run more often than this lose and repeat nothing that anybody would miss."""


def clock_troubles(line: str, zone: str, now: datetime) -> Iterator[str]:
    """Yield, as sentences, turns of a cron line within a year whose time the clocks skip or show twice.

    Args:
        line: Five fields of cron.
        zone: IANA time zone that they are in.
        now: The present instant.
    """
    here = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    for skipped, begin, end in _changes(zone, now.astimezone(UTC).date().isoformat()):
        turn = croniter(line, begin - _INSTANT).get_next(datetime)
        if turn >= end or turn < here or croniter(line, turn).get_next(datetime) - turn < _OFTEN:
            continue
        if skipped:
            later = turn + (end - begin)
            yield (
                f"On {turn:%Y-%m-%d} the clocks of {zone} skip {turn:%H:%M}; that day's run comes at {later:%H:%M}. "
                "A time outside of the change is safer."
            )
        else:
            yield (
                f"On {turn:%Y-%m-%d} the clocks of {zone} show {turn:%H:%M} twice; the run comes once, the second time."
            )


@lru_cache(maxsize=256)
def _changes(zone: str, today: str) -> tuple[tuple[bool, datetime, datetime], ...]:
    """Return the stretches of wall time that are skipped (True) or come twice (False) within a year."""
    clock, start = ZoneInfo(zone), datetime.fromisoformat(today).replace(tzinfo=UTC)
    days = [start + _DAY * number for number in range(AHEAD.days + 1)]
    found = []
    for day, following in pairwise(days):
        if day.astimezone(clock).utcoffset() == following.astimezone(clock).utcoffset():
            continue
        at = _moment_of_change(clock, day, following)
        before = (at - _MINUTE).astimezone(clock).replace(tzinfo=None) + _MINUTE
        after = at.astimezone(clock).replace(tzinfo=None)
        found.append((before < after, min(before, after), max(before, after)))
    return tuple(found)


def _moment_of_change(clock: ZoneInfo, low: datetime, high: datetime) -> datetime:
    offset = low.astimezone(clock).utcoffset()
    while high - low > _MINUTE:
        middle = low + (high - low) / 2
        middle = middle.replace(second=0, microsecond=0)
        if middle.astimezone(clock).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high
