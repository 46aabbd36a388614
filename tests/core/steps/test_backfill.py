"""Which turns of a schedule a backfill goes through again, what it refuses, and how its runs conduct themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from data_connections.errors import ConfigurationError
from data_connections.spec import parse_spec
from data_connections.steps.backfill import Conduct, backfill_range
from fixtures.catalog import INBOUND, OUTBOUND, changed

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def wanted(first: date, last: date, **changes: Any) -> tuple[str, str]:
    found = backfill_range(parse_spec(changed(OUTBOUND, **changes)), first, last, NOW)
    return found.first.isoformat(), found.last.isoformat()


def test_both_days_belong_to_it_whole_in_the_time_zone_of_the_connection() -> None:
    assert wanted(date(2026, 10, 5), date(2026, 10, 7), time_zone="America/New_York") == (
        "2026-10-05T00:00:00-04:00",
        "2026-10-07T23:59:59.999999-04:00",
    )


def test_days_on_both_sides_of_a_change_of_the_clocks_keep_their_own_offsets() -> None:
    assert wanted(date(2026, 10, 24), date(2026, 10, 26), time_zone="Europe/Berlin") == (
        "2026-10-24T00:00:00+02:00",
        "2026-10-26T23:59:59.999999+01:00",
    )


@pytest.mark.parametrize(
    ("changes", "first", "last", "sentence"),
    [
        (
            {"schedule": "on request"},
            date(2026, 10, 1),
            date(2026, 10, 2),
            "connections run acme-performance --business-",
        ),
        ({"paused": True}, date(2026, 10, 1), date(2026, 10, 2), "paused: false"),
        ({}, date(2026, 10, 2), date(2026, 10, 1), "before it begins"),
        ({}, date(2026, 11, 20), date(2026, 11, 24), "the last one is 2026-11-23"),
        ({"schedule": "0 4 1 * *"}, date(2026, 10, 2), date(2026, 10, 30), "No turn of the schedule"),
        ({"schedule": "*/5 * * * *"}, date(2026, 1, 1), date(2026, 10, 30), "more than 10,000 runs"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_way_out(
    changes: dict[str, Any], first: date, last: date, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        wanted(first, last, **changes)


def test_today_is_the_connection_s_own_day() -> None:
    late = datetime(2026, 11, 24, 22, tzinfo=UTC)
    spec = parse_spec(changed(OUTBOUND, time_zone="Asia/Tokyo"))
    assert backfill_range(spec, date(2026, 11, 24), date(2026, 11, 24), late)


def test_an_inbound_connection_without_a_schedule_is_told_another_way_out() -> None:
    spec = parse_spec(changed(INBOUND, schedule="on request"))
    with pytest.raises(ConfigurationError, match="connections submit acme-conversions FILE"):
        backfill_range(spec, date(2026, 10, 1), date(2026, 10, 2), NOW)


@pytest.mark.parametrize(
    ("run_type", "conf", "conduct"),
    [
        ("scheduled", None, Conduct(receipts=True, alerts=True)),
        ("manual", {"business_date": "2026-10-01"}, Conduct(receipts=True, alerts=True)),
        ("backfill", None, Conduct()),
        ("backfill", Conduct(receipts=True).as_conf("x"), Conduct(receipts=True)),
        ("operator_triggered", Conduct(alerts=True, again=True).as_conf(), Conduct(alerts=True, again=True)),
    ],
)
def test_runs_of_a_backfill_and_those_that_follow_them_tell_nobody_unless_asked(
    run_type: str, conf: dict[str, Any] | None, conduct: Conduct
) -> None:
    assert Conduct.of_run(run_type, conf) == conduct
