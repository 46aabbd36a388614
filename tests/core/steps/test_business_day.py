"""Which days an outbound run is about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_connections.spec import OutboundConnection, parse_spec
from data_connections.steps.business_day import business_days

THURSDAY = datetime(2026, 6, 11, 3, 0, tzinfo=UTC)


def connection(schedule: str = "daily", time_zone: str = "UTC") -> OutboundConnection:
    spec = parse_spec(
        {
            "name": "acme-daily",
            "program": "acme",
            "data_type": "performance_by_day",
            "direction": "outbound",
            "method": "sftp",
            "credentials": "acme",
            "schedule": schedule,
            "time_zone": time_zone,
            "details": {"host": "sftp.example.com", "folder": "/out", "file_name": "report.csv"},
        }
    )
    assert isinstance(spec, OutboundConnection)
    return spec


@pytest.mark.parametrize(
    ("schedule", "interval_start", "days"),
    [
        ("17 3 * * *", "2026-06-10T03:17Z", ("2026-06-10", "2026-06-10")),
        ("daily", "2026-06-10T03:17Z", ("2026-06-10", "2026-06-10")),
        ("hourly", "2026-06-10T23:05Z", ("2026-06-10", "2026-06-10")),
        ("0 6,18 * * *", "2026-06-10T18:00Z", ("2026-06-10", "2026-06-10")),
        ("0 6 * * 1-5", "2026-06-12T06:00Z", ("2026-06-12", "2026-06-14")),
        ("0 6 * * 1", "2026-06-01T06:00Z", ("2026-06-01", "2026-06-07")),
        ("0 0 1 * *", "2026-02-01T00:00Z", ("2026-02-01", "2026-02-28")),
        ("on request", "2026-06-10T03:17Z", ("2026-06-10", "2026-06-10")),
    ],
)
def test_a_run_is_about_the_days_until_the_next_one(schedule: str, interval_start: str, days: tuple[str, str]) -> None:
    found = business_days(connection(schedule), THURSDAY, interval_start=datetime.fromisoformat(interval_start))
    assert (str(found.first), str(found.last)) == days


@pytest.mark.parametrize(
    ("zone", "day"), [("UTC", "2026-06-10"), ("Asia/Tokyo", "2026-06-11"), ("America/Los_Angeles", "2026-06-10")]
)
def test_the_connections_zone_says_what_day_it_is(zone: str, day: str) -> None:
    start = datetime(2026, 6, 10, 20, tzinfo=UTC)
    assert str(business_days(connection(time_zone=zone), THURSDAY, interval_start=start).first) == day


@pytest.mark.parametrize(
    ("schedule", "zone", "days"),
    [
        ("daily", "UTC", ("2026-06-10", "2026-06-10")),
        ("daily", "America/Los_Angeles", ("2026-06-09", "2026-06-09")),
        ("on request", "UTC", ("2026-06-10", "2026-06-10")),
        ("0 6 * * 1", "UTC", ("2026-06-01", "2026-06-07")),
        ("0 6 1 * *", "UTC", ("2026-05-01", "2026-05-31")),
    ],
)
def test_a_run_without_an_interval_is_about_the_last_days_that_are_over(
    schedule: str, zone: str, days: tuple[str, str]
) -> None:
    found = business_days(connection(schedule, zone), THURSDAY)
    assert (str(found.first), str(found.last)) == days


def test_the_day_that_was_asked_for_comes_first() -> None:
    start = datetime(2026, 6, 10, tzinfo=UTC)
    found = business_days(connection(), THURSDAY, business_date=date(2026, 1, 2), interval_start=start)
    assert (found.first, found.last) == (date(2026, 1, 2), date(2026, 1, 2))


@given(
    schedule=st.sampled_from(["17 3 * * *", "0 6 * * 1-5", "0 6 * * 1", "0 0 1 * *", "5 * * * *", "0 6 1,15 * *"]),
    day=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
)
def test_turns_follow_each_other_without_gap_or_overlap(schedule: str, day: date) -> None:
    days = business_days(connection(schedule), THURSDAY, business_date=day)
    assert days.first <= day <= days.last
    following = business_days(connection(schedule), THURSDAY, business_date=days.last + timedelta(days=1))
    assert following.first == days.last + timedelta(days=1)
