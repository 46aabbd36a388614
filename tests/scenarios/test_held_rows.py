"""Rows that come before what they hang on: held, freed in their order, rejected when their time is up."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest

from data_connections.reports import Layout, Parameters, load_reports, write_checked
from data_connections.settings import PROJECT
from data_connections.steps.held_rows import retry_held
from fixtures.desk import RECEIVED, Desk, table

ORDERS = "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount,CustomerId,Category,Sku,Quantity"
CHANGES = "ActionTrackerId,OrderId,Amount,CurrencyCode,Reason"


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """A program in which second orders (2002) follow first ones (2001) of the same customer."""
    with desk.ledger.connect() as connection:
        connection.execute("update event_type set parent_id = 2001 where id = 2002")
    desk.connect("changes", data_type="action_modifications")
    return desk


def order(number: str, amount: object, customer: str = "c0", event_type: int = 2001, item: str = ",,") -> str:
    return f"1000,{event_type},2026-02-20T10:00:00Z,{number},EUR,{amount},{customer},{item}"


def change(shop: Desk, *rows: str, **options: Any) -> dict[str, Any]:
    return shop.submit(table(CHANGES, *rows), "changes.csv", "changes", **options)


def counts(shop: Desk, submission: dict[str, Any]) -> tuple[Any, ...]:
    row = shop.ledger.one(
        "select state, rows, accepted, rejected, duplicate, held from submission where id = %s", [submission["id"]]
    )
    assert row is not None
    sums = shop.ledger.one(
        "select coalesce(sum(rows), 0) as rows from submission_total where submission_id = %s", [submission["id"]]
    )
    assert sums == {"rows": row["rows"]}
    return tuple(row.values())


def test_a_modification_waits_for_its_order_and_is_applied_with_it(shop: Desk) -> None:
    first = change(shop, "2001,A,8.00,EUR,OTHER", "2001,A,7.00,EUR,OTHER", "2001,B,1.00,EUR,OTHER")
    assert counts(shop, first) == ("applied", 3, 0, 0, 0, 3)
    assert shop.codes(first) == {line: ["ACTION_NOT_FOUND"] for line in (2, 3, 4)}
    assert first["errors"][0]["outcome"] == "held"
    second = change(shop, "2001,A,6.00,EUR,OTHER", "2001,A,6.00,EUR,OTHER")

    shop.submit(table(ORDERS, order("A", "10.00")))
    assert counts(shop, first) == ("applied", 3, 2, 0, 0, 1)
    assert counts(shop, second) == ("partly_applied", 2, 1, 1, 0, 0)
    assert shop.codes(second) == {3: ["NO_CHANGE"]}
    rows = shop.ledger.all("select old_amount, new_amount, submission_id from action_update order by id")
    assert [tuple(row.values()) for row in rows] == [
        (10, 8, first["id"]),
        (8, 7, first["id"]),
        (7, 6, second["id"]),
    ]


def test_changes_count_in_the_order_in_which_they_were_made_whenever_they_were_received(shop: Desk) -> None:
    """So that reports of days gone by add up: no change before its order, none before the one that it follows."""
    day = timedelta(days=1)
    change(shop, "2001,A,8.00,EUR,OTHER", "2001,B,,EUR,APPROVED", received_at=RECEIVED)
    shop.submit(table(ORDERS, order("A", "10.00"), order("B", "5.00")), received_at=RECEIVED + 2 * day)
    change(shop, "2001,A,6.00,EUR,OTHER", received_at=RECEIVED + 5 * day)
    change(shop, "2001,A,4.00,EUR,OTHER", received_at=RECEIVED + 4 * day)

    changes = shop.ledger.all("select new_amount, received_at from action_update order by id")
    assert [(int(row["new_amount"]), row["received_at"] - RECEIVED) for row in changes] == [
        (8, 2 * day), (5, 2 * day), (6, 5 * day), (4, 5 * day)
    ]  # fmt: skip
    assert shop.ledger.one("select locked_at from action where order_id = 'B'") == {"locked_at": RECEIVED + 2 * day}
    reports = load_reports(PROJECT / "include")
    for name in ("performance_by_day", "action_listing", "action_updates", "month_statement"):
        for number in range(7):
            at = (RECEIVED + number * day).date()
            write_checked(shop.ledger, Layout.of(reports[name]), Parameters(at, at, date_basis="updated"), io.BytesIO())


def test_what_is_held_never_overwrites_what_came_later(shop: Desk) -> None:
    with shop.ledger.connect() as connection:
        connection.execute("update event_type set parent_id = null where id = 2002")
    held = change(shop, "2001,A,8.00,EUR,OTHER")
    shop.connect("other", data_type="action_modifications")
    with shop.ledger.connect() as connection:
        connection.execute('update held_row set staged = staged || \'{"order_id": "waits"}\'')
    shop.submit(table(ORDERS, order("A", "10.00")))
    change(shop, "2001,A,5.00,EUR,OTHER")
    with shop.ledger.connect() as connection:
        connection.execute('update held_row set staged = staged || \'{"order_id": "A"}\'')
    retry_held(shop.ledger, RECEIVED)

    assert shop.codes(held) == {2: ["SUPERSEDED"]}
    assert shop.actions() == [("A", 1, 5, "EUR")]


def test_rows_are_rejected_when_their_time_is_up(shop: Desk) -> None:
    held = change(shop, "2001,A,8.00,EUR,OTHER", "2001,A,8.00,USD,OTHER")
    until = shop.ledger.one("select min(held_until) as until from held_row")
    assert until is not None
    assert retry_held(shop.ledger, until["until"] - timedelta(seconds=1)) == []
    retry_held(shop.ledger, until["until"])

    assert counts(shop, held) == ("partly_applied", 2, 0, 2, 0, 0)
    assert shop.codes(held) == {2: ["ACTION_NOT_FOUND"], 3: ["ACTION_NOT_FOUND"]}
    assert shop.ledger.one("select count(*) as rows from held_row") == {"rows": 0}


def test_a_connection_may_hold_nothing(shop: Desk) -> None:
    shop.connect("changes", data_type="action_modifications", limits={"hold_rows_for": "PT0S"})

    assert counts(shop, change(shop, "2001,A,8.00,EUR,OTHER")) == ("partly_applied", 1, 0, 1, 0, 0)


def test_a_child_waits_for_its_parent_with_all_its_lines(shop: Desk) -> None:
    child = shop.submit(
        table(
            ORDERS,
            order("C", "1.00", "c1", 2002, "Shoes,BOOT,1"),
            order("C", "2.00", "c1", 2002, "Shoes,SHOE,1"),
            order("D", "4.00", "c2", 2002),
        )
    )
    assert counts(shop, child) == ("applied", 3, 0, 0, 0, 3)
    shop.submit(table(ORDERS, order("P", "9.00", "c1")), "parents.csv")

    assert counts(shop, child) == ("applied", 3, 2, 0, 0, 1)
    assert shop.actions() == [("C", 1, 3, "EUR"), ("P", 1, 9, "EUR")]
    assert shop.ledger.one("select count(*) as items from action_item") == {"items": 2}


def test_parent_and_child_may_come_in_one_file_and_free_a_modification(shop: Desk) -> None:
    waiting = change(shop, "2002,C,0.50,EUR,OTHER")
    both = shop.submit(table(ORDERS, order("C", "1.00", "c1", 2002), order("P", "9.00", "c1")))

    assert counts(shop, both) == ("applied", 2, 2, 0, 0, 0)
    assert counts(shop, waiting) == ("applied", 1, 1, 0, 0, 0)
    assert [(name, int(amount * 10)) for name, _, amount, _ in shop.actions()] == [("C", 5), ("P", 90)]


def test_held_rows_that_do_not_add_up_fail_neither_the_file_that_frees_them_nor_others(
    shop: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    broken = change(shop, "2001,A,8.00,EUR,OTHER")
    good = change(shop, "2001,A,7.00,EUR,OTHER")
    with shop.ledger.connect() as connection:
        tampered = "update held_row set staged = staged || '{\"measured_amount\": 99}' where submission_id = %s"
        connection.execute(tampered.encode(), [broken["id"]])
    done = shop.submit(table(ORDERS, order("A", "10.00")))

    assert (done["state"], done["accepted"]) == ("applied", 1)
    assert counts(shop, good) == ("applied", 1, 1, 0, 0, 0)
    assert counts(shop, broken) == ("applied", 1, 0, 0, 0, 1)
    assert f"submission {broken['id']} were left as they are" in caplog.text
    assert "totals do not add up" in caplog.text
