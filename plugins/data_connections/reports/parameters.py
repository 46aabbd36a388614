"""What a report is asked for: a range of days and a program; bound to the SQL, never put into its text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from data_connections.errors import ConfigurationError, UnknownName, nearest
from data_connections.ledger import Ledger
from data_connections.reports.definition import Report


@dataclass(frozen=True)
class Parameters:
    """The values that a report's SQL may name, as ``%(date_from)s`` and so on.

    Attributes:
        date_from: First day.
        date_to: Last day; it belongs to the range.
        program: Key of the only program; None for all.
        time_zone: IANA zone whose days are meant; None for each program's own.
        date_basis: Which date puts something into the range; None for the report's first.
    """

    date_from: date
    date_to: date
    program: str | None = None
    time_zone: str | None = None
    date_basis: str | None = None

    def __post_init__(self) -> None:
        if self.date_to < self.date_from:
            raise ConfigurationError(
                f"The last day {self.date_to} is before the first day {self.date_from}; the range includes both."
            )
        if self.time_zone is not None and self.time_zone not in available_timezones():
            raise ConfigurationError(
                f"{self.time_zone!r} is not a time zone such as 'Europe/Berlin' or 'UTC'.",
                suggestion=nearest(self.time_zone, available_timezones()),
            )

    def bound(self, report: Report) -> dict[str, Any]:
        """Return the values by name, for the SQL of a report.

        Raises:
            ConfigurationError: The report has no such date basis.
        """
        return {**asdict(self), "date_basis": report.basis(self.date_basis)}


PARAMETER_NAMES = tuple(Parameters.__dataclass_fields__)


@dataclass(frozen=True)
class Program:
    """A program as reports need it."""

    key: str
    name: str
    time_zone: str

    def day_is_over(self, day: date, at: datetime) -> bool:
        """Whether ``day`` of the program's calendar has ended at the instant ``at``."""
        return at.astimezone(ZoneInfo(self.time_zone)).date() > day

    def end_of(self, day: date) -> datetime:
        """Return the instant, in the program's zone, at which ``day`` ends."""
        tomorrow = day + timedelta(days=1)
        return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=ZoneInfo(self.time_zone))


def find_program(ledger: Ledger, name: str) -> Program:
    """Return the program of that key, or of that number.

    Raises:
        UnknownName: There is none; the nearest key is suggested.
    """
    rows = ledger.all("select id, key, name, time_zone from program order by key")
    for row in rows:
        if name in (row["key"], str(row["id"])):
            return Program(row["key"], row["name"], row["time_zone"])
    raise UnknownName("program", name, [row["key"] for row in rows])


def unfinished_in(ledger: Ledger, parameters: Parameters, at: datetime) -> list[str]:
    """Return the time zones, of those the report is about, in which its last day is not over at the instant ``at``."""
    zones = {parameters.time_zone} if parameters.time_zone else _zones_of_programs(ledger, parameters.program)
    return sorted(zone for zone in zones if at.astimezone(ZoneInfo(zone)).date() <= parameters.date_to)


def _zones_of_programs(ledger: Ledger, key: str | None) -> set[str]:
    query = "select distinct time_zone from program where %(key)s::text is null or key = %(key)s"
    return {row["time_zone"] for row in ledger.all(query, {"key": key})}
