"""What of a spec can never come true, and what should be looked at twice: said when it is applied."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from croniter import croniter

from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from data_connections.spec import (
    ConnectionSpec,
    ExpectedDelivery,
    ExpectedFiles,
    InboundConnection,
    Occasion,
    cron_line,
)
from data_connections.spec.clock_changes import clock_troubles
from data_connections.steps.business_day import business_days

LOOKED_AT = 40
"""Days of a rule that are compared with the schedule."""
_YEAR = timedelta(days=366)


def contradictions(spec: ConnectionSpec, now: datetime | None = None) -> Iterator[ConfigurationError]:
    """Yield what `expects` asks for and the schedule never does; the first such day of each rule."""
    now = now or datetime.now(UTC)
    line = cron_line(spec.schedule, spec.name)
    for rule in spec.expects:
        words = rule.in_words(spec.time_zone)
        today = now.astimezone(rule.zone(spec.time_zone)).date()
        days = list(islice(rule.occasions(spec.time_zone, today, today + _YEAR), LOOKED_AT))
        wrong = _overlaps(days) or next(filter(None, (_wrong(spec, rule, line, day) for day in days)), None)
        if wrong:
            yield ConfigurationError(f"{words!r} contradicts the rest: {wrong}", field="expects")


def doubts(spec: ConnectionSpec, ledger: Ledger | None = None, now: datetime | None = None) -> Iterator[str]:
    """Yield what of a spec works and may still surprise: clocks that change, alert addresses that refused mail."""
    line = None if spec.paused else cron_line(spec.schedule, spec.name)
    if line is not None:
        yield from clock_troubles(line, spec.time_zone, now or datetime.now(UTC))
    for address in spec.alerts.email if ledger is not None else ():
        if refused := _refused(ledger, address):
            yield f"The mail server refused {address} last time ({refused}): alerts to it get lost."


def _wrong(spec: ConnectionSpec, rule: ExpectedFiles | ExpectedDelivery, line: str | None, day: Occasion) -> str | None:
    if isinstance(spec, InboundConnection) and spec.methodology == "push":
        return None  # a file that a partner puts at our gateway starts its run itself
    zone = ZoneInfo(spec.time_zone)
    due = day.due_at.astimezone(zone)
    if line is None:
        return "the connection runs on request only, so that nothing looks or sends by itself; give it a schedule."
    last: datetime = croniter(line, due + timedelta(seconds=1)).get_prev(datetime)
    if isinstance(rule, ExpectedDelivery):
        if business_days(spec, last) != business_days(spec, day.due_at):
            return (
                f"by {due:%a %Y-%m-%d %H:%M} the schedule has last run at {last:%a %Y-%m-%d %H:%M}, when the day that "
                "is expected was not over. Expect it later, or run earlier."
            )
        return None
    if isinstance(spec, InboundConnection) and _looks_until(spec, line, last) <= day.opens_at:
        return (
            f"from {day.opens_at.astimezone(zone):%a %Y-%m-%d %H:%M} to {due:%a %Y-%m-%d %H:%M} no run looks for files "
            f"(the last one starts at {last:%a %Y-%m-%d %H:%M}). Expect them on days that the schedule has, or later."
        )
    return None


def _looks_until(spec: InboundConnection, line: str, start: datetime) -> datetime:
    """Return when the run that starts then has looked for the last time."""
    if spec.arrival.mode == "continuous":
        return croniter(line, start).get_next(datetime)  # type: ignore[no-any-return]  # croniter has no types
    if spec.arrival.until is None:
        return start + spec.arrival.wait
    end = datetime.combine(start.date(), spec.arrival.until, start.tzinfo)
    return end if end > start else end + timedelta(days=1)


def _overlaps(days: list[Occasion]) -> str | None:
    for day, following in pairwise(days):
        if day.closes_at > following.due_at:
            return (
                f"the files of {day.day} would be missed only after those of {following.day} are due: `missed_after`."
            )
    return None


def _refused(ledger: Ledger | None, address: str) -> str | None:
    """Return what a mail server said about an address, where nothing was told since."""
    found = ledger and ledger.one(
        """
        select channel_trouble from incident where told_at is not null and strpos(channel_trouble, %s) > 0
        order by told_at desc limit 1
        """,
        [f"e-mail to {address}: "],
    )
    if not found:
        return None
    said: str = found["channel_trouble"].partition(f"e-mail to {address}: ")[2]
    return said.partition(";")[0]
