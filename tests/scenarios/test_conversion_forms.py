"""Conversions in the API's form of items, and addresses that nobody should have sent, up to the ledger."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

from data_connections.reports import Layout, Parameters, load_reports, write_checked
from data_connections.settings import PROJECT
from data_connections.steps.job import builtin_data_types
from data_connections.validation import ValidationOptions
from data_connections.validation.check import check_file
from fixtures.desk import RECEIVED, Desk, parsed, table

INDEXED = (
    "CampaignId,ActionTrackerId,EventDate,OrderId,CustomerId,CurrencyCode,CustomerEmail"
    ",ItemSku1,ItemCategory1,ItemQuantity1,ItemPrice1,ItemSku2,ItemCategory2,ItemQuantity2,ItemPrice2"
)
LISTED = "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount,Category,Sku,Quantity"


def row(order: str, *, email: str = "", second: str = "S2,Socks,1,7.00") -> str:
    return f"1000,2001,2026-02-20T10:00:00Z,{order},C-1,EUR,{email},S1,Shoes,2,2.50,{second}"


def test_numbered_items_become_the_items_of_one_action(desk: Desk) -> None:
    done = desk.submit(table(INDEXED, row("A"), row("B", second=",,,")))

    assert (done["state"], done["rows"], done["amounts"]) == ("applied", 3, {"EUR": "17.00"})
    assert desk.actions() == [("A", 1, Decimal("12.00"), "EUR"), ("B", 1, Decimal("5.00"), "EUR")]
    items = desk.ledger.all("select sku, quantity, amount from action_item order by line")
    assert [tuple(item.values()) for item in items] == [
        ("S1", 2, Decimal("5.00")),
        ("S2", 1, Decimal("7.00")),
        ("S1", 2, Decimal("5.00")),
    ]


def test_an_address_in_plain_text_is_neither_in_the_ledger_nor_in_what_is_sent_back(desk: Desk) -> None:
    done = desk.submit(table(INDEXED, row("A"), row("B", email="joe.doe@example.com", second=",,,")))

    assert desk.codes(done) == {4: ["EMAIL_NOT_HASHED"]}
    results = desk.results(done)
    assert [len(parsed(content)) for name, content in results.items() if name.endswith(".csv")] == [1]
    assert not any(b"joe.doe" in content for content in results.values())
    tables = desk.ledger.all(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    )
    kept = [
        desk.ledger.all(f'select * from "{each["relname"]}" as t where t::text like %s', ["%joe.doe%"])
        for each in tables
    ]
    assert not any(kept)


def test_a_partner_s_own_columns_are_mapped_on_the_whole_way_and_back(desk: Desk) -> None:
    columns = {
        "CampaignId": {"constant": "1000"},
        "ActionTrackerId": {"from": "Art", "values": {"Verkauf": "2001"}, "others": "reject"},
        "EventDate": {"from": "Datum", "dates": "%d.%m.%Y"},
        "OrderId": "Bestellung",
        "Amount": "Betrag",
    }
    mapping = {"columns": columns, "numbers": {"decimal": "comma", "thousands": "point"}}
    desk.connect("german", mapping=mapping, format={"delimiter": "semicolon"})
    text = "Art;Datum;Bestellung;Betrag\nVerkauf;20.02.2026;A;1.330,35\nStorno;20.02.2026;B;1\n"
    done = desk.submit(text, connection="german")

    assert (done["state"], desk.codes(done)) == ("partly_applied", {3: ["NOT_MAPPED"]})
    [rejects] = [content for name, content in desk.results(done).items() if name.endswith(".csv")]
    assert rejects.startswith(b"Art,Datum,Bestellung,Betrag,SubmissionId,")
    again = desk.submit(rejects.replace(b"Storno", b"Verkauf"), name="corrected.csv", connection="german")

    assert (again["state"], again["accepted"]) == ("applied", 1)
    assert [action[:3] for action in desk.actions()] == [("A", 1, Decimal("1330.35")), ("B", 1, Decimal(1))]


HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount"
WIDER = f"{HEADER},Note,CustomerId"


def cells(order: str, more: str = "") -> str:
    return f"1000,2001,2026-02-20T10:00:00Z,{order},1.00{more}"


def test_columns_that_vanish_are_warned_about_once(desk: Desk) -> None:
    first = desk.submit(table(WIDER, cells("A", ",x,C-1")))
    second = desk.submit(table(f"{HEADER},customerid", cells("B", ",C-1")), name="second.csv")
    third = desk.submit(table(f"{HEADER},CustomerId", cells("C", ",C-1")), name="third.csv")

    found = [[warning["code"] for warning in done["file_warnings"]] for done in (first, second, third)]
    assert found == [[], ["VANISHED_COLUMN"], []]
    assert second["file_warnings"][0]["column"] == "Note"


def test_a_column_under_another_of_its_names_did_not_vanish_and_several_are_named_at_once(desk: Desk) -> None:
    desk.submit(table(f"{WIDER},Text1", cells("A", ",x,C-1,t")))
    renamed = f"{HEADER},CustomerId".replace("OrderId", "Oid").replace("ActionTrackerId", "EventTypeId")
    done = desk.submit(table(renamed, cells("B", ",C-1")), name="second.csv")

    [warning] = done["file_warnings"]
    assert warning["message"] == "orders.csv had the columns Note, Text1; this file has not."


def test_files_with_vanished_columns_are_refused_or_taken_in_silence_by_setting(desk: Desk) -> None:
    desk.submit(table(WIDER, cells("A", ",x,C-1")))
    narrow = table(f"{HEADER},CustomerId", cells("B", ",C-1"))

    desk.connect(vanished_columns="reject")
    refused = desk.submit(narrow, name="second.csv")
    assert (refused["state"], refused["code"]) == ("quarantined", "VANISHED_COLUMN")
    desk.connect(vanished_columns="ignore")
    taken = desk.submit(narrow, name="third.csv")
    assert (taken["state"], taken["file_warnings"]) == ("applied", [])


def test_the_listing_of_items_can_be_checked_and_taken_as_conversions(desk: Desk) -> None:
    with desk.ledger.connect() as connection:
        connection.execute("insert into partner (id, name) values (1, 'P')")
    rows = [
        '1000,2001,2026-02-20T10:00:00+01:00,"A, ""1""",EUR,10.10,"Shoes, red",S,2,1,',
        '1000,2001,2026-02-20T10:00:00+01:00,"A, ""1""",EUR,0.05,Socks,T,1,1,',
        "1000,2001,2026-02-21T10:00:00Z,B,USD,7.00,,,,,c-1",
        "1000,2002,2026-02-22T10:00:00Z,C,EUR,0,,,,1,c-2",
    ]
    desk.submit(table(f"{LISTED},MediaPartnerId,CustomerId", *rows))
    report = load_reports(PROJECT / "include")["action_items"]
    listing = io.BytesIO()
    days = Parameters(date(2026, 2, 1), date(2026, 2, 28), program="acme")
    write_checked(desk.ledger, Layout.of(report), days, listing)

    checked = check_file(
        io.BytesIO(listing.getvalue()),
        builtin_data_types()["conversions"],
        ValidationOptions(received_at=RECEIVED, unknown_columns="ignore"),
        name="listing.csv",
    )
    assert (checked.errors, checked.totals.accepted, checked.totals.rejected) == ((), 4, 0)
    assert checked.totals.amounts == {"EUR": Decimal("10.15"), "USD": 7}
    with desk.ledger.connect() as connection:
        connection.execute("update action set withdrawn_at = now()")
    before = desk.actions()
    assert desk.submit(listing.getvalue(), "listing.csv")["accepted"] == 4
    assert desk.actions() == sorted([*before, *[(order, 2, *money) for order, _, *money in before]])
