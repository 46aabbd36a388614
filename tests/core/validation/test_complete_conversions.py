"""Conversions in all their forms: items in numbered columns, rules between columns, addresses that are not hashed."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data_connections.validation import ValidationOptions
from data_connections.validation.check import CheckReport, check_file
from data_connections.validation.copies import Copies

BASE = {
    "CampaignId": "1000",
    "ActionTrackerId": "2001",
    "EventDate": "2026-06-14T10:00:00Z",
    "OrderId": "A",
    "ClickId": "c",
    "CurrencyCode": "EUR",
}
ITEM = {"ItemSku1": "S1", "ItemCategory1": "Shoes", "ItemQuantity1": "2", "ItemPrice1": "2.50"}
SECOND = {
    "ItemSku2": "S2",
    "ItemCategory2": "Socks",
    "ItemQuantity2": "1",
    "ItemSubTotal2": "7.00",
    "ItemText2_3": "red",
}
LINE = {"Sku": "S", "Category": "C", "Quantity": "1", "Amount": "1"}
ADDRESS = "joe.doe@example.com"


@pytest.fixture
def check(conversions, tmp_path):
    """Check rows given as mappings, and keep the copies of accepted and rejected rows."""

    def checked(*rows: dict[str, str], extra_cells: tuple[str, ...] = ()) -> CheckReport:
        names = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([[*(row.get(name, "") for name in names), *extra_cells] for row in rows])
        path = tmp_path / "case.csv"
        path.write_text(text.getvalue(), encoding="utf-8")
        options = ValidationOptions(received_at=datetime(2026, 6, 15, 12, tzinfo=UTC))
        copies = Copies(tmp_path / "accepted.csv", tmp_path / "rejects.csv")
        return check_file(path, conversions, options, copies=copies)

    return checked


def rows_in(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def codes(report: CheckReport) -> list[tuple[int | None, str | None, str]]:
    return [(finding.line, finding.column, finding.code) for finding in report.errors]


def test_items_in_numbered_columns_become_lines_of_their_order(check, tmp_path):
    report = check({**BASE, **ITEM, **SECOND}, {**BASE, "OrderId": "B", **ITEM})

    assert (report.totals.rows, report.totals.accepted, codes(report)) == (3, 3, [])
    assert {currency: str(amount) for currency, amount in report.totals.amounts.items()} == {"EUR": "17.00"}
    lines = [
        (row["OrderId"], row["Sku"], row["ItemPrice"], row["ItemSubTotal"], row["ItemText3"])
        for row in rows_in(tmp_path / "accepted.csv")
    ]
    assert lines == [("A", "S1", "2.50", "", ""), ("A", "S2", "", "7.00", "red"), ("B", "S1", "2.50", "", "")]


def test_one_bad_item_keeps_its_order_out_and_the_rejects_apply_when_corrected(check, conversions, tmp_path):
    report = check({**BASE, **ITEM, **SECOND, "ItemQuantity2": "x"}, {**BASE, "OrderId": "B", **ITEM})

    assert codes(report) == [(2, "OrderId", "ORDER_INCOMPLETE"), (3, "Quantity", "NOT_INTEGER")]
    corrected = tmp_path / "corrected.csv"
    corrected.write_text((tmp_path / "rejects.csv").read_text(encoding="utf-8").replace(",x,", ",1,"), encoding="utf-8")
    again = check_file(corrected, conversions, ValidationOptions(received_at=datetime(2026, 6, 15, 12, tzinfo=UTC)))
    assert (again.totals.accepted, again.totals.rejected) == (2, 0)


def test_an_order_without_items_stands_alone_among_orders_with_items(check):
    report = check({**BASE, **ITEM}, {**BASE, "OrderId": "B"})
    assert (report.totals.rows, report.totals.accepted) == (2, 2)


def test_the_two_forms_of_items_do_not_mix(check):
    report = check({**BASE, **ITEM, "Sku": "S", "Category": "Shoes", "Quantity": "1", "ItemPrice": "1"})
    assert report.file_error is not None
    assert report.file_error.code == "ITEM_FORMS_MIXED"


def test_the_total_of_a_row_is_checked_against_its_numbered_items(check):
    good = {**BASE, **ITEM, **SECOND, "Amount": "12.00"}
    alone = {**dict.fromkeys(good, ""), **BASE, "OrderId": "C", "Amount": "3.00"}
    report = check(good, {**good, "OrderId": "B", "Amount": "12.01"}, alone)
    assert codes(report) == [(4, "OrderTotal", "ORDER_TOTAL_MISMATCH"), (5, "OrderId", "ORDER_INCOMPLETE")]
    assert report.totals.amounts == {"EUR": 15}


def test_a_broken_row_with_numbered_items_loses_no_cell(check, tmp_path):
    report = check({**BASE, **ITEM, **SECOND}, extra_cells=("more",))
    assert codes(report) == [(2, None, "CELL_COUNT")]
    [row] = rows_in(tmp_path / "rejects.csv")
    assert (row["Sku"], row["ItemPrice"]) == ("S1", "2.50")
    assert row[None] == ["S2", "Socks", "1", "7.00", "red", "more"]


RULES = {
    "a partner twice": ({"MediaId": "1", "MediaPartnerId": "2"}, "MEDIA_AMBIGUOUS"),
    "a partner once": ({"MediaId": "1", "MediaPartnerId": ""}, None),
    "no attribution": ({"ClickId": ""}, "ATTRIBUTION_MISSING"),
    "attribution by promo code": ({"ClickId": "", "OrderPromoCode": "TEN"}, None),
    "a SubId alone": ({"ClickId": "", "CustomerId": "7", "SubId1": "x"}, "SUB_ID_ALONE"),
    "a SubId with its media": ({"MediaId": "1", "SubId1": "x"}, None),
    "a mobile event without its code": ({"PropertyId": "5"}, "EVENT_CODE_MISSING"),
    "a mobile event": ({"PropertyId": "5", "EventCode": "INSTALL", "AppPackage": "org.example"}, None),
    "a phone without its country": ({"PhoneNumber": "555"}, "COUNTRY_CODE_MISSING"),
    "a phone": ({"PhoneNumber": "555", "CountryCode": "US"}, None),
    "an order total among items": ({**LINE, "OrderSubTotal": "1"}, "SUBTOTAL_WITH_ITEMS"),
    "an order total": ({"OrderSubTotal": "1"}, None),
    "a gift": ({"GiftPurchase": "TRUE"}, None),
    "perhaps a gift": ({"GiftPurchase": "maybe"}, "NOT_BOOLEAN"),
    "a text of one's own": ({"Text50": "x" * 64, "Numeric10": "-1.25", "Money3": "1.99", "Date10": "2026-06-01"}, None),
    "a long text of one's own": ({"Text50": "x" * 65}, "TOO_LONG"),
    "money of one's own": ({"Money3": "1.999"}, "TOO_MANY_DECIMALS"),
    "a date of one's own": ({"Date10": "soon"}, "NOT_DATETIME"),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_rules_between_columns(check, name):
    changes, code = RULES[name]
    report = check({**BASE, **changes})
    assert [found for _, _, found in codes(report)] == ([code] if code else [])
    assert report.totals.accepted == (0 if code else 1)


WARNED = {
    "CardBin": ("12345", "123456"),
    "CardLastFour": ("12a4", "1234"),
    "PayoutAmount": ("-1", "1.50"),
    "CustomerStatus": ("LOYAL", "existing"),
}


@pytest.mark.parametrize("column", WARNED)
def test_some_fields_only_warn(check, column):
    bad, good = WARNED[column]
    report = check({**BASE, column: bad}, {**BASE, "OrderId": "B", column: good})
    assert (report.totals.accepted, report.totals.warned) == (2, 1)
    [finding] = report.errors
    assert (finding.line, finding.column, finding.severity) == (2, column, "warning")


def test_a_file_without_any_attribution_is_warned_about(check):
    report = check({name: value for name, value in BASE.items() if name != "ClickId"})
    assert report.totals.accepted == 1
    assert [finding.code for finding in report.file_warnings] == ["ATTRIBUTION_MISSING"]


@pytest.mark.parametrize("method", ["sha1", "sha256"])
def test_a_hash_of_an_address_is_taken(check, method):
    assert check({**BASE, "CustomerEmail": hashlib.new(method, ADDRESS.encode()).hexdigest()}).good


ADDRESSES = {
    "where a hash is due": {"CustomerEmail": ADDRESS},
    "where a hash is due, half of it": {"CustomerEmail": "joe.doe at example.com"},
    "as the customer's number": {"CustomerId": ADDRESS},
    "where a number is due": {"Amount": ADDRESS},
    "where a date is due": {"EventDate": ADDRESS},
}


@pytest.mark.parametrize("place", ADDRESSES)
@pytest.mark.parametrize("surplus", [(), (ADDRESS, "x")], ids=["", "with cells too many"])
def test_an_address_in_plain_text_is_rejected_and_written_nowhere(check, tmp_path, place, surplus):
    report = check({**BASE, **ADDRESSES[place]}, extra_cells=surplus)
    assert (report.totals.rejected, report.totals.accepted) == (1, 0)
    written = [(tmp_path / "rejects.csv").read_text(encoding="utf-8"), repr(report.as_json())]
    assert not any("joe.doe@" in text for text in written)
    assert surplus or not any("joe.doe" in text for text in written)


def test_an_address_in_a_file_without_header_is_not_shown(check):
    report = check({ADDRESS: "1", "1000": "2"})
    assert report.file_error is not None
    assert "joe.doe" not in repr(report.as_json())


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("EventDate", "2027-06-14T10:00:00Z", "EVENT_IN_FUTURE"),
        ("EventDate", "1989-12-31T23:59:59Z", "DATE_UNLIKELY"),
        ("Date1", "1989-12-31T23:59:59Z", "DATE_UNLIKELY"),
        ("Date1", "1990-01-01T00:00:00Z", None),
    ],
)
@pytest.mark.parametrize("severity", ["error", "warning"])
def test_unlikely_dates_are_rejected_or_warned_about(conversions, tmp_path, column, value, code, severity):
    row = {**BASE, column: value}
    (tmp_path / "dates.csv").write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n", encoding="utf-8")
    options = ValidationOptions(received_at=datetime(2026, 6, 15, 12, tzinfo=UTC), unlikely_dates=severity)

    report = check_file(tmp_path / "dates.csv", conversions, options)

    assert [(each.code, each.severity) for each in report.errors] == ([(code, severity)] if code else [])
    assert report.totals.accepted == (code is None or severity == "warning")


def test_rows_that_are_nearly_too_old_are_told_once_for_the_file(check):
    near, far, media = "2026-03-26T23:59:59Z", "2026-03-27T00:00:00Z", "2026-03-20T00:00:00Z"
    dates = {"A": near, "B": far, "C": near}
    report = check(
        *({**BASE, "OrderId": order, "EventDate": date, "MediaId": ""} for order, date in dates.items()),
        {**BASE, "OrderId": "D", "EventDate": media, "MediaId": "5"},
    )
    assert (report.totals.accepted, report.errors) == (4, ())
    [warning] = report.file_warnings
    assert (warning.code, warning.column) == ("AGE_NEAR_LIMIT", "EventDate")
    assert warning.message.startswith("2 rows have EventDate more than 80 days back")
