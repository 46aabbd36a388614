"""The same bytes, the same name, an older file, the same second: each decided, told, and none lost or applied twice."""

from __future__ import annotations

from typing import Any

import pytest

from data_connections.catalog import revision
from data_connections.steps.probe import next_run
from fixtures.desk import Desk
from fixtures.sender import ARRIVED, Partner, orders_file


def events(desk: Desk) -> list[str]:
    rows = desk.ledger.all(
        "select what from activity where what like 'submission.%' and who = 'connections' order by id"
    )
    return [row["what"] for row in rows]


def codes(done: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in done["file_warnings"]}


def test_the_same_bytes_under_any_name_are_a_duplicate(desk: Desk) -> None:
    desk.submit(orders_file("A,1.00"), "a.csv")
    assert [desk.submit(orders_file("A,1.00"), name)["state"] for name in ("a.csv", "b.csv")] == ["duplicate"] * 2
    assert (len(desk.actions()), events(desk)) == (1, [])


@pytest.mark.parametrize(
    ("setting", "state", "orders"),
    [
        ("accept", "applied", [("A", 1), ("B", 2), ("C", 3)]),
        ("refuse", "quarantined", [("A", 1), ("B", 2)]),
        ("correct", "applied", [("A", 0), ("B", 0), ("B", 5), ("C", 3)]),
    ],
)
def test_the_same_name_with_other_bytes(desk: Desk, setting: str, state: str, orders: list[tuple[str, int]]) -> None:
    desk.connect(same_name=setting)
    first = desk.submit(orders_file("A,1.00", "B,2.00"), "day.csv")
    again = ["B,5.00", "C,3.00"] if setting == "correct" else ["C,3.00"]
    done = desk.submit(orders_file(*again), "day.csv")

    assert (done["state"], done["rejected"]) == (state, 0)
    assert sorted((order, int(amount)) for order, _, amount, _ in desk.actions()) == orders
    told = ["submission.same_name"] + (["submission.withdrawn"] if setting == "correct" else [])
    assert events(desk) == told
    assert ("SAME_NAME" in codes(done)) or done["code"] == "SAME_NAME"
    assert (
        f"submission {first['id']}"
        in desk.ledger.one("select details from activity where what = %s", [told[0]])["details"]["message"]
    )
    states = desk.ledger.all("select withdrawn_at is not null as withdrawn from submission order by id")
    assert [row["withdrawn"] for row in states] == [setting == "correct", False]


def test_a_name_whose_file_was_refused_is_free(desk: Desk) -> None:
    desk.connect(same_name="refuse")
    desk.submit(b"\x89PNG\r\n\x00", "day.csv")
    assert desk.submit(orders_file("A,1.00"), "day.csv")["state"] == "applied"
    assert events(desk) == []


def test_a_file_with_an_older_time_that_comes_late_is_taken_and_told(partner: Partner) -> None:
    desk = partner.desk
    desk.connect(details={"after_read": "keep"})
    run = partner.begin()
    partner.put("new.csv", "A,1.00")
    [first] = partner.claim(run)
    partner.steps(first)
    partner.put_bytes("old.csv", orders_file("B,2.00"), ARRIVED - 86_400)
    [late] = partner.claim(run)
    assert partner.steps(late)["state"] == "applied"
    assert [order for order, *_ in desk.actions()] == ["A", "B"]
    assert events(desk) == []

    desk.connect("changes", data_type="action_modifications", details={"file_pattern": "*"})
    header = "OrderId,ActionTrackerId,Amount,Reason\n"
    desk.submit(header + "A,2001,8.00,ORDER_UPDATE\n", "young.csv", "changes")
    done = desk.submit(
        header + "A,2001,7.00,ORDER_UPDATE\n", "old.csv", "changes", received_at=desk.received.replace(hour=1)
    )
    assert (done["state"], "CAME_LATE" in codes(done), events(desk)) == ("applied", True, ["submission.came_late"])


def test_a_trial_says_what_a_run_would_take(partner: Partner) -> None:
    desk = partner.desk
    desk.connect(details={"after_read": "keep"})
    partner.put("a.csv", "A,1.00")
    [claimed] = partner.claim(partner.begin())
    partner.steps(claimed)
    partner.put("b.csv", "B,1.00")
    partner.put("c.txt", "C,1.00")
    row = desk.ledger.one("select id, revision from connection where name = 'orders'")
    spec = revision(desk.ledger, "orders", row["revision"]).spec
    step = next_run(desk.ledger, row["id"], spec, partner.endpoint)
    assert step.message == (
        "A run would take 1 file now: b.csv; 1 file was taken before; 1 file would be left: its name does not fit the "
        "connection's file pattern."
    )
    assert desk.ledger.one("select count(*) as seen from sighting") == {"seen": 1}


def test_files_of_the_same_second_are_all_taken_once(partner: Partner) -> None:
    run = partner.begin()
    for name, order in (("b.csv", "B,1.00"), ("a.csv", "A,1.00"), ("c.csv", "C,1.00")):
        partner.put(name, order)
    claimed = partner.claim(run)
    assert [partner.steps(each)["state"] for each in claimed] == ["applied"] * 3
    assert partner.claim(run) == []
    assert len(partner.desk.actions()) == 3
