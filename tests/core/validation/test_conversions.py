"""Conversions: one row in, its outcome out; read as a list."""

from __future__ import annotations

from decimal import Decimal

import pytest

ORDER_HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,ClickId,CustomerId,CurrencyCode,Amount"
ITEM_HEADER = f"{ORDER_HEADER},Category,Sku,Quantity"
DAY = "2026-06-14T10:00:00Z"

# The row's cells in words of the header -> the codes that it gets; none: accepted.
CASES = {
    "a whole order": ({}, []),
    "a lead without amount": ({"Amount": ""}, []),
    "no order id": ({"OrderId": ""}, ["OID_MISSING"]),
    "an order id of 64 characters": ({"OrderId": "x" * 64}, []),
    "an order id of 65 characters": ({"OrderId": "x" * 65}, ["TOO_LONG"]),
    "an order id that a spreadsheet rewrote": ({"OrderId": "1.23457E+15"}, ["ORDER_ID_MANGLED"]),
    "an order id with a line break": ({"OrderId": '"a\nb"'}, ["CONTROL_CHARACTER"]),
    "an order id with a zero width space": ({"OrderId": "a\u200bb"}, ["CONTROL_CHARACTER"]),
    "an order id that turns its direction": ({"OrderId": "\u202ea1"}, ["CONTROL_CHARACTER"]),
    "an order id with a space behind": ({"OrderId": "a "}, ["SPACE_AROUND_KEY"]),
    "no program": ({"CampaignId": ""}, ["REQUIRED"]),
    "a program that is no number": ({"CampaignId": "Acme"}, ["CAMPAIGN_NOT_FOUND"]),
    "a program that is no positive number": ({"CampaignId": "0"}, ["CAMPAIGN_NOT_FOUND"]),
    "no event type": ({"ActionTrackerId": ""}, ["REQUIRED"]),
    "an event type that is no number": ({"ActionTrackerId": "Sale"}, ["ACTIONTRACKER_NOT_FOUND"]),
    "an event type of 11 digits": ({"ActionTrackerId": "12345678901"}, ["ACTIONTRACKER_NOT_FOUND"]),
    "no date": ({"EventDate": ""}, ["REQUIRED"]),
    "the received time": ({"EventDate": "NOW"}, []),
    "an offset of hours": ({"EventDate": "2026-06-14T00:26:05+00"}, []),
    "an offset of hours and minutes": ({"EventDate": "2026-06-14T22:55:32-08:00"}, []),
    "a day and month": ({"EventDate": "14/06/2026"}, ["NOT_DATETIME"]),
    "day 88": ({"EventDate": "2026-03-19T00:00:00Z"}, []),
    "day 89": ({"EventDate": "2026-03-18T23:59:59Z"}, ["EVENT_TOO_OLD"]),
    "tomorrow at this time": ({"EventDate": "2026-06-16T12:00:00Z"}, []),
    "next year": ({"EventDate": "2027-06-14T10:00:00Z"}, ["EVENT_IN_FUTURE"]),
    "an amount of nothing": ({"Amount": "0"}, []),
    "an amount below nothing": ({"Amount": "-0.01"}, ["TOO_SMALL"]),
    "an amount with three decimals": ({"Amount": "10.001"}, ["TOO_MANY_DECIMALS"]),
    "an amount with a separator": ({"Amount": '"1,000.00"'}, ["NOT_DECIMAL"]),
    "the largest usual amount": ({"Amount": "99999.99"}, []),
    "an unusual amount": ({"Amount": "100000.00"}, ["AMOUNT_UNUSUAL"]),
    "an amount of seven digits before the point": ({"Amount": "1000000.00"}, ["TOO_MANY_DIGITS"]),
    "a currency in small letters": ({"CurrencyCode": "usd"}, []),
    "a currency of two letters": ({"CurrencyCode": "US"}, ["PATTERN"]),
    "two mistakes": ({"OrderId": "", "Amount": "x"}, ["OID_MISSING", "NOT_DECIMAL"]),
}
WARNINGS = {"AMOUNT_UNUSUAL", "SPACE_AROUND_KEY", "QUANTITY_UNUSUAL"}

ITEMS = {
    "an item": ({}, []),
    "an item without category": ({"Category": ""}, ["ITEM_INCOMPLETE"]),
    "an item without quantity": ({"Quantity": ""}, ["ITEM_INCOMPLETE"]),
    "an item without money": ({"Amount": ""}, ["ITEM_MONEY"]),
    "a category without item": ({"Sku": "", "Quantity": ""}, []),
    "half a piece": ({"Quantity": "0.5"}, ["NOT_INTEGER"]),
    "a return among sales": ({"Quantity": "-1"}, ["TOO_SMALL"]),
    "an unusual quantity": ({"Quantity": "10001"}, ["QUANTITY_UNUSUAL"]),
}


def row(header: str, **cells: str) -> str:
    usual = {
        "CampaignId": "10",
        "ActionTrackerId": "20",
        "EventDate": DAY,
        "OrderId": "A1",
        "ClickId": "c",
        "CustomerId": "u",
        "CurrencyCode": "USD",
        "Amount": "10.50",
        "Category": "Shoes",
        "Sku": "S1",
        "Quantity": "2",
    }
    return ",".join((usual | cells).get(name, "") for name in header.split(",")) + "\n"


@pytest.mark.parametrize(
    ("header", "cells", "codes"),
    [pytest.param(ORDER_HEADER, *case, id=name) for name, case in CASES.items()]
    + [pytest.param(ITEM_HEADER, *case, id=name) for name, case in ITEMS.items()],
)
def test_rows(judge, conversions, header, cells, codes):
    judged = judge(f"{header}\n{row(header, **cells)}", conversions)
    assert judged.codes == {2: codes}
    assert judged.outcomes == {2: "rejected" if set(codes) - WARNINGS else "accepted"}
    assert judged.totals.warned == bool(set(codes) & WARNINGS)


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ({"MediaId": "7", "EventDate": "2025-05-13T00:00:00Z"}, []),
        ({"MediaId": "7", "EventDate": "2025-05-12T23:59:59Z"}, ["EVENT_TOO_OLD"]),
        ({"MediaId": "7", "MediaPartnerId": "8"}, ["MEDIA_AMBIGUOUS"]),
        ({"ActionTrackerId": "", "EventTypeCode": "SALE"}, []),
        ({"CustomerEmail": "me@example.org"}, ["EMAIL_NOT_HASHED"]),
        ({"CustomerEmail": "a" * 40}, []),
        ({"CustomerEmail": "A" * 64}, []),
        ({"Amount": "", "ItemPrice": "1.00", "ItemSubTotal": "2.00"}, ["ITEM_MONEY"]),
        ({"GiftPurchase": "perhaps"}, ["NOT_BOOLEAN"]),
        ({"Text50": "x" * 65}, ["TOO_LONG"]),
        ({"Numeric10": "1e5"}, ["NOT_DECIMAL"]),
        ({"Date10": "soon"}, ["NOT_DATETIME"]),
        ({"CountryCode": "DEU"}, ["PATTERN"]),
    ],
)
def test_optional_columns(judge, conversions, cells, codes):
    extra = [name for name in cells if name not in ITEM_HEADER.split(",")]
    header = ",".join([ITEM_HEADER, *extra])
    assert judge(f"{header}\n{row(header, **cells)}", conversions).codes == {2: codes}


def test_addresses_never_stand_in_messages(judge, conversions):
    header = f"{ORDER_HEADER},CustomerEmail"
    judged = judge(f"{header}\n{row(header, CustomerEmail='me@example.org')}", conversions)
    assert "example" not in judged.findings[0].message


def test_the_sentence_for_a_wrong_event_type_is_the_known_one(judge, conversions):
    judged = judge(f"{ORDER_HEADER}\n{row(ORDER_HEADER, ActionTrackerId='Sale')}", conversions)
    assert judged.findings[0].message.startswith("ActionTrackerId:ActionTrackerId value is invalid")


def test_money_is_added_up_exactly_by_currency_over_accepted_rows(judge, conversions):
    rows = [
        row(ORDER_HEADER, OrderId="1", Amount="0.10"),
        row(ORDER_HEADER, OrderId="2", Amount="0.20", CurrencyCode="usd"),
        row(ORDER_HEADER, OrderId="3", Amount="999999.99", CurrencyCode="EUR"),
        row(ORDER_HEADER, OrderId="4", Amount="5.00", CurrencyCode=""),
        row(ORDER_HEADER, OrderId="5", Amount="", CurrencyCode="GBP"),
        row(ORDER_HEADER, OrderId="6", Amount="7", CurrencyCode="USD", EventDate="x"),
        row(ORDER_HEADER, OrderId="1", Amount="7"),
    ]
    totals = judge(f"{ORDER_HEADER}\n{''.join(rows)}", conversions).totals
    assert totals.amounts == {"USD": Decimal("0.30"), "EUR": Decimal("999999.99"), "XXX": Decimal("5.00")}
    assert (totals.rows, totals.accepted, totals.rejected, totals.duplicate) == (7, 5, 1, 1)
    defaulted = judge(f"{ORDER_HEADER}\n{''.join(rows)}", conversions, default_currency="chf").totals
    assert defaulted.amounts["CHF"] == Decimal("5.00")


def test_money_of_items_is_the_line_s_or_price_times_quantity(judge, conversions):
    header = f"{ITEM_HEADER},ItemPrice,ItemSubTotal"
    rows = [
        row(header, OrderId="1", Sku="a", Amount="3.00", Quantity="3"),
        row(header, OrderId="1", Sku="b", Amount="", ItemPrice="0.33", Quantity="3"),
        row(header, OrderId="1", Sku="c", Amount="", ItemSubTotal="2.01", Quantity="4"),
    ]
    totals = judge(f"{header}\n{''.join(rows)}", conversions).totals
    assert totals.amounts == {"USD": Decimal("6.00")}
    assert totals.quantity == 10


@pytest.mark.parametrize(("rows", "codes"), [(10_000, []), (10_001, ["MORE_ROWS_THAN_ADVISED"])])
def test_more_rows_than_advised_is_a_warning_about_the_file(judge, conversions, rows, codes):
    text = f"{ORDER_HEADER}\n" + "".join(row(ORDER_HEADER, OrderId=str(number)) for number in range(rows))
    judged = judge(text, conversions)
    assert [warning.code for warning in judged.validation.warnings] == codes
    assert (judged.totals.accepted, judged.totals.warned) == (rows, 0)
