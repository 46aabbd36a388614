"""What people are told about the runs of a connection: once, again when it goes on, and when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from data_connections.ledger import Ledger, incidents, runs
from data_connections.steps import approval, manual, notices
from data_connections.steps.notices import Notice
from data_connections.steps.pinned_run import begin_run
from fixtures.desk import Desk, table

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount"


def orders(*amounts: str) -> str:
    return table(HEADER, *(f"1000,2001,2026-02-20T10:00:00Z,{n}-{a},{a}" for n, a in enumerate(amounts)))


class Runs:
    """Runs of the connection `orders`, each with one file; tells like a channel that always works."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.number = desk, 0

    def end(
        self, text: str | None = None, *, failure: str | None = None, now: datetime | None = None, name: str = "a.csv"
    ) -> list[Notice]:
        self.number += 1
        ledger = self.desk.ledger
        row = ledger.one("select revision from connection where name = 'orders'")
        assert row is not None
        run = begin_run(ledger, "orders", row["revision"], f"run {self.number}")
        if text is not None:
            submission = self.desk.submit(text, name)
            with ledger.connect() as connection:
                connection.execute("update submission set run_id = %s where id = %s", [run.id, submission["id"]])
        with ledger.connect() as connection:
            runs.finish(connection, run.id, failure=failure)
        told = notices.notices_of(ledger, "orders", f"run {self.number}", now=now)
        for notice in told:
            notices.record_told(ledger, notice, [])
        return told


def open_incidents(ledger: Ledger) -> list[Mapping[str, Any]]:
    return incidents.listing(ledger, connection="orders")


def test_a_burst_of_failures_is_told_once_and_then_that_it_is_over(desk: Desk) -> None:
    ended = Runs(desk)
    [first] = ended.end(failure="sftp.partner.test refused the login 'us'")
    assert (first.subject, first.good) == ("Connection orders: run failed", False)
    assert first.lines == ("sftp.partner.test refused the login 'us'",)
    assert [ended.end(failure="no answer") for _ in range(3)] == [[], [], []]
    [incident] = open_incidents(desk.ledger)
    assert (incident["kind"], incident["runs"], incident["text"]) == ("failed", 4, "no answer")

    [over] = ended.end(orders("1.00"))

    assert (over.subject, over.good) == ("Connection orders: recovered", True)
    assert "4 runs" in over.lines[0]
    assert open_incidents(desk.ledger) == []
    assert ended.end(orders("2.00")) == []


def test_a_trouble_that_goes_on_is_told_again_after_a_day(desk: Desk) -> None:
    ended = Runs(desk)
    ended.end(failure="no answer")
    now = datetime.now(UTC)
    assert ended.end(failure="no answer", now=now + timedelta(hours=23)) == []
    [again] = ended.end(failure="no answer", now=now + timedelta(hours=25))
    assert again.lines[-1].startswith("3 runs with it since")


def test_a_refused_file_is_named_with_its_code_and_none_of_its_content(desk: Desk) -> None:
    secret = "jane.doe@example.test"
    [told] = Runs(desk).end(f'{HEADER}\n1000,2001,2026-02-20T10:00:00Z,"{secret}', name="x\ny.csv")
    text = "\n".join(told.lines)
    assert "quarantined" in text
    assert secret not in text
    assert "x\ny" not in text


def test_rejects_are_told_above_the_number_that_the_spec_gives(desk: Desk) -> None:
    desk.connect(alerts={"rejects_over": 1})
    ended = Runs(desk)
    assert ended.end(orders("1.00", "bad")) == []
    [told] = ended.end(orders("2.00", "bad", "worse"))
    assert told.subject == "Connection orders: many rows rejected"
    assert "2 rows rejected" in "\n".join(told.lines)
    assert ended.end() == []
    assert [kind["kind"] for kind in open_incidents(desk.ledger)] == ["rejects"]
    assert [notice.good for notice in ended.end(orders("3.00"))] == [True]


def test_a_file_on_hold_is_told_until_somebody_has_decided(desk: Desk) -> None:
    desk.connect(limits={"hold_if": {"rows_over": 1}})
    ended = Runs(desk)
    [told] = ended.end(orders("1.00", "2.00"))
    assert told.subject == "Connection orders: file on hold"
    assert ended.end(orders("3.00")) == []
    [submission] = desk.ledger.all("select id from submission where state = 'on_hold'")
    approval.approve(desk.ledger, submission["id"], "tester")
    manual.finish(desk.ledger, desk.landing, submission["id"])
    [over] = ended.end(orders("4.00"))
    assert over.good


def test_what_the_spec_leaves_out_is_recorded_and_not_told(desk: Desk) -> None:
    desk.connect(alerts={"about": ["held"]})
    ended = Runs(desk)
    assert ended.end(failure="no answer") == []
    assert [incident["told_at"] for incident in open_incidents(desk.ledger)] == [None]
    assert ended.end(orders("1.00")) == []


def test_the_same_run_again_tells_nothing_new_and_one_that_goes_on_nothing_at_all(desk: Desk) -> None:
    ended = Runs(desk)
    ended.end(failure="no answer")
    assert notices.notices_of(desk.ledger, "orders", "run 1") == []
    begin_run(desk.ledger, "orders", 1, "run 9")
    assert notices.notices_of(desk.ledger, "orders", "run 9") == []
    assert [incident["runs"] for incident in open_incidents(desk.ledger)] == [1]


def test_actions_that_lock_before_the_next_run_are_told_until_a_file_has_none(desk: Desk) -> None:
    with desk.ledger.connect() as connection:
        connection.execute("update event_type set locking_after = 'event', locking_days = 10 where id = 2001")
    desk.connect(schedule="0 6 * * 1")  # the file comes on a Sunday, and actions of 19 February lock that night
    ended = Runs(desk)
    [told] = ended.end(table(HEADER, "1000,2001,2026-02-19T10:00:00Z,A,1.00"))
    assert told.subject == "Connection orders: actions lock before the next run"
    assert told.lines[0].startswith("1 rows are about actions that lock before the connection runs again")
    assert told.lines[1].startswith("Submission ")
    assert ended.end() == []
    [over] = ended.end(table(HEADER, "1000,2001,2026-02-20T10:00:00Z,B,1.00"))
    assert over.subject == "Connection orders: recovered"


def test_what_stands_in_hostile_files_is_in_no_notice(desk: Desk) -> None:
    desk.connect(alerts={"rejects_over": 0})
    hostile = ("alice@private.test", "4111111111111111", "<script>alert(1)</script>", "https://evil.test/{{ x }}")
    rows = (f'1000,2001,2026-02-20T10:00:00Z,"{cell}","{cell}"' for cell in hostile)
    name = "a\r\nBcc: spy@evil.test\n\x1b[31m<!channel>.csv"
    told = Runs(desk).end(table(HEADER, *rows), name=name)
    told += Runs(desk).end(f"\x89PNG{hostile[0]}\x00", name="b.csv", failure="refused")
    assert told
    for text in (line for notice in told for line in (notice.subject, *notice.lines)):
        assert not [cell for cell in hostile if cell in text]
        assert text.isprintable()
