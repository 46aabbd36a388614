"""Times: ISO 8601 to UTC, local times by their zone's clocks, ages in whole days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import Column
from data_connections.errors import ConfigurationError
from data_connections.validation.lexical import Problem, as_mask, kept, matches
from data_connections.validation.outcomes import Mask, ValidationOptions

_DATE = "[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_OFFSET = "(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)"
_WITH_OFFSET = f"{_DATE}[T ]{_TIME}{_OFFSET}"
_WITHOUT_OFFSET = f"{_DATE}(?:[T ]{_TIME})?"

UTC_TIME = pa.timestamp("us", tz="UTC")
_LOCAL_TIME = pa.timestamp("us")
_MICROSECONDS_A_DAY = 86_400_000_000
_FIRST_LIKELY = pa.scalar(datetime(1990, 1, 1, tzinfo=UTC), UTC_TIME)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a time on the wall has no zone
_LAST = np.datetime64("9999-12-31T23:59:59.999999", "us").astype(np.int64)

Microseconds = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Clock:
    """The zone and the received time by which times are read.

    Attributes:
        zone: Zone of times without an offset, and of the days that ages are counted in.
        received_at: What ``NOW`` stands for, in UTC.
        latest: The last moment at which an event may lie.
    """

    zone: ZoneInfo
    received_at: datetime
    latest: datetime

    @classmethod
    def of(cls, options: ValidationOptions) -> Clock:
        """Return the clock that the options describe.

        Raises:
            ConfigurationError: There is no such time zone.
        """
        try:
            zone = ZoneInfo(options.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise ConfigurationError(
                f"There is no time zone {options.time_zone!r}: give an IANA name such as Europe/Berlin.",
                field="time_zone",
            ) from unknown
        return cls(zone, options.received_at, options.received_at + options.future_tolerance)

    def oldest(self, days: int) -> datetime:
        """Return the first moment of the day that lies ``days`` days before the day of the received time."""
        day = self.received_at.astimezone(self.zone).date() - timedelta(days=days)
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)


def read_times(column: Column, cells: pa.Array, present: Mask, clock: Clock) -> tuple[pa.Array, Iterator[Problem]]:
    """Read dates and times as ISO 8601 writes them.

    With an offset (``Z``, ``+00``, ``+0000``, ``+00:00``) they are exact; without one they are times of the clock's
    zone; a date alone is its midnight there. ``NOW`` is the received time where the column allows it.

    Returns:
        The times in UTC (null where empty or bad), and masks of the bad cells by code.
    """
    utc, known = _cast(cells, matches(cells, _WITH_OFFSET), UTC_TIME)
    rest = present & ~known
    skipped = repeated = np.zeros(len(cells), dtype=bool)
    if rest.any():
        walls, written = _cast(cells, rest & matches(cells, _WITHOUT_OFFSET), _LOCAL_TIME)
        moments, skipped, repeated = to_utc(walls, written, clock.zone)
        utc, known = np.where(written, moments, utc), known | (written & ~skipped & ~repeated)
        if column.now_allowed:
            now = rest & as_mask(pc.equal(pc.ascii_upper(cells), "NOW"))
            utc, known = np.where(now, _microseconds(clock.received_at), utc), known | now
    known &= utc <= _LAST
    problems = [
        ("LOCAL_TIME_SKIPPED", skipped),
        ("LOCAL_TIME_REPEATED", repeated),
        ("NOT_DATETIME", present & ~known & ~skipped & ~repeated),
    ]
    return pa.array(utc, mask=~known).cast(_LOCAL_TIME).cast(UTC_TIME), iter(problems)


def age_problems(column: Column, values: pa.Array, exempt: Mask | None, clock: Clock) -> Iterator[Problem]:
    """Find events that are too old, or lie in the future, by the column's rule; dates before 1990 are no ages.

    Args:
        column: A column with `max_age`.
        values: Its times in UTC.
        exempt: Where the longer age of ``with_column_days`` holds.
        clock: Received time and zone: an event is accepted on any time of the last accepted day of that zone.
    """
    rule = column.max_age
    if rule is None:
        return
    likely = ~unlikely_dates(values)
    too_old = as_mask(pc.less(values, pa.scalar(clock.oldest(rule.days), UTC_TIME)))
    if exempt is not None and rule.with_column_days is not None:
        far_too_old = as_mask(pc.less(values, pa.scalar(clock.oldest(rule.with_column_days), UTC_TIME)))
        too_old = np.where(exempt, far_too_old, too_old)
    yield rule.code, too_old & likely
    yield "EVENT_IN_FUTURE", as_mask(pc.greater(values, pa.scalar(clock.latest, UTC_TIME)))


def unlikely_dates(values: pa.Array) -> Mask:
    """Return where a time in UTC lies before 1990: a default of some program, or a year that lost its digits."""
    return as_mask(pc.less(values, _FIRST_LIKELY))


def to_utc(walls: Microseconds, known: Mask, zone: ZoneInfo) -> tuple[Microseconds, Mask, Mask]:
    """Turn times on the clocks of a zone into UTC.

    Args:
        walls: Microseconds since 1970-01-01 on those clocks.
        known: Which of them count.
        zone: The zone.

    Returns:
        Microseconds in UTC, and masks of the times that the clocks skip and of those that they repeat.
    """
    skipped = np.zeros(len(walls), dtype=bool)
    repeated = np.zeros(len(walls), dtype=bool)
    if zone.key == "UTC":
        return walls, skipped, repeated
    days, day_of = np.unique(walls // _MICROSECONDS_A_DAY, return_inverse=True)
    offsets = [_steady_offset(zone, day) for day in days.tolist()]
    moments = walls - np.array([offset or 0 for offset in offsets], dtype=np.int64)[day_of]
    changing = np.array([offset is None for offset in offsets])[day_of]
    for row in np.flatnonzero(known & changing).tolist():
        moments[row], skipped[row], repeated[row] = _on_the_day_of_change(int(walls[row]), zone)
    return moments, skipped, repeated


@lru_cache(maxsize=4096)
def _steady_offset(zone: ZoneInfo, day: int) -> int | None:
    """Return the zone's offset in microseconds on a day (days since 1970) on which the clocks do not change."""
    try:
        start = _EPOCH + timedelta(days=day)
        times = [start + timedelta(hours=hour) for hour in range(-1, 26)]
    except OverflowError:
        return None
    offsets = {moment.replace(tzinfo=zone, fold=fold).utcoffset() for moment in times for fold in (0, 1)}
    offset = offsets.pop()
    return offset // timedelta(microseconds=1) if not offsets and offset is not None else None


def _on_the_day_of_change(wall: int, zone: ZoneInfo) -> tuple[int, bool, bool]:
    """Return microseconds in UTC, whether the clocks skip the time, and whether they repeat it."""
    local = _EPOCH + timedelta(microseconds=wall)
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    try:
        exists = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local
        return _microseconds(first), not exists, exists and first.utcoffset() != second.utcoffset()
    except OverflowError:
        return int(_LAST) + 1, False, False


def _cast(cells: pa.Array, wanted: Mask, target: pa.DataType) -> tuple[Microseconds, Mask]:
    """Cast the wanted cells, which have the right form, to microseconds; those with no such date are not known."""
    chosen = kept(cells, wanted)
    try:
        values = pc.cast(chosen, target)
    except pa.ArrowInvalid:
        wanted = wanted & ~_no_such_date(chosen)
        values = pc.cast(kept(cells, wanted), target)
    return np.asarray(pc.fill_null(pc.cast(values, pa.int64()), 0).to_numpy(zero_copy_only=False)), wanted


def _no_such_date(cells: pa.Array) -> Mask:
    """Return where the first ten characters are no day of the calendar, such as 2026-02-30."""
    days = pc.utf8_slice_codeunits(cells, 0, 10).dictionary_encode()
    bad = pa.array([not _is_date(day) for day in days.dictionary.to_pylist()], pa.bool_())
    return as_mask(bad.take(days.indices))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
