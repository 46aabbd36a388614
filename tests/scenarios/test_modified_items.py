"""Modifications of items, and of one file after the other: quantities, shares, turns, sums."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from fixtures.changes import HEADER, action, change, items, row, updates
from fixtures.desk import RECEIVED, Desk, table


def test_items_take_absolute_quantities_at_their_price(shop: Desk) -> None:
    done = change(
        shop,
        row("ITEMS", Sku="BOOT", Quantity=1),
        row("ITEMS", Sku="SOCK", Category="socks", Quantity=2, Amount="15.00"),
        row("ITEMS", Sku="SOCK", Quantity=0),
        row("ITEMS", Sku="HAT", Quantity=0),
        row("A", Sku="BOOT", Quantity=0),
        row("ITEMS", Sku="SOCK", Category="Gifts", Quantity=0),
        row("ITEMS", Sku="BOOT", Quantity=1),
    )

    assert shop.codes(done) == {
        4: ["ITEM_AMBIGUOUS"],
        5: ["NO_ITEM"],
        6: ["NO_ITEM"],
        8: ["NO_CHANGE"],
    }
    assert items(shop, "ITEMS") == [("BOOT", 1, 30), ("SOCK", 2, 15), ("SOCK", 0, 0)]
    assert action(shop, "ITEMS") == ("PENDING", 45)
    assert [each[2:4] for each in updates(shop, "ITEMS")] == [(100, 70), (70, 55), (55, 45)]
    rows = shop.ledger.all(
        "select number, old_quantity, new_quantity, old_amount, new_amount from action_item_update order by update_id"
    )
    assert [tuple(each.values()) for each in rows] == [(1, 2, 1, 60, 30), (2, 3, 2, 30, 15), (3, 1, 0, 10, 0)]


def test_an_order_whose_items_are_all_reversed_is_reversed_and_restored_at_their_price(shop: Desk) -> None:
    change(
        shop,
        row("ITEMS", Sku="BOOT", Quantity=0),
        row("ITEMS", Sku="SOCK", Category="Socks", DispositionCode="ITEM_RETURNED"),
        row("ITEMS", Sku="SOCK", Category="Gifts", Amount=0),
    )
    assert action(shop, "ITEMS") == ("REVERSED", 0)
    change(shop, row("ITEMS", Sku="BOOT", Quantity=3))
    assert (action(shop, "ITEMS"), items(shop, "ITEMS")[0]) == (("PENDING", 90), ("BOOT", 3, 90))


def test_a_new_total_of_an_order_is_shared_out_over_its_items(shop: Desk) -> None:
    change(shop, row("ITEMS", Amount="33.34"))
    assert items(shop, "ITEMS") == [
        ("BOOT", 2, Decimal("20.00")),
        ("SOCK", 3, Decimal("10.00")),
        ("SOCK", 1, Decimal("3.34")),
    ]
    change(shop, row("ITEMS", Amount=0))
    assert [each[1:] for each in items(shop, "ITEMS")] == [(0, 0), (0, 0), (0, 0)]
    change(shop, row("ITEMS", Amount="66.68"))
    assert items(shop, "ITEMS") == [
        ("BOOT", 2, Decimal("40.00")),
        ("SOCK", 3, Decimal("20.00")),
        ("SOCK", 1, Decimal("6.68")),
    ]


def test_the_same_file_again_counts_once_something_else_came_between(shop: Desk) -> None:
    first, second = [row("A", Amount=90)], [row("A", Amount=80)]
    states = [change(shop, *rows)["state"] for rows in (first, first, second, first, first)]

    assert states == ["applied", "duplicate", "applied", "applied", "duplicate"]
    assert action(shop, "A") == ("PENDING", 90)


def test_files_of_a_connection_wait_for_their_turn(shop: Desk) -> None:
    shop.connect(
        "changes", data_type="action_modifications", limits={"hold_if": {"rows_over": 1}, "hold_rows_for": "PT0S"}
    )
    waiting = change(shop, row("A", Amount=90), row("B", Amount=40))
    assert waiting["state"] == "on_hold"
    from data_connections.errors import OutOfTurn

    with pytest.raises(OutOfTurn):
        change(shop, row("A", Amount=80))
    assert action(shop, "A") == ("PENDING", 100)


def test_what_is_older_does_not_overwrite_what_is_newer(shop: Desk) -> None:
    shop.connect("network", data_type="action_modifications")
    noon, earlier = RECEIVED, datetime(2026, 3, 1, 11, tzinfo=RECEIVED.tzinfo)
    change(shop, row("A", Amount=90), received_at=noon)
    late = shop.submit(
        table(HEADER, row("A", Amount=70), row("B", Amount=70)), connection="network", received_at=earlier
    )

    assert shop.codes(late) == {2: ["SUPERSEDED"]}
    assert (action(shop, "A"), action(shop, "B")) == (("PENDING", 90), ("PENDING", 70))
    same = change(shop, row("A", Amount=60), received_at=earlier)
    assert (same["state"], action(shop, "A")) == ("applied", ("PENDING", 60))


def test_pieces_and_money_of_the_file_add_up(shop: Desk) -> None:
    done = change(shop, row("ITEMS", Sku="BOOT", Quantity=1, Amount=25), row("A", Amount=9), row("NOBODY", Amount=4))

    assert (done["rows"], done["accepted"], done["rejected"]) == (3, 2, 1)
    totals = shop.ledger.all(
        "select outcome, rows, quantity, amount from submission_total where submission_id = %s order by 1", [done["id"]]
    )
    assert [tuple(each.values()) for each in totals] == [("accepted", 2, 1, 34), ("rejected", 1, 0, 4)]


def test_a_file_that_reverses_a_large_share_of_the_pending_actions_waits(shop: Desk) -> None:
    from data_connections.steps import approval, manual

    shop.connect("changes", data_type="action_modifications", limits={"hold_if": {"reversed_share_over": "0.34"}})
    assert change(shop, row("A", Amount=0), row("B", Amount=0))["state"] == "applied"
    rows = [row("ZERO", DispositionCode="REJECTED"), row("USD", Amount=0), row("APP", Amount=0), row("APP", Amount=1)]
    held = change(shop, *rows)
    assert (held["state"], held["code"]) == ("on_hold", "HELD_BY_LIMIT")
    assert "2 of the 4 pending actions" in held["message"]
    assert action(shop, "USD") == ("PENDING", 20)

    approval.approve(shop.ledger, held["id"], "tester")
    assert manual.finish(shop.ledger, shop.landing, held["id"])["state"] == "applied"
    assert action(shop, "USD") == ("REVERSED", 0)
