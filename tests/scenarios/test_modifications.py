"""What modification files make of actions: every code beside a row that does not get it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fixtures.changes import HEADER, action, change, number, row, updates
from fixtures.desk import RECEIVED, Desk, table


def test_a_new_total_is_an_update_and_the_action_stays_pending(shop: Desk) -> None:
    done = change(shop, row("A", Amount="80.00", Reason="ITEM_RETURNED"))

    assert (done["state"], done["accepted"], done["amounts"]) == ("applied", 1, {"EUR": "80.00"})
    assert action(shop, "A") == ("PENDING", 80)
    [update] = shop.ledger.all("select * from action_update")
    assert (update["kind"], update["old_amount"], update["new_amount"]) == ("modified", 100, 80)
    assert (update["old_state"], update["new_state"]) == ("PENDING", "PENDING")
    assert (update["reason"], update["submission_id"], update["line"]) == ("ITEM_RETURNED", done["id"], 2)
    assert update["received_at"] == RECEIVED
    assert action(shop, "B") == ("PENDING", 50)


def test_zero_reverses_and_a_new_amount_restores(shop: Desk) -> None:
    change(shop, row("A", Amount=0, Reason="cons_fraud"))
    assert action(shop, "A") == ("REVERSED", 0)
    change(shop, row("A", Amount="90.00"))
    assert action(shop, "A") == ("PENDING", 90)
    assert updates(shop, "A") == [
        ("reversed", 2, 100, 0, "PENDING", "REVERSED"),
        ("restored", 2, 0, 90, "REVERSED", "PENDING"),
    ]


def test_an_amount_of_zero_on_zero_only_modifies_and_says_so(shop: Desk) -> None:
    done = change(shop, row("ZERO", Amount=0), row("A", Amount=0))

    assert (done["state"], done["accepted"], done["warned"]) == ("applied", 2, 1)
    assert shop.codes(done) == {2: ["ZERO_ON_ZERO"]}
    assert action(shop, "ZERO") == ("PENDING", 0)
    assert action(shop, "A") == ("REVERSED", 0)
    done = change(shop, row("ZERO", DispositionCode="REJECTED"))
    assert (done["state"], action(shop, "ZERO")) == ("applied", ("REVERSED", 0))


@pytest.mark.parametrize("column", ["Reason", "DispositionCode"])
def test_approved_approves_and_nothing_can_be_changed_then(shop: Desk, column: str) -> None:
    done = change(shop, row("A", **{column: "APPROVED"}), row("A", Amount=10), row("A", **{column: "Approved"}))

    assert (done["accepted"], shop.codes(done)) == (1, {3: ["ALREADY_APPROVED"], 4: ["ALREADY_APPROVED"]})
    found = shop.ledger.one("select state, amount, locked_at, locked_by from action where order_id = 'A'")
    assert found == {"state": "APPROVED", "amount": 100, "locked_at": RECEIVED, "locked_by": "file"}
    assert shop.codes(change(shop, row("A", Amount=20))) == {2: ["ALREADY_APPROVED"]}


def test_an_approval_may_bring_the_final_amount(shop: Desk) -> None:
    change(shop, row("A", Amount="75.50", Reason="APPROVED"))

    assert action(shop, "A") == ("APPROVED", Decimal("75.50"))


def test_codes_of_the_event_type_do_what_they_say(shop: Desk) -> None:
    done = change(
        shop,
        row("A", Amount=99, Reason="SWAPPED"),
        row("B", Reason="fraud_ring"),
        row("USD", Amount=1, Reason="ELSEWHERE"),
        row("ZERO", DispositionCode="SWAPPED", Amount=3),
    )

    assert shop.codes(done) == {4: ["REASON_NOT_FOUND"]}
    assert (action(shop, "A"), action(shop, "B"), action(shop, "ZERO")) == (
        ("PENDING", 99),
        ("REVERSED", 0),
        ("PENDING", 3),
    )


def test_repeated_lines_apply_in_their_order_each_as_its_own_update(shop: Desk) -> None:
    done = change(
        shop,
        row("A", Amount=90),
        row("B", Amount=40),
        row("A", Amount=90),
        row("A", Amount=0),
        row("A", Amount=0),
        row("A", Amount=70),
        row("B", Amount=50),
    )

    assert shop.codes(done) == {4: ["NO_CHANGE"], 6: ["ALREADY_REVERSED"]}
    assert updates(shop, "A") == [
        ("modified", 2, 100, 90, "PENDING", "PENDING"),
        ("reversed", 5, 90, 0, "PENDING", "REVERSED"),
        ("restored", 7, 0, 70, "REVERSED", "PENDING"),
    ]
    assert [each[1:4] for each in updates(shop, "B")] == [(3, 50, 40), (8, 40, 50)]
    assert shop.ledger.one("select modifications from action where order_id = 'A'") == {"modifications": 3}


def test_actions_are_named_by_their_id_too(shop: Desk) -> None:
    first, app = number(shop, "A"), number(shop, "APP")
    done = change(
        shop,
        row(ActionId=first, Amount=90),
        row(ActionId=f"1000.2001.{first}", Amount=80),
        row(ActionId=f"M1000.2001.{app}", Amount=4),
        row(ActionId=f"1000.2001.{app}", Amount=3),
        row(ActionId=f"1000.2002.{first}", Amount=3),
        row("B", ActionId=first, Amount=3),
        row("A", ActionId=first, Amount=70),
        row(ActionId="1e5", Amount=3),
        row(ActionId=987654, Amount=3),
    )

    assert shop.codes(done) == {line: ["ACTION_NOT_FOUND"] for line in (5, 6, 7, 9, 10)}
    assert (action(shop, "A"), action(shop, "APP")) == (("PENDING", 70), ("PENDING", 4))


def test_of_several_actions_of_an_order_the_newest_is_meant(shop: Desk) -> None:
    with shop.ledger.connect() as connection:
        connection.execute("update event_type set duplicate_window_days = 0 where id = 2001")
    again = table(
        "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount", "1000,2001,2026-02-25T10:00:00Z,A,EUR,7.00"
    )
    shop.submit(again)
    change(shop, row("A", Amount=6))

    amounts = shop.ledger.all("select amount from action where order_id = 'A' order by occurrence")
    assert [each["amount"] for each in amounts] == [100, 6]


def test_what_names_no_action_is_rejected(shop: Desk) -> None:
    done = change(
        shop,
        row("NOBODY", Amount=1),
        row("A", ActionTrackerId=2002, Amount=1),
        row("A", ActionTrackerId=2101, Amount=1),
        row("A", ActionTrackerId=99, Amount=1),
        row("A", ActionTrackerId="abc", Amount=1),
        row("A", Amount=1),
    )

    assert shop.codes(done) == {
        2: ["ACTION_NOT_FOUND"],
        3: ["ACTION_NOT_FOUND"],
        4: ["ACTIONTRACKER_NOT_FOUND"],
        5: ["ACTIONTRACKER_NOT_FOUND"],
        6: ["ACTIONTRACKER_NOT_FOUND"],
    }
    told = {error["line"]: error["message"] for error in done["errors"]}
    assert all(told[line].startswith("ActionTrackerId:ActionTrackerId value is invalid") for line in (4, 5, 6))


def test_actions_of_another_program_are_not_found(shop: Desk) -> None:
    shop.connect("foreign", data_type="action_modifications", program="globex")
    done = shop.submit(table(HEADER, row(ActionId=number(shop, "A"), Amount=1)), connection="foreign")

    assert shop.codes(done) == {2: ["ACTION_NOT_FOUND"]}


def test_a_campaign_is_compared_where_it_is_given(shop: Desk) -> None:
    header = "CampaignId,ActionTrackerId,OrderId,Amount,Reason"
    done = shop.submit(table(header, "1000,2001,A,1,OTHER", "1001,2001,B,1,OTHER"), connection="changes")

    assert shop.codes(done) == {3: ["CAMPAIGN_NOT_FOUND"]}


def test_nothing_is_converted(shop: Desk) -> None:
    done = change(
        shop,
        row("USD", Amount=10, CurrencyCode="EUR"),
        row("USD", Amount=11, CurrencyCode="usd"),
        row("USD", Amount=12),
        row("A", Amount=13),
    )

    assert shop.codes(done) == {2: ["CURRENCY_MISMATCH"]}
    assert done["amounts"] == {"EUR": "13.00", "USD": "23.00"}
    assert action(shop, "USD") == ("PENDING", 12)


def test_a_locked_action_is_judged_by_the_received_time(shop: Desk) -> None:
    with shop.ledger.connect() as connection:
        connection.execute("update action set locks_at = %s where order_id = 'A'", [RECEIVED])
        connection.execute(
            "update action set locks_at = %s + interval '1 second', state = 'APPROVED', locked_by = 'date',"
            " locked_at = now() where order_id = 'B'",
            [RECEIVED],
        )
    done = change(shop, row("A", Amount=1), row("B", Amount=2), row("A", Reason="APPROVED"))

    assert shop.codes(done) == {2: ["ALREADY_LOCKED"], 4: ["ALREADY_LOCKED"]}
    assert action(shop, "B") == ("APPROVED", 2)
    change(shop, row("B", Amount=0))
    assert action(shop, "B") == ("REVERSED", 0)


def test_reversing_or_approving_what_is_reversed(shop: Desk) -> None:
    done = change(
        shop,
        row("A", DispositionCode="REJECTED"),
        row("A", DispositionCode="REJECTED"),
        row("A", Reason="APPROVED"),
        row("A", CustomerStatus="NEW"),
        row("A", Amount=5),
    )

    assert shop.codes(done) == {line: ["ALREADY_REVERSED"] for line in (3, 4, 5)}
    assert action(shop, "A") == ("PENDING", 5)


def test_codes_and_figures_that_do_not_fit(shop: Desk) -> None:
    done = change(
        shop,
        row("A", DispositionCode="REJECTED", Amount=5),
        row("A", Reason="APPROVED", Amount=0),
        row("ITEMS", Sku="BOOT", Quantity=0, Amount=5),
        row("ITEMS", Sku="BOOT", Reason="APPROVED"),
        row("A", DispositionCode="REJECTED", Amount=0),
    )

    assert shop.codes(done) == {line: ["CONTRADICTION"] for line in (2, 3, 4, 5)}


def test_the_customer_s_status_is_kept_with_the_action(shop: Desk) -> None:
    done = change(
        shop, row("A", CustomerStatus="NEW"), row("A", CustomerStatus="NEW"), row("A", Amount=1, CustomerStatus="OLD")
    )

    assert shop.codes(done) == {3: ["NO_CHANGE"]}
    assert shop.ledger.one("select extra from action where order_id = 'A'") == {"extra": {"CustomerStatus": "OLD"}}
    rows = shop.ledger.all(
        "select old_customer_status as old, new_customer_status as new from action_update order by id"
    )
    assert rows == [{"old": None, "new": "NEW"}, {"old": "NEW", "new": "OLD"}]


def test_rows_that_say_nothing_or_too_little(shop: Desk) -> None:
    done = change(
        shop,
        row("A", Reason="", Amount=1),
        row("A", Reason="OTHER"),
        row("A", Amount=1, Quantity=2),
        row(Amount=1),
        row("A", Amount="1.005"),
        row("A", Amount=-1),
        row("A", Amount=1),
    )

    codes = {line: sorted(found) for line, found in shop.codes(done).items()}
    assert codes == {
        2: ["REASON_MISSING"],
        3: ["NO_CHANGE"],
        4: ["ITEM_INCOMPLETE"],
        5: ["ACTIONTRACKER_NOT_FOUND", "OID_MISSING"],
        6: ["TOO_MANY_DECIMALS"],
        7: ["TOO_SMALL"],
    }


@pytest.mark.parametrize(
    ("header", "code"),
    [("ActionId,Reason,ItemSubTotalDelta", "RELATIVE_AMOUNT"), ("ActionId,Reason,Amount,Sku1", "ITEM_FORMS_MIXED")],
)
def test_columns_that_would_change_the_meaning_refuse_the_file(shop: Desk, header: str, code: str) -> None:
    done = shop.submit(table(header, ",".join("1" for _ in header.split(","))), connection="changes")

    assert (done["state"], done["code"]) == ("quarantined", code)
    if code == "RELATIVE_AMOUNT":
        assert "Send a line with the item's Sku and, in Amount, what the item is worth from now on" in done["message"]


def test_no_action_takes_more_than_a_thousand_modifications(shop: Desk) -> None:
    with shop.ledger.connect() as connection:
        connection.execute("update action set modifications = 998 where order_id = 'A'")
    done = change(shop, *(row("A", Amount=amount) for amount in (1, 2, 3)), row("B", Amount=3))

    assert shop.codes(done) == {4: ["TOO_MANY_MODIFICATIONS"]}
    assert action(shop, "A") == ("PENDING", 2)
