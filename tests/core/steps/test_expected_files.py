"""Files that have to be there by a time of day: warned before, late, missed, there after all, not as usual."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from data_connections.ledger import incidents, standstill
from data_connections.queries.expected import Expectation, expectations
from data_connections.steps import notices
from data_connections.steps.expected_files import watch
from fixtures.catalog import OUTBOUND, apply_to, changed
from fixtures.desk import Desk, table

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount"
RULE = {"by": "15:00", "time_zone": "Europe/Berlin", "on": "weekdays"}
MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday; 15:00 in Berlin is 14:00 UTC


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


class Watch:
    """Looks at what is expected, as the watching DAG does; tells by channels that always work."""

    def __init__(self, desk: Desk, *rules: dict[str, Any], **changes: Any) -> None:
        self.desk, self.files = desk, 0
        desk.connect(expects=list(rules or [RULE]), **changes)
        self.look(MORNING)

    def look(self, now: datetime) -> list[str]:
        told = watch(self.desk.ledger, now)
        for each in told:
            notices.record_told(self.desk.ledger, each.notice, [])
        return [f"{each.notice.subject.partition(': ')[2]}: {each.notice.lines[-1]}" for each in told]

    def arrives(self, when: datetime, rows: int = 1, name: str = "orders.csv", text: str | None = None) -> None:
        self.files += 1
        lines = (f"1000,2001,2026-02-20T10:00:00Z,{self.files}-{n},1.00" for n in range(rows))
        self.desk.submit(text or table(HEADER, *lines), name, received_at=when)

    def day(self, day: int = 2) -> Expectation:
        with self.desk.ledger.connect() as connection:
            (found,) = expectations(connection, None, date(2026, 3, day), date(2026, 3, day))
        return found

    def open(self) -> list[str]:
        return [each["kind"] for each in incidents.listing(self.desk.ledger)]


def test_a_file_that_does_not_come_is_warned_late_and_missed_and_the_next_one_ends_it(desk: Desk) -> None:
    seen = Watch(desk)
    assert seen.look(at(13, 29)) == []
    assert seen.look(at(13, 30)) == ["not there yet: No file came."]
    assert seen.look(at(13, 40)) == []
    assert seen.look(at(14, 0)) == ["late: No file came."]
    assert (seen.day().state, seen.open()) == ("late", ["late"])
    assert seen.look(at(20, 0)) == ["missed: No file came."]
    assert (seen.day().state, seen.open()) == ("missed", ["missed"])
    seen.arrives(at(13, day=3))
    assert seen.look(at(13, 10, day=3)) == ["recovered: It came at 2026-03-03 13:00 UTC."]
    assert (seen.day(3).state, seen.open()) == ("met", [])


def test_a_file_in_time_is_told_by_nobody(desk: Desk) -> None:
    seen = Watch(desk)
    seen.arrives(at(13, 59))
    assert [seen.look(at(hour)) for hour in (14, 17, 20)] == [[], [], []]
    assert (seen.day().state, seen.day().met_at, seen.day().look) == ("met", at(13, 59), "good")


def test_a_late_file_ends_the_trouble(desk: Desk) -> None:
    seen = Watch(desk)
    assert seen.look(at(14)) == ["late: No file came."]
    seen.arrives(at(14, 40))
    assert seen.look(at(14, 50)) == ["recovered: It came at 2026-03-02 14:40 UTC."]
    assert (seen.day().state, seen.day().look) == ("met_late", "warned")


def test_no_file_is_expected_at_the_weekend(desk: Desk) -> None:
    seen = Watch(desk)
    assert seen.look(at(23, day=6)) != []
    with desk.ledger.connect() as connection:
        days = {each.day.day for each in expectations(connection, None, date(2026, 3, 6), date(2026, 3, 9))}
    assert seen.look(at(23, day=7)) == seen.look(at(23, day=8)) == []
    assert days == {6, 9}


def test_too_many_files_and_too_few_are_told_with_their_number(desk: Desk) -> None:
    seen = Watch(desk, {**RULE, "files": 2, "matching": "orders_*.csv"})
    seen.arrives(at(10), name="orders_1.csv")
    seen.arrives(at(10), name="other.csv")
    assert seen.look(at(14)) == ["late: 1 of 2 files came."]
    for number in (2, 3):
        seen.arrives(at(15), name=f"orders_{number}.csv")
    assert seen.look(at(15, 10)) == [
        "recovered: It came at 2026-03-02 15:00 UTC.",
        "not as usual: 3 files came; 2 were expected.",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (table(HEADER), "not as usual: orders.csv has no rows."),
        (None, "not as usual: orders.csv is a copy of an earlier file."),
    ],
    ids=["empty", "copy"],
)
def test_an_empty_file_or_a_copy_counts_and_is_told(desk: Desk, text: str | None, said: str) -> None:
    seen = Watch(desk)
    copy = table(HEADER, "1000,2001,2026-02-20T10:00:00Z,A,1.00")
    seen.arrives(at(8, day=1), text=copy)
    seen.arrives(at(12), text=text or copy)
    assert seen.look(at(14)) == [said]
    assert (seen.day().state, seen.day().look) == ("met", "warned")


def test_a_file_that_was_refused_does_not_count(desk: Desk) -> None:
    seen = Watch(desk)
    seen.arrives(at(12), text=f'{HEADER}\n1000,2001,"broken')
    assert seen.look(at(14)) == ["late: No file came."]


def test_a_file_far_from_the_median_of_those_before_is_told(desk: Desk) -> None:
    seen = Watch(desk)
    for day in range(1, 6):
        desk.received = datetime(2026, 2, day, tzinfo=UTC)
        seen.arrives(desk.received, rows=10)
    seen.arrives(at(12), rows=1)
    assert seen.look(at(14)) == ["not as usual: orders.csv has 1 rows; the median of the 5 before is 10."]
    seen.arrives(at(12, day=3), rows=12)
    assert seen.look(at(21, day=3)) == []
    assert (seen.day(3).look, seen.open()) == ("good", [])


def test_a_date_in_the_name_tells_which_day_a_file_is_for(desk: Desk) -> None:
    seen = Watch(desk, {**RULE, "matching": "orders_{date:%Y-%m-%d}.csv", "date_in_name": -1})
    seen.arrives(at(12), name="orders_2026-02-28.csv")
    assert seen.look(at(14)) == ["late: No file came."]
    seen.arrives(at(14, 30), name="orders_2026-03-01.csv")
    assert seen.look(at(15)) == ["recovered: It came at 2026-03-02 14:30 UTC."]


def test_a_file_that_lies_there_untaken_is_named(desk: Desk) -> None:
    seen = Watch(desk)
    with desk.ledger.connect() as connection:
        connection.execute(
            """
            insert into sighting (connection_id, path, name, size, mtime, decision, reason, last_seen_at)
            select id, '/x/orders.tmp', 'orders.tmp', 1, now(), 'ignored', 'it is temporary', %s from connection
            """,
            [at(13)],
        )
    assert seen.look(at(14)) == ["late: Seen and not taken: orders.tmp: it is temporary."]


def test_a_rule_that_is_taken_back_ends_with_its_troubles(desk: Desk) -> None:
    seen = Watch(desk)
    assert seen.look(at(14)) != []
    desk.connect(expects=[])
    assert seen.look(at(15)) == []
    assert seen.open() == []


def test_a_watcher_that_was_away_judges_the_days_by_when_files_came(desk: Desk) -> None:
    seen = Watch(desk)
    for day in (3, 4):
        seen.arrives(at(12, day=day))
    assert seen.look(at(20, day=5)) == ["missed: No file came."] * 2
    assert [seen.day(day).state for day in (2, 3, 4, 5)] == ["missed", "met", "met", "missed"]


def test_nobody_is_told_that_files_are_late_while_their_connection_is_in_maintenance(desk: Desk) -> None:
    seen = Watch(desk)
    with desk.ledger.connect() as connection:
        row = connection.execute("select id from connection").fetchone()
        standstill.add_window(connection, row["id"], None, at(13), at(21), reason="New server", who="boss")
    assert [seen.look(at(hour, 30)) for hour in (13, 14, 20)] == [[], [], []]
    assert seen.open() == []
    assert seen.look(at(21)) == ["missed: No file came."]


def test_days_gone_by_that_a_backfill_goes_through_again_are_not_told_as_late(desk: Desk) -> None:
    seen = Watch(desk)
    seen.arrives(at(13))
    for day in range(3, 7):
        seen.look(at(21, day=day - 1))
        seen.arrives(at(13, day=day))
    seen.arrives(datetime(2026, 1, 12, 14, tzinfo=UTC))
    seen.arrives(datetime(2026, 1, 13, 22, tzinfo=UTC), name="orders_again.csv")
    assert seen.look(at(21, day=6)) == []
    assert seen.open() == []


def test_a_report_that_was_not_delivered_in_time_is_told(desk: Desk) -> None:
    ledger = desk.ledger
    apply_to(ledger, changed(OUTBOUND, schedule="0 4 * * *", expects=[{"by": "06:00"}]))
    assert watch(ledger, at(5)) == []
    (told,) = watch(ledger, at(6))
    assert told.notice.subject == "Connection acme-performance: late"
    assert told.notice.lines[-1] == "The report of 2026-03-01 was not delivered yet."
    notices.record_told(ledger, told.notice, [])
    with ledger.connect() as connection:
        connection.execute(
            """
            insert into delivery (connection_id, revision, report, business_date, last_date, date_from, version, state,
                                  file_name, rows, delivered_at)
            select id, 1, 'performance_by_day', '2026-03-01', '2026-03-01', '2026-03-01', 1, 'delivered', 'p.csv', 5,
                   %s from connection where name = 'acme-performance'
            """,
            [at(6, 20)],
        )
    (told,) = watch(ledger, at(6, 30))
    assert (told.notice.good, told.notice.lines[-1]) == (True, "It came at 2026-03-02 06:20 UTC.")
