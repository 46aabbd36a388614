"""The days of what is expected, in zones whose clocks change, and over the ends of months."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from data_connections.errors import Mistakes
from data_connections.spec import ExpectedFiles, parse_spec
from fixtures.catalog import INBOUND, OUTBOUND, changed

BERLIN = "Europe/Berlin"


def rule(**values: object) -> ExpectedFiles:
    return ExpectedFiles.model_validate({"by": "15:00", **values})


def due(expected: ExpectedFiles, first: str, last: str) -> list[str]:
    days = expected.occasions(BERLIN, date.fromisoformat(first), date.fromisoformat(last))
    return [each.due_at.strftime("%d %H:%M") for each in days]


def test_it_stays_at_its_time_of_day_when_the_clocks_change() -> None:
    assert due(rule(), "2026-03-28", "2026-03-30") == ["28 14:00", "29 13:00", "30 13:00"]
    assert due(rule(), "2026-10-24", "2026-10-26") == ["24 13:00", "25 14:00", "26 14:00"]


def test_a_time_that_the_clocks_skip_or_show_twice_is_the_later_one() -> None:
    assert due(rule(by="02:30"), "2026-03-28", "2026-03-30") == ["28 01:30", "29 01:30", "30 00:30"]
    assert due(rule(by="02:30"), "2026-10-24", "2026-10-26") == ["24 00:30", "25 01:30", "26 01:30"]


def test_the_last_day_of_a_month_and_days_that_short_months_lack() -> None:
    assert due(rule(on=["last"]), "2028-02-01", "2028-04-30") == ["29 14:00", "31 13:00", "30 13:00"]
    assert due(rule(on=[31, 1]), "2026-01-30", "2026-03-02") == ["31 14:00", "01 14:00", "01 14:00"]
    assert due(rule(on="weekdays"), "2026-10-30", "2026-11-02") == ["30 14:00", "02 14:00"]


def test_files_count_from_a_day_before_and_not_before_the_last_day_was_missed() -> None:
    monday = next(rule(on="weekdays").occasions(BERLIN, date(2026, 3, 9), date(2026, 3, 9)))
    tuesday = next(rule(on="weekdays").occasions(BERLIN, date(2026, 3, 10), date(2026, 3, 10)))
    assert monday.opens_at == datetime(2026, 3, 8, 14, tzinfo=UTC)
    assert tuesday.opens_at == monday.closes_at == datetime(2026, 3, 9, 20, tzinfo=UTC)
    assert monday.warn_at == datetime(2026, 3, 9, 13, 30, tzinfo=UTC)


def test_a_rule_says_itself_in_words() -> None:
    one = rule(matching="*.csv", on="weekdays")
    many = rule(files=3, on=["monday", 15, "last"], time_zone="UTC")
    assert one.in_words(BERLIN) == "1 file *.csv by 15:00 Europe/Berlin on weekdays"
    assert many.in_words(BERLIN) == "3 files by 15:00 UTC on Monday, day 15 of the month, the last day of the month"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"by": "25:00"}, "hour"),
        ({"by": "15:00+01:00"}, "without an offset"),
        ({"on": "mondays"}, "'mondays' is neither a day"),
        ({"on": [32]}, "32 is neither a day"),
        ({"on": []}, "at least 1 item"),
        ({"files": 3, "at_most": 2}, "less than the files that are expected"),
        ({"date_in_name": -1}, "needs a date in `matching`"),
        ({"time_zone": "Berlin"}, "is not a time zone"),
    ],
)
def test_what_contradicts_itself_is_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(Mistakes, match=words):
        parse_spec(changed(INBOUND, expects=[{"by": "15:00", **wrong}]))


def test_the_same_is_not_expected_twice_and_a_push_is_not_collected() -> None:
    with pytest.raises(Mistakes, match="is expected twice"):
        parse_spec(changed(INBOUND, expects=[{"by": "15:00"}, {"by": "15:00", "files": 1}]))
    with pytest.raises(Mistakes, match="collect at our gateway"):
        parse_spec(changed(OUTBOUND, expects=[{"by": "15:00", "state": "collected"}]))
