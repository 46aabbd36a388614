"""Files in, outcomes out, through the whole of a manual submission."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import NamedTuple

import pytest

from fixtures.desk import Desk, lines_of, parsed, table

ORDERS = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount,CurrencyCode"
ITEMS = "CampaignId,ActionTrackerId,EventDate,OrderId,ClickId,CustomerId,CurrencyCode,Amount,Category,Sku,Quantity"


def order(number: str, amount: str = "10.00", **other: str) -> str:
    cells = {"campaign": "1000", "tracker": "2001", "date": "2026-02-20T10:00:00Z", "currency": "EUR", **other}
    return f"{cells['campaign']},{cells['tracker']},{cells['date']},{number},{amount},{cells['currency']}"


def item(number: str, sku: str, amount: str = "5.00", quantity: str = "1", currency: str = "EUR") -> str:
    return f"1000,2001,2026-02-20T10:00:00Z,{number},click,customer,{currency},{amount},Shoes,{sku},{quantity}"


class Case(NamedTuple):
    """A row that gets a code, and one beside it that does not."""

    code: str
    column: str
    bad: str
    good: str
    outcome: str = "rejected"


CASES = [
    Case("CAMPAIGN_NOT_FOUND", "CampaignId", order("X", campaign="9"), order("Y")),
    Case("CAMPAIGN_NOT_FOUND", "CampaignId", order("X", campaign="1001", tracker="2101"), order("Y")),
    Case("CAMPAIGN_NOT_FOUND", "CampaignId", order("X", campaign="1002"), order("Y")),
    Case("ACTIONTRACKER_NOT_FOUND", "ActionTrackerId", order("X", tracker="77"), order("Y", tracker="2002")),
    Case("ACTIONTRACKER_NOT_FOUND", "ActionTrackerId", order("X", tracker="abc"), order("Y")),
    Case("ACTIONTRACKER_CAMPAIGN_MISMATCH", "ActionTrackerId", order("X", tracker="2101"), order("Y")),
    Case("ACTIONTRACKER_NOT_ACTIVE", "ActionTrackerId", order("X", tracker="2003"), order("Y")),
    Case(
        "EVENT_TOO_OLD", "EventDate", order("X", date="2025-12-02T23:59:59Z"), order("Y", date="2025-12-03T00:00:00Z")
    ),
    Case("NOT_DECIMAL", "Amount", order("X", "1e3"), order("Y", "1000")),
    Case("TOO_MANY_DECIMALS", "Amount", order("X", "1.005"), order("Y", "1.05")),
    Case("TOO_SMALL", "Amount", order("X", "-0.01"), order("Y", "0")),
    Case("OID_MISSING", "OrderId", order(""), order("Y")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.bad.split(',', 2)[:2]}")
def test_a_code_and_a_row_beside_it_that_does_not_get_it(desk: Desk, case: Case) -> None:
    done = desk.submit(table(ORDERS, case.bad, case.good))

    [error] = done["errors"]
    assert (error["line"], error["code"], error["column"], error["outcome"]) == (
        2,
        case.code,
        case.column,
        case.outcome,
    )
    assert (done["accepted"], done[case.outcome]) == (1, 1)
    assert [action[0] for action in desk.actions()] == ["Y"]


@pytest.mark.parametrize("tracker", ["77", "abc"])
def test_an_unknown_event_type_is_told_in_the_published_words(desk: Desk, tracker: str) -> None:
    [error] = desk.submit(table(ORDERS, order("X", tracker=tracker)))["errors"]

    assert error["message"].startswith("ActionTrackerId:ActionTrackerId value is invalid")


def test_good_rows_become_actions_and_bad_ones_stay_out(desk: Desk) -> None:
    done = desk.submit(table(ORDERS, order("A", "10.10"), order("B", "abc"), order("C", "0.90", currency="usd")))

    assert done["state"] == "partly_applied"
    assert (done["rows"], done["accepted"], done["rejected"], done["duplicate"], done["held"]) == (3, 2, 1, 0, 0)
    assert done["amounts"] == {"EUR": "10.10", "USD": "0.90"}
    assert desk.actions() == [("A", 1, Decimal("10.10"), "EUR"), ("C", 1, Decimal("0.90"), "USD")]
    assert desk.codes(done) == {3: ["NOT_DECIMAL"]}


def test_the_items_of_an_order_are_one_action(desk: Desk) -> None:
    done = desk.submit(table(ITEMS, item("A", "s1", "5.10", "2"), item("A", "s2", "0.90", "3"), item("B", "s1")))

    assert (done["state"], done["accepted"], done["amounts"]) == ("applied", 3, {"EUR": "11.00"})
    assert desk.actions() == [("A", 1, Decimal("6.00"), "EUR"), ("B", 1, Decimal("5.00"), "EUR")]
    items = desk.ledger.all(
        "select a.order_id, i.number, i.sku, i.quantity, i.amount, i.line from action_item i"
        " join action a on a.id = i.action_id order by a.order_id, i.number"
    )
    assert [tuple(row.values()) for row in items] == [
        ("A", 1, "s1", 2, Decimal("5.10"), 2),
        ("A", 2, "s2", 3, Decimal("0.90"), 3),
        ("B", 1, "s1", 1, Decimal("5.00"), 4),
    ]
    assert [total["quantity"] for total in done["totals"]] == ["6"]


def test_one_bad_line_keeps_its_whole_order_out(desk: Desk) -> None:
    done = desk.submit(table(ITEMS, item("A", "s1"), item("A", "s2", "oops"), item("A", "s3"), item("B", "s1")))

    assert desk.codes(done) == {2: ["ORDER_INCOMPLETE"], 3: ["NOT_DECIMAL"], 4: ["ORDER_INCOMPLETE"]}
    assert desk.actions() == [("B", 1, Decimal("5.00"), "EUR")]


def test_an_order_in_two_currencies_stays_out(desk: Desk) -> None:
    done = desk.submit(table(ITEMS, item("A", "s1"), item("A", "s2", currency="USD"), item("B", "s1", currency="USD")))

    assert desk.codes(done) == {2: ["ORDER_CURRENCIES"], 3: ["ORDER_CURRENCIES"]}
    assert desk.actions() == [("B", 1, Decimal("5.00"), "USD")]


def test_an_order_that_comes_again_in_the_file_counts_once(desk: Desk) -> None:
    done = desk.submit(table(ITEMS, item("A", "s1"), item("B", "s1"), item("A", "s2")))

    assert (done["state"], done["accepted"], done["duplicate"]) == ("applied", 2, 1)
    assert desk.codes(done) == {4: ["OID_DUPLICATE"]}
    assert desk.actions() == [("A", 1, Decimal("5.00"), "EUR"), ("B", 1, Decimal("5.00"), "EUR")]


def test_an_order_whose_event_type_goes_by_two_names_counts_once(desk: Desk) -> None:
    header = "CampaignId,ActionTrackerId,EventTypeCode,EventDate,OrderId,Amount"
    done = desk.submit(
        table(
            header,
            "1000,2001,,2026-02-20T10:00:00Z,A,1",
            "1000,,SALE,2026-02-20T10:00:00Z,A,2",
            "1000,,SALE,2026-02-20T10:00:00Z,B,3",
        )
    )

    assert desk.codes(done) == {3: ["OID_DUPLICATE"]}
    assert desk.actions() == [("A", 1, Decimal(1), "EUR"), ("B", 1, Decimal(3), "EUR")]


@pytest.mark.parametrize(
    ("date", "occurrences"),
    [
        ("2026-02-20T10:00:00Z", [1]),
        ("2026-02-25T10:00:00Z", [1]),
        ("2026-01-21T10:00:00Z", [1]),
        ("2026-01-21T09:59:59Z", [1, 2]),
    ],
)
def test_a_known_order_counts_again_only_outside_the_window(desk: Desk, date: str, occurrences: list[int]) -> None:
    desk.submit(table(ORDERS, order("A")))
    done = desk.submit(table(ORDERS, order("A", "20.00", date=date)))

    assert [action[1] for action in desk.actions()] == occurrences
    assert desk.codes(done) == ({2: ["CONV_DUPLICATE"]} if occurrences == [1] else {})
    assert (done["state"], done["accepted"], done["duplicate"]) == (
        "applied",
        len(occurrences) - 1,
        2 - len(occurrences),
    )


def test_the_same_order_number_of_another_event_type_is_another_order(desk: Desk) -> None:
    desk.submit(table(ORDERS, order("A")))
    done = desk.submit(table(ORDERS, order("A", tracker="2002")))

    assert done["accepted"] == 1


def test_currency_comes_from_the_row_else_the_connection_else_the_program(desk: Desk) -> None:
    header = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount"
    desk.connect("dollars", default_currency="USD")
    first = desk.submit(table(header, "1000,2001,2026-02-20T10:00:00Z,A,1"))
    second = desk.submit(table(header, "1000,2001,2026-02-20T10:00:00Z,B,2"), connection="dollars")

    assert (first["amounts"], second["amounts"]) == ({"EUR": "1.00"}, {"USD": "2.00"})


def test_now_is_the_received_time(desk: Desk) -> None:
    desk.submit(table(ORDERS, order("A", date="NOW")), received_at=desk.received)

    [action] = desk.ledger.all("select event_at, received_at from action")
    assert action["event_at"] == action["received_at"] == desk.received


def test_rarely_used_columns_are_carried_along(desk: Desk) -> None:
    header = f"{ITEMS},Note,ItemPrice,TrackingConsent,Brand"
    desk.submit(table(header, item("A", "s1", "") + ",gift,2.50,yes,Acme", item("A", "s2", "") + ",,1.25,,"))

    [action] = desk.ledger.all("select extra, amount from action")
    items = desk.ledger.all("select extra from action_item order by number")
    assert action == {"extra": {"Note": "gift", "TrackingConsent": True}, "amount": Decimal("3.75")}
    assert [row["extra"] for row in items] == [{"Brand": "Acme", "ItemPrice": 2.5}, {"ItemPrice": 1.25}]


def test_equal_bytes_of_a_fully_applied_file_are_a_visible_duplicate(desk: Desk) -> None:
    text = table(ORDERS, order("A", "1.50"), order("B", "2.50"))
    first = desk.submit(text)
    second = desk.submit(text, name="other.csv")

    assert (second["state"], second["duplicate_of"]) == ("duplicate", first["id"])
    assert (second["rows"], second["accepted"], second["duplicate"], second["amounts"]) == (2, 0, 2, {})
    assert len(desk.actions()) == 2


def test_equal_bytes_apply_again_when_somebody_says_so_and_known_orders_stay_duplicates(desk: Desk) -> None:
    text = table(ORDERS, order("A"))
    desk.submit(text)
    again = desk.submit(text, again=True)

    assert (again["state"], again["duplicate"], desk.codes(again)) == ("applied", 1, {2: ["CONV_DUPLICATE"]})
    [log] = desk.ledger.all(
        "select who, details from activity where what = 'submission.submitted' and details ->> 'again' = 'true'"
    )
    assert log["who"] == "tester"


def test_equal_bytes_with_rejects_are_processed_again(desk: Desk) -> None:
    text = table(ORDERS, order("A"), order("B", tracker="2004"))
    desk.submit(text)
    with desk.ledger.connect() as connection:
        connection.execute("insert into event_type (id, program_id, name) values (2004, 1000, 'New')")
    again = desk.submit(text)

    assert (again["state"], again["accepted"], again["duplicate"]) == ("applied", 1, 1)


def test_equal_bytes_for_another_connection_are_no_duplicate_of_the_file(desk: Desk) -> None:
    desk.connect("more")
    text = table(ORDERS, order("A"))
    desk.submit(text)
    other = desk.submit(text, connection="more")

    assert (other["state"], desk.codes(other)) == ("applied", {2: ["CONV_DUPLICATE"]})


def test_a_b_a_leaves_every_order_once(desk: Desk) -> None:
    a, b = table(ORDERS, order("A")), table(ORDERS, order("B"))
    states = [desk.submit(text)["state"] for text in (a, b, a)]

    assert states == ["applied", "applied", "duplicate"]
    assert [action[0] for action in desk.actions()] == ["A", "B"]


def test_the_rejects_file_corrected_and_sent_again_applies_as_it_is(desk: Desk) -> None:
    first = desk.submit(table(ITEMS, item("A", "s1"), item("A", "s2", "oops"), item("B", "s1"), item("C", "s1") + ",x"))
    [name] = [name for name in desk.results(first) if name.endswith(".csv")]
    rejects = desk.results(first)[name]
    assert name == f"result_{first['trace_id']}_orders.csv"
    assert lines_of(parsed(rejects)) == [2, 3, 5]
    assert {row["SubmissionId"] for row in parsed(rejects)} == {str(first["id"])}

    fixed = rejects.replace(b"oops", b"7.00").replace(b",x\r\n", b"\r\n")
    second = desk.submit(fixed, name="fixed by hand.csv")

    assert (second["state"], second["accepted"], second["corrects"]) == ("applied", 3, first["id"])
    assert [action[0] for action in desk.actions()] == ["A", "B", "C"]


def test_a_rejects_file_is_read_whatever_format_the_connection_declares(desk: Desk) -> None:
    desk.connect("odd", format={"delimiter": ";", "encoding": "cp1252", "skip_lines": 1})
    text = "made by a machine\n" + table(ORDERS, order("Ä"), order("B", "x")).replace(",", ";")
    first = desk.submit(text.encode("cp1252"), connection="odd")
    [rejects] = [content for name, content in desk.results(first).items() if name.endswith(".csv")]
    second = desk.submit(rejects.replace(b",x,", b",1,"), connection="odd")

    assert (first["accepted"], first["rejected"]) == (1, 1)
    assert (second["state"], second["corrects"]) == ("applied", first["id"])
    assert [action[0] for action in desk.actions()] == ["B", "Ä"]


def test_the_sender_gets_receipt_summary_and_rejects(desk: Desk) -> None:
    done = desk.submit(table(ORDERS, order("A", "1.00"), order("B", "2.00"), order("C", "x")))
    results = desk.results(done)

    assert all(name.startswith(("receipt_", "result_")) for name in results)
    assert results["receipt_orders.csv.txt"].decode().strip() == done["trace_id"]
    summary = json.loads(results["result_orders.csv_summary.json"])
    assert summary["constants"]["traceId"] == done["trace_id"]
    assert summary["updates"]["totalRowCount"] == 3
    assert summary["updates"]["successfulRowCount"] == 2
    assert summary["updates"]["errorRowCount"] == 1
    assert {"outcome": "accepted", "currency": "EUR", "rows": 2, "quantity": "0", "amount": "3.00"} in summary["totals"]


def test_a_file_without_rejects_has_no_rejects_file(desk: Desk) -> None:
    done = desk.submit(table(ORDERS, order("A")))

    assert sorted(desk.results(done)) == ["receipt_orders.csv.txt", "result_orders.csv_summary.json"]


def test_a_header_alone_is_applied_with_no_rows(desk: Desk) -> None:
    done = desk.submit(table(ORDERS))

    assert (done["state"], done["rows"], done["totals"]) == ("applied", 0, [])


def test_a_header_alone_is_refused_where_rows_are_expected(desk: Desk) -> None:
    desk.connect(allow_empty=False)
    done = desk.submit(table(ORDERS))

    assert (done["state"], done["code"]) == ("quarantined", "EMPTY")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
        (table(ORDERS, order("A"), '1000,2001,2026-02-20,"B,1,EUR').encode(), None),
        (table("CampaignId,OrderId", "1000,A").encode(), "MISSING_COLUMN"),
        (b"PK\x03\x04" + bytes(100), None),
    ],
    ids=["empty", "unclosed quote", "no date column", "zip"],
)
def test_a_file_that_cannot_be_read_is_quarantined_and_kept(desk: Desk, content: bytes, code: str | None) -> None:
    done = desk.submit(content)

    assert done["state"] == "quarantined"
    assert done["code"] == (code or done["code"])
    assert done["code"]
    assert done["file_error"]["message"]
    assert (done["rows"], desk.actions()) == (0, [])
    with desk.ledger.connect() as connection:
        key = connection.execute("select landing_key from submission where id = %s", [done["id"]]).fetchone()
    assert key
    assert desk.landing.open(key["landing_key"]).read() == content


def test_a_refused_file_is_processed_again_when_it_comes_again(desk: Desk) -> None:
    text = table(ORDERS)
    desk.connect(allow_empty=False)
    first = desk.submit(text)
    desk.connect()
    second = desk.submit(text)

    assert (first["state"], second["state"]) == ("quarantined", "applied")


def test_a_file_beyond_a_limit_waits_until_somebody_approves_it(desk: Desk) -> None:
    from data_connections.steps import approval, manual

    desk.connect(limits={"hold_if": {"amount_over": {"EUR": "100"}}})
    waiting = desk.submit(table(ORDERS, order("A", "60.00"), order("B", "40.01")))
    assert (waiting["state"], waiting["code"], desk.actions()) == ("on_hold", "HELD_BY_LIMIT", [])

    approval.approve(desk.ledger, waiting["id"], "the boss")
    done = manual.finish(desk.ledger, desk.landing, waiting["id"])

    assert (done["state"], done["accepted"], done["approved_by"]) == ("applied", 2, "the boss")
    assert desk.ledger.one("select who from activity where what = 'submission.approved'") == {"who": "the boss"}


def test_a_file_at_the_limit_does_not_wait(desk: Desk) -> None:
    desk.connect(limits={"hold_if": {"amount_over": {"EUR": "100"}, "rows_over": 2}})
    done = desk.submit(table(ORDERS, order("A", "60.00"), order("B", "40.00")))

    assert done["state"] == "applied"


def test_a_refused_file_is_quarantined_for_good(desk: Desk) -> None:
    from data_connections.steps import approval, manual

    desk.connect(limits={"hold_if": {"rows_over": 1}})
    waiting = desk.submit(table(ORDERS, order("A"), order("B")))
    approval.refuse(desk.ledger, waiting["id"], "the boss", "Looks like a test.")
    done = manual.finish(desk.ledger, desk.landing, waiting["id"])

    assert (done["state"], done["code"], desk.actions()) == ("quarantined", "REFUSED", [])
    assert "Looks like a test." in done["message"]


def test_result_files_of_a_long_name_still_fit(desk: Desk) -> None:
    done = desk.submit(table(ORDERS, order("A", "x")), name="ä" * 100 + "2026-03-01.csv")
    names = list(desk.results(done))

    assert len(names) == 3
    assert all(len(name.encode()) <= 255 and "2026-03-01.csv" in name for name in names)
