"""Files that have to be there by a time of day, and the days on which they have to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from data_connections.errors import nearest
from data_connections.spec.details import Pattern
from data_connections.spec.file_pattern import FilePattern
from data_connections.spec.time_zone import TimeZone

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAMES = ("every day", "weekdays", *WEEKDAYS, "last")


def _days(given: Any) -> Any:
    """Return a single day as a list of one.

    Raises:
        ValueError: A day is none.
    """
    days = [given] if isinstance(given, str | int) else given
    for day in days if isinstance(days, list | tuple) else ():
        if day not in _NAMES and not (isinstance(day, int) and 1 <= day <= 31):
            near = nearest(str(day), _NAMES)
            hint = f"; did you mean {near!r}?" if near else ""
            raise ValueError(f"{day!r} is neither a day of a month from 1 to 31 nor one of: {', '.join(_NAMES)}{hint}")
    return days


Days = Annotated[
    tuple[str | int, ...],
    BeforeValidator(_days, json_schema_input_type=tuple[str | int, ...] | str),
    Field(min_length=1),
]
"""Days of a rule: ``every day``, ``weekdays``, names of weekdays, numbers of days in a month, ``last``."""
Length = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=31))]
_DAY = timedelta(days=1)
_LONGEST_GAP = 400
"""Days within which even a rule for the 31st has had its day before this one."""


@dataclass(frozen=True)
class Occasion:
    """One day's turn of a rule; instants are UTC.

    Attributes:
        day: The day, in the rule's time zone.
        opens_at: Files that were received before do not count.
        warn_at: When it is said that nothing is there yet; None where it is not.
        due_at: When the files are late.
        closes_at: When they are missed.
    """

    day: date
    opens_at: datetime
    warn_at: datetime | None
    due_at: datetime
    closes_at: datetime


class Expected(BaseModel, ABC):
    """What has to have happened by a time of day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: time = Field(description="Time of day by which it has to be, such as 15:00; after it the files are late.")
    time_zone: TimeZone | None = Field(default=None, description="Zone of `by` and of the days; the connection's.")
    on: Days = Field(
        default=("every day",),
        description="`every day`, `weekdays`, or a list of weekdays' names, of numbers of days in a month, and `last` "
        "for its last day.",
    )
    warn_before: Length | None = Field(
        default=timedelta(minutes=30), description="How long before `by` it is said that nothing is there; null: never."
    )
    missed_after: Length = Field(default=timedelta(hours=6), description="How long after `by` late becomes missed.")
    unusual: Annotated[float, Field(gt=1)] | None = Field(
        default=5.0,
        description="Files whose size or rows are so many times more, or less, than the median of those before are "
        "told; null: never.",
    )

    @model_validator(mode="after")
    def _has_no_offset(self) -> Expected:
        if self.by.tzinfo is not None:
            raise ValueError("`by` is a time of day without an offset; `time_zone` says where")
        return self

    def zone(self, default: str) -> ZoneInfo:
        """Return the zone of ``by``: its own, or the connection's."""
        return ZoneInfo(self.time_zone or default)

    def falls_on(self, day: date) -> bool:
        """Whether something is expected on a day."""
        names = {"every day", WEEKDAYS[day.weekday()], day.day}
        if day.weekday() < 5:
            names.add("weekdays")
        if (day + _DAY).month != day.month:
            names.add("last")
        return bool(names & set(self.on))

    def due_at(self, day: date, default: str) -> datetime:
        """Return the instant of ``by`` on a day; the later one where the clocks show it twice, or skip it."""
        zone = self.zone(default)
        return max(datetime.combine(day, self.by.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1))

    def occasions(self, default: str, first: date, last: date) -> Iterator[Occasion]:
        """Yield the turns from one day to another, both included.

        Args:
            default: The connection's time zone.
            first: First day, in the rule's zone.
            last: Last day.
        """
        before = self._day_before(first)
        for day in self._days_of(first, last):
            due = self.due_at(day, default)
            earlier = [self.due_at(before, default) + self.missed_after] if before else []
            before = day
            yield Occasion(
                day=day,
                opens_at=max([due - self.counts_before(), *earlier]),
                warn_at=due - self.warn_before if self.warn_before else None,
                due_at=due,
                closes_at=due + self.missed_after,
            )

    def counts_before(self) -> timedelta:
        """Return how long before ``by`` what happens counts."""
        return _DAY

    @abstractmethod
    def what(self) -> str:
        """Return in words what is expected."""

    def in_words(self, default: str) -> str:
        """Return the rule in words, such as ``1 file by 15:00 Europe/Berlin on weekdays``.

        Args:
            default: The connection's time zone.
        """
        days = ", ".join(map(_day_in_words, self.on))
        on = days if days == "every day" else f"on {days}"
        return f"{self.what()} by {self.by:%H:%M} {self.zone(default).key} {on}"

    def _days_of(self, first: date, last: date) -> Iterator[date]:
        days = (first + _DAY * number for number in range((last - first).days + 1))
        return filter(self.falls_on, days)

    def _day_before(self, first: date) -> date | None:
        days = (first - _DAY * number for number in range(1, _LONGEST_GAP))
        return next(filter(self.falls_on, days), None)


def _day_in_words(day: str | int) -> str:
    if isinstance(day, int):
        return f"day {day} of the month"
    return {"last": "the last day of the month"}.get(day, day.capitalize() if day in WEEKDAYS else day)


class ExpectedFiles(Expected):
    """Files that have to come in by a time of day; a copy of an earlier file and an empty one count, and are told."""

    files: int = Field(default=1, ge=1, description="How many.")
    at_most: int | None = Field(default=None, ge=1, description="More than these are told; `files` where left out.")
    matching: Pattern | None = Field(
        default=None, description="Names of files that count, as in `file_pattern`; every file where left out."
    )
    early: Length = Field(default=_DAY, description="How long before `by` files may come and count.")
    date_in_name: Annotated[int, Field(ge=-31, le=31)] | None = Field(
        default=None,
        description="Only files whose name has the day that is so many days from the expected one, such as -1 for the "
        "day before; left out: by arrival alone.",
    )

    @model_validator(mode="after")
    def _counts_go_together(self) -> ExpectedFiles:
        if self.at_most is not None and self.at_most < self.files:
            raise ValueError(f"`at_most: {self.at_most}` is less than the files that are expected: {self.files}")
        if self.date_in_name is not None and not (self.matching and FilePattern(self.matching).has_date):
            raise ValueError("`date_in_name` needs a date in `matching`, such as orders_{date:%Y-%m-%d}.csv")
        return self

    def counts_before(self) -> timedelta:
        """Return how long before ``by`` files may come and count."""
        return self.early

    @property
    def most(self) -> int:
        """How many files are still right."""
        return self.at_most or self.files

    def counts(self, name: str, day: date) -> bool:
        """Whether a file of this name is one of those that are expected on a day."""
        if self.matching is None:
            return True
        pattern = FilePattern(self.matching)
        if self.date_in_name is None:
            return pattern.matches(name)
        return pattern.business_date(name) == day + _DAY * self.date_in_name

    def what(self) -> str:
        """Return in words what is expected."""
        named = f" {self.matching}" if self.matching else ""
        return f"{self.files} file{'' if self.files == 1 else 's'}{named}"


class ExpectedDelivery(Expected):
    """The report of the last complete business day, that has to have gone out by a time of day."""

    state: Literal["delivered", "collected"] = Field(
        default="delivered",
        description="`delivered`: it stands at the receiver; `collected`: the partner fetched it from our gateway.",
    )

    def what(self) -> str:
        """Return in words what is expected."""
        return f"report {self.state}"
