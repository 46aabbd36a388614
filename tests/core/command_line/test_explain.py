from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data_connections.catalog import apply_reference, load_reference
from data_connections.queries.submissions import SubmissionFilter, list_submissions
from data_connections.steps.locking import lock_due
from data_connections.steps.reconciliation import CHECKS, reconcile
from fixtures.desk import Desk, table

Cli = Callable[..., Any]
CONTRACT = """partners: [{id: 1, name: One}]
contracts:
  - id: 5
    program: acme
    name: Standard
    terms: [{event_type: 2001, starts: 2026-01-01, percent: 5}]
"""
ORDERS = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount,CustomerId,MediaPartnerId,Category,Sku,Quantity"


@pytest.fixture
def story(desk: Desk, tmp_path: Path) -> Desk:
    """An order that was modified, withdrawn from, waited for and locked, and one with items that was reversed."""
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    apply_reference(desk.ledger, load_reference(tmp_path / "contract.yaml"), "tester")
    with desk.ledger.connect() as connection:
        connection.execute("update event_type set locking_after = 'event', locking_days = 11 where id = 2001")
    desk.connect("changes", data_type="action_modifications")
    day = "2026-02-20T10:00:00Z"
    changes = "ActionTrackerId,OrderId,Sku,Quantity,Amount,Reason"
    desk.submit(table(changes, "2001,A,,,80.00,ITEM_RETURNED", "2001,X,,,1.00,OTHER"), "changes.csv", "changes")
    desk.submit(
        table(
            ORDERS,
            f"1000,2001,{day},A,100.00,c1,1,,,",
            f"1000,2001,{day},I,60.00,c1,1,Shoes,BOOT,2",
            f"1000,2001,{day},I,40.00,c1,1,Socks,SOCK,1",
        )
    )
    again = table(changes, "2001,I,BOOT,1,,ORDER_UPDATE", "2001,I,,,0,CONS_FRAUD", "2001,A,,,80.00,OTHER")
    desk.submit(again, "more.csv", "changes")
    lock_due(desk.ledger, datetime(2026, 3, 5, tzinfo=UTC))
    return desk


def test_the_story_of_an_order_is_told(cli: Cli, story: Desk) -> None:
    [told] = cli("explain", "A", "--json").json

    assert (told["state"], told["amount"], told["payout"]) == ("APPROVED", "80.00", "4.00")
    assert (told["partner"], told["attributed_by"], told["contract"], told["percent"]) == (
        "One",
        "partner",
        "Standard",
        "5",
    )
    assert (told["locking_policy"], told["locks_at"][:10]) == ("11 days after the event", "2026-03-04")
    steps = [
        (each["kind"], each["old_amount"], each["new_amount"], each["submission_id"], each["line"])
        for each in told["timeline"]
    ]
    assert steps == [
        ("created", None, "100.00", 2, 2),
        ("modified", "100.00", "80.00", 1, 2),
        ("locked", "80.00", "80.00", None, None),
    ]
    text = cli("explain", "A").out
    assert "4.00 EUR = 5 % of 80.00 by Standard, from 2026-01-01" in text
    assert "PENDING -> APPROVED" in text


def test_items_and_names_of_other_kinds(cli: Cli, story: Desk) -> None:
    by_customer = cli("explain", "c1", "--json").json
    assert [action["order_id"] for action in by_customer] == ["A", "I"]
    itemised = by_customer[1]
    for name in (itemised["public_id"], str(itemised["id"])):
        assert cli("explain", name, "--json").json == [{**itemised, "named_by": "action"}]
    assert [[(item["sku"], item["new_amount"]) for item in each["items"]] for each in itemised["timeline"]] == [
        [],
        [("BOOT", "30.00")],
        [("BOOT", "0"), ("SOCK", "0")],
    ]
    assert "sum of its 2 items" in cli("explain", "I").out
    answer = cli("explain", "nobody")
    assert (answer.code, answer.err.strip()) == (2, "Error: There is no action, order or customer 'nobody'.")
    assert cli("explain", "A", "--program", "globex").code == 2


def test_a_number_that_is_an_action_and_an_order_shows_both(cli: Cli, story: Desk) -> None:
    [first] = cli("explain", "A", "--json").json
    story.submit(table(ORDERS, f"1000,2001,2026-02-21T10:00:00Z,{first['id']},7.00,c9,1,,,"), "numbers.csv")
    both = cli("explain", str(first["id"]), "--json").json

    assert [(each["named_by"], each["order_id"]) for each in both] == [("action", "A"), ("order", str(first["id"]))]
    assert "(action, order): all of them are shown" in cli("explain", str(first["id"])).err


def test_an_order_that_is_only_held_is_found(cli: Cli, story: Desk) -> None:
    assert [each["id"] for each in cli("submissions", "--find", "X", "--json").json] == [1]
    with story.ledger.connect() as connection:
        listed = list_submissions(connection, None, SubmissionFilter(search="X"))
    assert [each["id"] for each in listed] == [1]
    answer = cli("explain", "X")

    assert (answer.code, "Held rows name it: line 3 of submission 1 (ACTION_NOT_FOUND)." in answer.err) == (2, True)
    assert "Held rows" not in cli("explain", "X", "--program", "globex").err


def test_books_that_are_right_agree_and_the_result_is_kept(story: Desk) -> None:
    found = reconcile(story.ledger)

    assert (found.good, found.submissions, found.actions) == (True, 3, 2)
    assert story.ledger.all("select submissions, actions, mismatches from reconciliation") == [
        {"submissions": 3, "actions": 2, "mismatches": {}}
    ]


@pytest.mark.parametrize(
    ("damage", "mismatch"),
    [
        ("update submission set rows = rows + 1, rejected = rejected + 1 where id = 2", "rows of a submission"),
        ("delete from held_row", "held rows"),
        ("update submission_total set amount = amount + 1 where submission_id = 2", "money of an orders file"),
        (
            "update submission_total set amount = amount + 1 where submission_id = 3",
            "rows and money of a modifications",
        ),
        ("update action_item set amount = amount + 1", "an action and its items"),
        ("update action set amount = amount + 1 where order_id = 'A'", "an action and its last update"),
        ("update action_update set old_amount = 99, new_amount = 99 where kind = 'locked'", "an update and the one"),
    ],
)
def test_books_that_do_not_agree_are_found(story: Desk, damage: str, mismatch: str) -> None:
    with story.ledger.connect() as connection:
        connection.execute(damage.encode())
    found = reconcile(story.ledger)

    [name] = [name for name in found.mismatches if name.startswith(mismatch)]
    assert name in CHECKS
    assert found.mismatches[name]["count"] >= 1
