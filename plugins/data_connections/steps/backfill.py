"""A backfill: which turns of a connection's schedule it runs again, and how its runs differ from others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, Self
from zoneinfo import ZoneInfo

from croniter import croniter

from data_connections.errors import ConfigurationError
from data_connections.spec import ConnectionSpec, OutboundConnection, cron_line

MOST_RUNS = 10_000
CONF = "backfill"
"""Key of a run's configuration under which ``Conduct`` stands."""

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Conduct:
    """How a run conducts itself: those of a backfill tell nobody anything, unless somebody asked for it.

    Attributes:
        receipts: The partner gets receipt, summary and rejects.
        alerts: People are told when a run fails.
        again: Files whose rows are not all in the ledger are judged once more though no other revision holds.
        hold: Files that go out wait until somebody approves them.
    """

    receipts: bool = False
    alerts: bool = False
    again: bool = False
    hold: bool = False

    def must_fit(self, spec: ConnectionSpec) -> None:
        """Make sure that a connection can conduct itself like that.

        Raises:
            ConfigurationError: Files are to be held that come in.
        """
        if self.hold and not isinstance(spec, OutboundConnection):
            raise ConfigurationError(
                f"{spec.name} is inbound; only files that go out are held. `limits.hold_if` holds files that come in."
            )

    def as_conf(self, asked_for: str | None = None) -> dict[str, Any]:
        """Return the configuration for the runs, which ``of_run`` reads back.

        Args:
            asked_for: A text that no other backfill has, by which its runs are found again.
        """
        return {CONF: {**asdict(self), **({"asked_for": asked_for} if asked_for else {})}}

    @classmethod
    def of_run(cls, run_type: str, conf: Mapping[str, Any] | None) -> Self:
        """Return the conduct of a run, whatever started it.

        Args:
            run_type: Airflow's word for what started the run.
            conf: The run's configuration; a run that follows one of a backfill has its part of it.
        """
        own = (conf or {}).get(CONF)
        if own is None:
            return cls(receipts=run_type != "backfill", alerts=run_type != "backfill")
        return cls(**{each.name: bool(own.get(each.name)) for each in fields(cls)})


@dataclass(frozen=True)
class BackfillRange:
    """The instants between which the data intervals of a backfill start, in the connection's time zone.

    Attributes:
        first: Midnight before the first day.
        last: The last instant of the last day.
    """

    first: datetime
    last: datetime


def backfill_range(spec: ConnectionSpec, first: date, last: date, now: datetime) -> BackfillRange:
    """Return the range of a backfill over business days, both ends included.

    Raises:
        ConfigurationError: The connection has no schedule, the days are the wrong way round or not over, no run of
            the schedule falls on them, or there are more than 10,000.
    """
    line = None if spec.paused else cron_line(spec.schedule, spec.name)
    if line is None:
        raise ConfigurationError(f"Connection {spec.name} {_without_schedule(spec)}")
    if first > last:
        raise ConfigurationError(f"The backfill of {spec.name} would end on {last}, before it begins on {first}.")
    zone = ZoneInfo(spec.time_zone)
    today = now.astimezone(zone).date()
    if last >= today:
        raise ConfigurationError(
            f"Connection {spec.name}: {last} is not over in {spec.time_zone}. A backfill takes complete days; the last "
            f"one is {today - timedelta(days=1)}, and what comes later is the schedule's."
        )
    wanted = BackfillRange(
        datetime.combine(first, time.min, zone),
        (datetime.combine(last + timedelta(days=1), time.min, zone) - _INSTANT),
    )
    _check_count(spec, line, wanted)
    return wanted


def _without_schedule(spec: ConnectionSpec) -> str:
    if spec.paused:
        return "is paused in its spec, so it has no schedule to go through again. Apply it with `paused: false` first."
    way_out = (
        f"Run its days one by one: `connections run {spec.name} --business-date DATE`."
        if isinstance(spec, OutboundConnection)
        else f"Take its files by hand: `connections submit {spec.name} FILE`, or give it a schedule."
    )
    return f"runs on request only, so there is no schedule to go through again. {way_out}"


def _check_count(spec: ConnectionSpec, line: str, wanted: BackfillRange) -> None:
    runs = sum(1 for _ in islice(_starts(line, wanted), MOST_RUNS + 1))
    if not runs:
        raise ConfigurationError(
            f"No turn of the schedule of {spec.name} (`{line}`, {spec.time_zone}) begins from {wanted.first.date()} to "
            f"{wanted.last.date()}, so there is nothing to go through again. Ask for days on which it begins."
        )
    if runs > MOST_RUNS:
        raise ConfigurationError(
            f"The backfill of {spec.name} would make more than {MOST_RUNS:,} runs. Ask for fewer days at a time."
        )


def _starts(line: str, wanted: BackfillRange) -> Iterator[datetime]:
    turns = croniter(line, wanted.first - _INSTANT)
    while (start := turns.get_next(datetime)) <= wanted.last:
        yield start
