"""Codes of single files and cells that no other test is about: each with what gets it and what does not."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest

from data_connections.currencies import in_use
from data_connections.data_types import DataType
from data_connections.spec.file_format import FileFormat
from data_connections.validation import ValidationOptions
from data_connections.validation.check import CheckReport, check_file

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount,MediaId"
PARTED = HEADER.split("Amount")
KNOWN = sorted(in_use(date(2026, 6, 15)))
ROW = "1000,2001,2026-06-10T10:00:00Z,A,1.00,1"


def check(conversions: DataType, text: str, **file_format: object) -> CheckReport:
    options = ValidationOptions(received_at=datetime(2026, 6, 15, 12, tzinfo=UTC))
    return check_file(
        io.BytesIO(text.encode()), conversions, options, file_format=FileFormat(**file_format), name="f.csv"
    )


def refusal(report: CheckReport) -> str | None:
    return report.file_error.code if report.file_error else None


@pytest.mark.parametrize(
    ("bad", "good", "code", "options"),
    [
        (f"{HEADER},Oid", f"{HEADER},Note", "DUPLICATE_COLUMN", {}),
        ("ItemSku1001".join(PARTED), "ItemSku1000".join(PARTED), "TOO_MANY_ITEMS", {}),
        (HEADER, f"{HEADER},", "HEADER_ROWS", {"trailing_delimiter": True}),
        (f"{HEADER},Note", HEADER, "NAMES_COUNT", {"names": HEADER.split(",")}),
    ],
)
def test_headers_that_refuse_a_file(conversions, bad: str, good: str, code: str, options: dict[str, object]) -> None:
    assert refusal(check(conversions, f"{bad}\n", **options)) == code
    assert refusal(check(conversions, f"{good}\n", **options)) is None


@pytest.mark.parametrize(
    ("column", "bad", "good", "code"),
    [("CustomerStatus", "VIP", "new", "CUSTOMER_STATUS_UNUSUAL")],
)
def test_cells_that_are_worth_a_word(conversions, column: str, bad: str, good: str, code: str) -> None:
    report = check(conversions, f"{HEADER},{column}\n{ROW},{bad}\n{ROW.replace('A,', 'B,')},{good}\n")

    assert [(one.line, one.code, one.severity) for one in report.errors] == [(2, code, "warning")]
    assert report.totals.accepted == 2


def test_very_many_currencies_in_one_file_are_worth_a_word(conversions) -> None:
    for count, codes in ((50, []), (51, ["CURRENCIES_UNUSUAL"])):
        rows = [f"{ROW.replace('A,', f'A{n},')},{code}" for n, code in zip(range(count), KNOWN, strict=False)]
        report = check(conversions, "\n".join([f"{HEADER},CurrencyCode", *rows]) + "\n")
        assert [warning.code for warning in report.file_warnings] == codes


def test_items_that_were_spread_are_told_of(conversions) -> None:
    numbered = f"{HEADER.replace('Amount', 'ItemAmount1')},ItemSku1,ItemCategory1,ItemQuantity1"
    assert "ITEMS_SPREAD" in [each.code for each in check(conversions, f"{numbered}\n{ROW},S,C,1\n").file_warnings]
    assert check(conversions, f"{HEADER}\n{ROW}\n").file_warnings == ()
