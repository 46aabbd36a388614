"""What is said about a spec when it is applied, over both changes of the clocks and the end of a month."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from data_connections.ledger import Ledger, incidents
from data_connections.spec import parse_spec
from data_connections.steps.contradictions import contradictions, doubts
from fixtures.catalog import INBOUND, OUTBOUND, apply_to, changed


def said(spec: dict[str, Any], **changes: Any) -> list[str]:
    return [each.message for each in contradictions(parse_spec(changed(spec, **changes)))]


def warned(schedule: str, zone: str = "Europe/Berlin", **more: Any) -> list[str]:
    return list(doubts(parse_spec(changed(INBOUND, schedule=schedule, time_zone=zone, **more))))


@time_machine.travel(datetime(2026, 10, 1, tzinfo=UTC))
def test_a_time_that_the_clocks_skip_or_show_twice_is_warned_about_with_the_day() -> None:
    twice, skipped = warned("30 2 * * *")
    assert twice.startswith("On 2026-10-25 the clocks of Europe/Berlin show 02:30 twice; the run comes once")
    assert skipped.startswith("On 2027-03-28 the clocks of Europe/Berlin skip 02:30; that day's run comes at 03:30")
    (south,) = [text for text in warned("15 0 * * *", "Africa/Cairo") if "skip" in text]
    assert "skip 00:15; that day's run comes at 01:15" in south
    assert warned("30 2 * * 1-5") == warned("30 6 * * *") == warned("30 2 * * *", "UTC") == []
    assert warned("30 * * * *") == warned("0 */2 * * *") == warned("30 2 * * *", paused=True) == []


@time_machine.travel(datetime(2026, 3, 29, 12, tzinfo=UTC))
def test_after_the_change_the_next_one_is_meant() -> None:
    assert [text[3:13] for text in warned("30 2 * * *")] == ["2026-10-25", "2027-03-28"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schedule": "on request"}, "runs on request only"),
        ({"schedule": "30 6 * * 1-5"}, "no run looks for files"),
        ({"schedule": "0 6 1 * *"}, "no run looks for files"),
        ({"schedule": "0 * * * *", "expects": [{"by": "15:00", "missed_after": "PT25H"}]}, "`missed_after`"),
    ],
)
@time_machine.travel(datetime(2026, 10, 20, 12, tzinfo=UTC))
def test_an_expectation_that_no_run_looks_after_is_refused(changes: dict[str, Any], words: str) -> None:
    (text,) = said(INBOUND, **{"expects": [{"by": "15:00"}], **changes})
    assert text.startswith("'1 file by 15:00 Europe/Berlin every day' contradicts the rest: ")
    assert words in text


@time_machine.travel(datetime(2026, 10, 20, 12, tzinfo=UTC))
def test_expectations_that_the_schedule_can_meet_are_fine() -> None:
    daily = [{"by": "15:00"}]
    assert said(INBOUND, expects=daily) == []
    assert said(INBOUND, schedule="30 6 * * 1-5", expects=[{"by": "15:00", "on": "weekdays"}]) == []
    assert said(INBOUND, schedule="30 6 * * 1", arrival={"mode": "continuous"}, expects=daily) == []
    assert said(INBOUND, schedule="0 6 1 * *", expects=[{"by": "06:30", "on": [1]}]) == []
    assert said(INBOUND, schedule="0 6 * * *", expects=[{"by": "23:00", "on": ["last"]}]) == []
    hosted = {"methodology": "push", "credentials": None, "schedule": "on request", "expects": daily}
    assert said({**INBOUND, "details": {"file_pattern": "*.csv"}}, **hosted) == []


@time_machine.travel(datetime(2026, 10, 20, 12, tzinfo=UTC))
def test_a_report_that_is_expected_before_it_is_made_is_refused() -> None:
    assert said(OUTBOUND, expects=[{"by": "06:00"}]) == []
    assert said(OUTBOUND, schedule="0 4 * * 1", expects=[{"by": "06:00", "on": ["monday", "friday"]}]) == []
    (text,) = said(OUTBOUND, expects=[{"by": "03:00"}])
    assert "the schedule has last run at Tue 2026-10-20 04:00" in text or "has last run at Mon 2026-10-19 04:00" in text
    (monthly,) = said(OUTBOUND, schedule="0 4 1 * *", expects=[{"by": "03:00", "on": [1]}])
    assert "was not over" in monthly


def test_an_alert_address_that_refused_mail_is_warned_about(ledger: Ledger) -> None:
    spec = changed(INBOUND, alerts={"email": ["gone@example.test", "us@example.test"]})
    apply_to(ledger, spec)
    with ledger.connect() as connection:
        row = connection.execute("select id from connection").fetchone()
        assert row is not None
        incident = incidents.occur(connection, row["id"], "late", "late", subject="a file")
        incidents.told(connection, incident.id, "e-mail to gone@example.test: refused, 550 no such user; Slack: x")
    found = [text for text in doubts(parse_spec(spec), ledger) if "mail server" in text]
    assert found == [
        "The mail server refused gone@example.test last time (refused, 550 no such user): alerts to it get lost."
    ]
