"""Kept originals judged once more: one by a person, or those of a backfill's days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from data_connections.errors import ConfigurationError
from data_connections.steps import inbound, manual, replay
from data_connections.steps.business_day import BusinessDays
from data_connections.steps.pinned_run import PinnedRun, begin_run
from fixtures.desk import Desk, table

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount"
SEMICOLONS = HEADER.replace(",", ";") + "\n1000;2001;2026-02-20T10:00:00Z;A;1,50\n"


def order(number: str, amount: str = "1.00") -> str:
    return f"1000,2001,2026-02-20T10:00:00Z,{number},{amount}"


def again(desk: Desk, submission: dict[str, Any], **options: Any) -> dict[str, Any]:
    number = replay.take_again(desk.ledger, submission["id"], who="tester", **options)
    return manual.finish(desk.ledger, desk.landing, number)


def begin(desk: Desk, run: str) -> PinnedRun:
    row = desk.ledger.one("select revision from connection where name = 'orders'")
    assert row is not None
    return begin_run(desk.ledger, "orders", row["revision"], run)


class TestOneSubmission:
    def test_rejected_rows_get_another_chance_and_accepted_ones_are_not_booked_twice(self, desk: Desk) -> None:
        first = desk.submit(table(HEADER, order("A"), order("B").replace("2001", "2009")))
        assert (first["accepted"], first["rejected"]) == (1, 1)
        with desk.ledger.connect() as connection:
            connection.execute("insert into event_type (id, program_id, name) values (2009, 1000, 'Late')")

        second = again(desk, first)

        assert (second["state"], second["accepted"], second["duplicate"]) == ("applied", 1, 1)
        assert (second["origin"], second["received_at"]) == ("replay", first["received_at"])
        assert [action[0] for action in desk.actions()] == ["A", "B"]
        kept = desk.ledger.one("select replays_id, landing_key from submission where id = %s", [second["id"]])
        assert kept is not None
        assert kept["replays_id"] == first["id"]
        what = desk.ledger.all("select who, what, subject, details from activity order by id")[-1]
        assert (what["who"], what["what"], what["subject"]) == (
            "tester",
            "submission.replayed",
            f"submission {first['id']}",
        )
        assert what["details"] == {"as": second["id"], "revision": 1}

    def test_the_difference_is_shown_before_anything_is_applied(self, desk: Desk) -> None:
        first = desk.submit(table(HEADER, order("A"), order("B", "oops")))

        found = replay.preview(desk.ledger, desk.landing, first["id"])

        assert found.then == {"rows": 2, "accepted": 1, "rejected": 1, "duplicate": 0, "held": 0, "EUR": "1.00"} | {
            "error NOT_DECIMAL": 1
        }
        assert found.now == {"rows": 2, "accepted": 0, "rejected": 1, "duplicate": 1, "held": 0} | {
            "error NOT_DECIMAL": 1,
            "error CONV_DUPLICATE": 1,
        }
        assert desk.ledger.one("select count(*) as n from submission") == {"n": 1}

    def test_today_s_revision_or_the_original_one_judges(self, desk: Desk) -> None:
        desk.connect(format={"delimiter": "comma"})
        refused = desk.submit(SEMICOLONS)
        assert refused["state"] == "quarantined"
        desk.connect(format={"delimiter": "semicolon"})

        assert again(desk, refused, original_revision=True)["state"] == "quarantined"
        assert again(desk, refused)["code"] != refused["code"]

    def test_one_that_has_no_original_is_refused(self, desk: Desk) -> None:
        first = desk.submit(table(HEADER, order("A")))
        with desk.ledger.connect() as connection:
            connection.execute(
                """update submission
                   set landing_key = null, fetched_at = null, state = 'quarantined', code = 'FILE_MISSING'"""
            )
        with pytest.raises(ConfigurationError, match="has no original"):
            replay.take_again(desk.ledger, first["id"], who="tester")


class TestDaysOfABackfill:
    DAY = BusinessDays(date(2026, 3, 1), date(2026, 3, 1))

    def quarantined(self, desk: Desk, name: str, day: int) -> dict[str, Any]:
        received = datetime(2026, 3, day, 12, tzinfo=UTC)
        return desk.submit(f"\x89PNG{name}\x00", name, received_at=received)

    def test_refused_files_of_the_days_are_taken_once_when_the_connection_has_changed(self, desk: Desk) -> None:
        wanted, other = self.quarantined(desk, "a.csv", 1), self.quarantined(desk, "b.csv", 2)
        run = begin(desk, "backfill 1")
        assert replay.take_days_again(desk.ledger, run, self.DAY) == []
        desk.connect(allow_empty=False)
        run = begin(desk, "backfill 2")

        [taken] = replay.take_days_again(desk.ledger, run, self.DAY)
        assert [leased.id for leased in inbound.lease(desk.ledger, run).submissions] == [taken]
        inbound.validate(desk.ledger, taken, desk.landing)

        rows = desk.ledger.all("select replays_id, revision, state from submission order by id")
        assert rows[-1] == {"replays_id": wanted["id"], "revision": 2, "state": "quarantined"}
        assert other["id"] not in [row["replays_id"] for row in rows]
        assert replay.take_days_again(desk.ledger, run, self.DAY) == []
        assert len(replay.take_days_again(desk.ledger, run, self.DAY, all_of_them=True)) == 1

    def test_the_date_in_the_name_counts_before_the_day_of_arrival(self, desk: Desk) -> None:
        self.quarantined(desk, "orders_20260301.csv", 5)
        desk.connect(details={"file_pattern": "orders_{date:%Y%m%d}.csv"})
        run = begin(desk, "backfill 1")
        assert len(replay.take_days_again(desk.ledger, run, self.DAY)) == 1

    def test_applied_files_stay_as_they_are(self, desk: Desk) -> None:
        desk.submit(table(HEADER, order("A")))
        desk.connect(allow_empty=False)
        assert replay.take_days_again(desk.ledger, begin(desk, "backfill 1"), self.DAY, all_of_them=True) == []
