from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_connections.data_types import DataType
from data_connections.errors import ConfigurationError

WALL = datetime(2001, 1, 1)
TYPE = DataType(
    name="times", title="Times", version="1", columns=[{"name": "V", "type": "datetime"}, {"name": "Other"}]
)
EVENTS = DataType(
    name="events",
    title="Events",
    version="1",
    columns=[
        {
            "name": "V",
            "type": "datetime",
            "now_allowed": True,
            "max_age": {"days": 88, "with_column": "M", "with_column_days": 398, "code": "EVENT_TOO_OLD"},
        },
        {"name": "M"},
    ],
)


@pytest.mark.parametrize(
    ("zone", "cell", "found"),
    [
        ("Europe/Berlin", "2026-03-29T01:59:59", datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)),
        ("Europe/Berlin", "2026-03-29T02:00:00", "LOCAL_TIME_SKIPPED"),
        ("Europe/Berlin", "2026-03-29T02:59:59.999999", "LOCAL_TIME_SKIPPED"),
        ("Europe/Berlin", "2026-03-29T03:00:00", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Berlin", "2025-10-26T01:59:59", datetime(2025, 10, 25, 23, 59, 59, tzinfo=UTC)),
        ("Europe/Berlin", "2025-10-26T02:00:00", "LOCAL_TIME_REPEATED"),
        ("Europe/Berlin", "2025-10-26T02:59:59", "LOCAL_TIME_REPEATED"),
        ("Europe/Berlin", "2025-10-26T03:00:00", datetime(2025, 10, 26, 2, tzinfo=UTC)),
        ("Europe/Berlin", "2025-10-26T02:30:00+02:00", datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
        ("Australia/Lord_Howe", "2026-04-05T01:30:00", "LOCAL_TIME_REPEATED"),
        ("Australia/Lord_Howe", "2025-10-05T02:15:00", "LOCAL_TIME_SKIPPED"),
        ("Pacific/Apia", "2011-12-30T12:00:00", "LOCAL_TIME_SKIPPED"),
        ("Asia/Beirut", "2026-03-29", "LOCAL_TIME_SKIPPED"),
        ("Asia/Kolkata", "2026-01-01", datetime(2025, 12, 31, 18, 30, tzinfo=UTC)),
        ("America/New_York", "9999-12-31T23:00:00", "NOT_DATETIME"),
    ],
)
def test_local_times_follow_the_clocks_of_their_zone(judge, zone, cell, found):
    judged = judge(f"V,Other\n{cell},\n", TYPE, time_zone=zone)
    if isinstance(found, str):
        assert judged.codes == {2: [found]}
    else:
        assert judged.typed[2]["V"] == found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moments=st.lists(
        st.datetimes(WALL.replace(year=1900), WALL.replace(year=2100)).map(lambda m: m.replace(microsecond=0)),
        min_size=1,
        max_size=30,
    ),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Casablanca"]),
)
def test_local_times_agree_with_zoneinfo(judge, moments, zone):
    judged = judge("V,Other\n" + "".join(f"{moment.isoformat()},\n" for moment in moments), TYPE, time_zone=zone)
    for line, moment in enumerate(moments, start=2):
        first, second = (moment.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
        back = first.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        code = "LOCAL_TIME_SKIPPED" if back != moment else "LOCAL_TIME_REPEATED" if first != second else None
        assert [found for found in judged.codes[line] if found != "DATE_UNLIKELY"] == ([code] if code else [])
        assert judged.typed[line]["V"] == (None if code else first)


def test_an_unknown_zone_is_a_mistake_of_the_configuration(judge):
    with pytest.raises(ConfigurationError, match="Mars"):
        judge("V,Other\n2026-01-01,\n", TYPE, time_zone="Europe/Mars")


@pytest.mark.parametrize(
    ("zone", "cell", "media", "codes"),
    [
        # Received on 15 June 2026 at 12:00 UTC: 88 days before is 19 March, 398 days before 13 May 2025.
        ("UTC", "2026-03-19T12:00:00Z", "", []),
        ("UTC", "2026-03-19T00:00:00Z", "", []),
        ("UTC", "2026-03-18T23:59:59Z", "", ["EVENT_TOO_OLD"]),
        ("UTC", "2026-03-18T23:59:59Z", "5", []),
        ("UTC", "2025-05-13T00:00:00Z", "5", []),
        ("UTC", "2025-05-12T23:59:59Z", "5", ["EVENT_TOO_OLD"]),
        ("Asia/Tokyo", "2026-03-19T00:00:00", "", []),
        ("Asia/Tokyo", "2026-03-18T23:59:59", "", ["EVENT_TOO_OLD"]),
        ("America/New_York", "2026-03-19T03:59:59Z", "", ["EVENT_TOO_OLD"]),
        ("America/New_York", "2026-03-19T04:00:00Z", "", []),
        ("UTC", "2026-06-16T12:00:00Z", "", []),
        ("UTC", "2026-06-16T12:00:01Z", "", ["EVENT_IN_FUTURE"]),
        ("UTC", "2038-01-19T03:14:08Z", "", ["EVENT_IN_FUTURE"]),
        ("UTC", "NOW", "", []),
    ],
)
def test_age_is_counted_in_days_of_the_zone_before_the_received_time(judge, zone, cell, media, codes):
    assert judge(f"V,M\n{cell},{media}\n", EVENTS, time_zone=zone).codes == {2: codes}


def test_now_is_the_received_time_not_the_clock(judge):
    received = datetime(2001, 2, 3, 4, 5, 6, tzinfo=ZoneInfo("Europe/Berlin"))
    assert judge("V,M\nNOW,\n", EVENTS, received_at=received).typed[2]["V"] == received.astimezone(UTC)


def test_a_received_time_needs_a_zone(judge):
    with pytest.raises(ValueError, match="time zone"):
        judge("V,M\nNOW,\n", EVENTS, received_at=WALL)


def test_days_are_counted_by_the_calendar_over_a_change_of_clocks(judge):
    received = datetime(2026, 3, 29, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    oldest = (received - timedelta(days=88)).replace(hour=0, minute=0)
    assert judge(f"V,M\n{oldest.isoformat()},\n", EVENTS, received_at=received, time_zone="Europe/Berlin").codes == {
        2: []
    }
