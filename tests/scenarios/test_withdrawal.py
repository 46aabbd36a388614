"""Withdrawn submissions: what goes back, what stands in the way, and what may come again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from data_connections.errors import ConfigurationError
from data_connections.steps.withdrawal import withdraw
from fixtures.desk import RECEIVED, Desk, table

ORDERS = "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount,Category,Sku,Quantity"
CHANGES = "ActionTrackerId,OrderId,Sku,Quantity,Amount,CustomerStatus,Reason"
LINES = (
    "1000,2001,2026-02-20T10:00:00Z,A,EUR,100.00,,,",
    "1000,2001,2026-02-20T10:00:00Z,B,EUR,50.00,,,",
    "1000,2001,2026-02-20T10:00:00Z,I,EUR,60.00,Shoes,BOOT,2",
    "1000,2001,2026-02-20T10:00:00Z,I,EUR,40.00,Socks,SOCK,4",
)


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.connect("changes", data_type="action_modifications")
    desk.connect("strict", data_type="action_modifications", limits={"hold_rows_for": "PT0S"})
    return desk


def change(shop: Desk, *rows: str, connection: str = "changes") -> dict[str, Any]:
    return shop.submit(table(CHANGES, *(f"2001,{row},OTHER" for row in rows)), "changes.csv", connection)


def state(shop: Desk) -> dict[str, Any]:
    rows = shop.ledger.all(
        "select order_id, state, amount, updated_by, extra, (select array_agg((i.quantity, i.amount) order by i.number)"
        " from action_item i where i.action_id = a.id)::text as items from action a order by id"
    )
    return {row["order_id"]: tuple(row.values())[1:] for row in rows}


def test_changed_actions_go_back_to_what_they_were(shop: Desk) -> None:
    shop.submit(table(ORDERS, *LINES))
    change(shop, "A,,,90.00,")
    before = state(shop)
    bad = change(shop, "A,,,80.00,NEW", "A,,,0,", "B,,,0,", "I,BOOT,1,,", "I,,,0,", "I,,,35.00,")
    assert state(shop) != before
    preview = withdraw(shop.ledger, bad["id"], RECEIVED, who="ada", dry_run=True)
    assert [(each["order_id"], each["old_amount"]) for each in preview.undone] == [("A", 90), ("B", 50), ("I", 100)]
    changed = state(shop)
    done = withdraw(shop.ledger, bad["id"], RECEIVED, who="ada")

    assert (done, changed != before, state(shop)) == (preview, True, before)
    assert shop.ledger.one("select count(*) as updates from action_update where kind = 'withdrawn'") == {"updates": 3}
    with pytest.raises(ConfigurationError, match="withdrawn before"):
        withdraw(shop.ledger, bad["id"], RECEIVED, who="ada")
    assert change(shop, "A,,,80.00,NEW", "A,,,0,", "B,,,0,", "I,BOOT,1,,", "I,,,0,", "I,,,35.00,")["state"] == "applied"


def test_what_is_locked_or_changed_since_stays_and_is_listed(shop: Desk) -> None:
    shop.submit(table(ORDERS, *LINES))
    bad = change(shop, "A,,,80.00,", "B,,,40.00,", "I,,,70.00,")
    later = change(shop, "B,,,30.00,")
    with shop.ledger.connect() as connection:
        connection.execute("update action set locks_at = %s where order_id = 'A'", [RECEIVED + timedelta(days=1)])
    done = withdraw(shop.ledger, bad["id"], RECEIVED + timedelta(days=1), who="ada")

    assert {each["order_id"]: each["obstacle"] for each in done.kept} == {
        "A": "Its locking date has passed.",
        "B": f"Submission {later['id']} changed it since.",
    }
    assert {order: row[1] for order, row in state(shop).items()} == {"A": 80, "B": 30, "I": 100}


def test_orders_of_a_withdrawn_file_may_come_again(shop: Desk) -> None:
    first = shop.submit(table(ORDERS, *LINES))
    change(shop, "B,,,40.00,")
    done = withdraw(shop.ledger, first["id"], RECEIVED, who="ada")
    assert [each["order_id"] for each in done.kept] == ["B"]
    assert {order: row[:2] for order, row in state(shop).items()} == {
        "A": ("REVERSED", 0),
        "B": ("PENDING", 40),
        "I": ("REVERSED", 0),
    }
    assert shop.codes(change(shop, "A,,,1.00,", connection="strict")) == {2: ["ACTION_NOT_FOUND"]}

    again = shop.submit(table(ORDERS, *LINES))
    assert (again["accepted"], again["duplicate"]) == (3, 1)
    assert [row[:3] for row in shop.actions()] == [("A", 1, 0), ("A", 2, 100), ("B", 1, 40), ("I", 1, 0), ("I", 2, 100)]


def test_held_rows_of_a_withdrawn_file_are_rejected(shop: Desk) -> None:
    waiting = change(shop, "A,,,80.00,")
    withdraw(shop.ledger, waiting["id"], RECEIVED, who="ada")
    shop.submit(table(ORDERS, *LINES))

    assert shop.codes(waiting) == {2: ["WITHDRAWN"]}
    assert state(shop)["A"][1] == 100
    found = shop.ledger.one("select rejected, held from submission where id = %s", [waiting["id"]])
    assert found == {"rejected": 1, "held": 0}
