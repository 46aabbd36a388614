"""A partner's own columns, values, dates and numbers, read as those of the data type."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_connections.errors import ConfigurationError
from data_connections.settings import PROJECT
from data_connections.spec.mapping import ColumnMapping
from data_connections.validation import ValidationOptions
from data_connections.validation.check import CheckReport, check_file
from data_connections.validation.copies import Copies

PRESETS = PROJECT / "include" / "mappings"
GERMAN = {
    "columns": {
        "CampaignId": {"constant": "1000"},
        "ActionTrackerId": {"from": "Art", "values": {"Verkauf": "2001", "Anmeldung": "2002"}, "others": "reject"},
        "EventDate": {"from": "Datum", "dates": ["%d.%m.%Y %H:%M", "%d.%m.%Y"]},
        "OrderId": "Bestellung",
        "Amount": {"from": "Betrag", "numbers": {"decimal": "comma", "thousands": "point"}},
        "CurrencyCode": {"constant": "EUR"},
        "ClickId": "Klick",
    },
    "ignored": ["Filiale"],
}
HEADER = "Filiale;Art;Datum;Bestellung;Betrag;Klick"


@pytest.fixture
def check(conversions, tmp_path):
    def checked(text: str, mapping: dict) -> CheckReport:
        options = ValidationOptions(
            received_at=datetime(2026, 6, 15, 12, tzinfo=UTC),
            time_zone="Europe/Berlin",
            mapping=ColumnMapping.model_validate(mapping).resolved(PRESETS),
        )
        copies = Copies(tmp_path / "accepted.csv", tmp_path / "rejects.csv")
        return check_file(io.BytesIO(text.encode()), conversions, options, name="theirs.csv", copies=copies)

    return checked


def found(report: CheckReport) -> list[tuple[int | None, str | None, str]]:
    return [(each.line, each.column, each.code) for each in report.errors]


def test_their_columns_are_read_as_ours(check, tmp_path):
    report = check(f"{HEADER}\nMitte;Verkauf;14.06.2026 10:00;A;1.330,35;k\nMitte;Anmeldung;14.06.2026;B;;k\n", GERMAN)

    assert (report.totals.accepted, found(report), report.file_warnings) == (2, [], ())
    assert {name: str(amount) for name, amount in report.totals.amounts.items()} == {"EUR": "1330.35"}
    accepted = (tmp_path / "accepted.csv").read_text(encoding="utf-8").splitlines()
    assert accepted[1] == 'Mitte,Verkauf,14.06.2026 10:00,A,"1.330,35",k'


MISFITS = {
    "a number as others write it": ("Verkauf;14.06.2026;A;1330.35", "Amount"),
    "groups of two digits": ("Verkauf;14.06.2026;A;13.30,35", "Amount"),
    "an exponent": ("Verkauf;14.06.2026;A;1e3", "Amount"),
    "no number": ("Verkauf;14.06.2026;A;NaN", "Amount"),
    "a date as others write it": ("Verkauf;2026-06-14;A;1", "EventDate"),
    "a day that is none": ("Verkauf;31.06.2026;A;1", "EventDate"),
    "a date with something behind": ("Verkauf;14.06.2026x;A;1", "EventDate"),
    "a value without translation": ("Storno;14.06.2026;A;1", "ActionTrackerId"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_what_is_not_written_as_declared_is_rejected(check, name):
    row, column = MISFITS[name]
    report = check(f"{HEADER}\nMitte;{row};k\n", GERMAN)
    assert found(report) == [(2, column, "NOT_MAPPED")]


@pytest.mark.parametrize(
    ("amount", "code"),
    [("1.330,355", "TOO_MANY_DECIMALS"), ("-1,00", "TOO_SMALL"), ("12.345.678,00", "TOO_MANY_DIGITS")],
)
def test_what_is_written_as_declared_is_judged_like_any_other(check, amount, code):
    report = check(f"{HEADER}\nMitte;Verkauf;14.06.2026;A;{amount};k\n", GERMAN)
    assert found(report) == [(2, "Amount", code)]
    assert amount in report.errors[0].message


def test_the_rejects_have_their_columns_and_apply_when_corrected(check, tmp_path):
    check(f"{HEADER}\nMitte;Verkauf;14.06.2026;A;1e3;k\nMitte;Verkauf;14.06.2026;B;1;k\n", GERMAN)
    rejects = (tmp_path / "rejects.csv").read_text(encoding="utf-8")
    assert rejects.startswith("Filiale,Art,Datum,Bestellung,Betrag,Klick,SubmissionId,Line,")

    again = check(rejects.replace("1e3", '"1.000,00"', 1), GERMAN)
    assert (again.totals.accepted, found(again)) == (1, [])
    assert {name: str(amount) for name, amount in again.totals.amounts.items()} == {"EUR": "1000.00"}


def test_a_missing_column_is_named_as_they_know_it(check):
    report = check("Art;Bestellung\nVerkauf;A\n", GERMAN)
    assert report.file_error is not None
    assert report.file_error.code == "MISSING_COLUMN"
    assert "EventDate (here Datum)" in report.file_error.message


def test_a_mapping_to_a_column_that_is_none_is_a_mistake_of_ours(check):
    with pytest.raises(ConfigurationError, match=r"Amount"):
        check("a\n1\n", {"columns": {"Ammount": "a"}})


@pytest.mark.parametrize(
    "mapping",
    [
        {"columns": {"Amount": {"from": "a", "constant": "b"}}},
        {"columns": {"Amount": {}}},
        {"dates": ["%d.%m."]},
        {"dates": ["DD.MM.YYYY"]},
        {"numbers": {"decimal": "comma", "thousands": "comma"}},
    ],
)
def test_mistakes_in_a_mapping_are_told(mapping):
    with pytest.raises(ValidationError):
        ColumnMapping.model_validate(mapping)


CJ = "companyId,actionTrackerId,orderId,eventTime,amount,currency,itemSku,itemUnitPrice,itemQuantity,coupon,cjevent"


def test_a_cj_style_file_has_its_items_unpacked(check, tmp_path):
    own = {"preset": "cj", "columns": {"CampaignId": {"constant": "1000"}}}
    at = "2026-06-14T10:00:00Z"
    report = check(
        f"{CJ}\n7,2001,A,{at},30.00,EUR,S1;S2,10.00;5.00,2;2,TEN,e\n7,2001,B,{at},9.00,EUR,,,,,e\n"
        f"7,2001,C,{at},30.00,EUR,S1;S2,10.00,2;2,,e\n7,2001,D,{at},30.00,EUR,S1;S2,10.00;x,2;2,,e\n",
        own,
    )

    assert (report.totals.rows, report.totals.accepted) == (6, 3)
    assert {name: str(amount) for name, amount in report.totals.amounts.items()} == {"EUR": "39.00"}
    assert found(report) == [
        (5, None, "PACKED_COUNT"),
        (6, "OrderId", "ORDER_INCOMPLETE"),
        (7, "ItemPrice", "NOT_DECIMAL"),
    ]
    rejects = (tmp_path / "rejects.csv").read_text(encoding="utf-8")
    again = check(rejects.replace('10.00,"2;2"', '"10.00;1.00","2;2"').replace(",x,", ",5.00,"), own)
    assert (again.totals.rows, again.totals.accepted) == (4, 4)


def test_the_published_sample_of_cj_s_new_orders_is_read(check):
    header = "companyId,enterpriseId,subscriptionId,actionTrackerId,orderId,cjEvent,eventDate,amount,currency,itemSku,"
    report = check(
        f"{header}itemQty,itemUnitPrice,itemDiscount,coupon\n"
        "1,2,3,2001,ORD-1,a2d5,2026-06-14T14:22:00Z,149.98,USD,SKU-1,2,74.99,0.00,SUMMER10\n",
        {"preset": "cj", "columns": {"CampaignId": {"constant": "1000"}}},
    )
    assert (report.totals.accepted, report.file_warnings[1:]) == (1, ())
    assert report.totals.amounts == {"USD": Decimal("149.98")}


def test_a_ready_mapping_is_whole_when_it_is_read_back_from_a_stored_revision():
    own = {"preset": "cj", "columns": {"CampaignId": {"constant": "1000"}}}
    mapping = ColumnMapping.model_validate(own)
    stored = ColumnMapping.model_validate(mapping.model_dump(mode="json"))
    assert stored.resolved(PRESETS) == mapping.resolved(PRESETS)
    assert stored.resolved(PRESETS).packed
    assert stored.resolved(PRESETS).ignored


def test_unknown_columns_are_compared_with_the_names_that_the_mapping_knows(check):
    header = "CampaignId,ActionTrackerId,EventDate,OrderId,Total,ClickId,Totl,Amont"
    report = check(f"{header}\n1000,2001,2026-06-14T10:00:00Z,A,1.00,c,x,y\n", {"columns": {"Amount": "Total"}})
    hints = [warning.message.rpartition(": it is ignored.")[2] for warning in report.file_warnings]
    assert hints[0] == " Is it meant to be Total?"
    assert "Amount?" not in hints[1]


def test_a_column_may_have_one_of_several_names_and_not_two(check):
    mapping = {"columns": {"OrderId": {"from": "Order", "also": ["Nr", "No"]}}}
    row = "1000,2001,2026-06-14T10:00:00Z,A,1.00,c"
    for name, code in (
        ("Order", None),
        ("nr", None),
        ("No", None),
        ("Number", "MISSING_COLUMN"),
        ("No,Nr", "DUPLICATE_COLUMN"),
    ):
        extra = ",A" if "," in name else ""
        refused = check(
            f"CampaignId,ActionTrackerId,EventDate,{name},Amount,ClickId\n{row}{extra}\n", mapping
        ).file_error
        assert (refused.code if refused else None) == code
    with pytest.raises(ValidationError, match="other names of the column"):
        ColumnMapping.model_validate({"columns": {"OrderId": {"constant": "1", "also": ["Nr"]}}})


def test_an_awin_style_file(check):
    header = "id,orderRef,transactionDate,saleAmount,currency,voucherCode,publisherId,CampaignId,ActionTrackerId"
    report = check(f'{header}\n1,A,14/06/2026 10:11:12,"1,330.35",EUR,,55,1000,2001\n', {"preset": "awin"})
    assert (report.totals.accepted, report.file_warnings) == (1, ())


@pytest.mark.parametrize("path", sorted(PRESETS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_preset_can_be_read(path):
    assert ColumnMapping(preset=path.stem).resolved(PRESETS).columns


AMOUNTS = st.decimals(0, 99999, places=2, allow_nan=False)
MOMENTS = st.datetimes(datetime(2026, 4, 1), datetime(2026, 6, 14))


@given(st.lists(st.tuples(AMOUNTS, MOMENTS), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_what_is_written_as_declared_is_read_exactly(conversions, rows):
    lines = [
        f"Mitte;Verkauf;{moment:%d.%m.%Y %H:%M};N{number};{f'{amount:,.2f}'.translate(str.maketrans(',.', '.,'))};k"
        for number, (amount, moment) in enumerate(rows)
    ]
    text = "\n".join([HEADER, *lines]) + "\n"
    mapping = ColumnMapping.model_validate(GERMAN)
    options = ValidationOptions(received_at=datetime(2026, 6, 15, 12, tzinfo=UTC), expectations=False, mapping=mapping)

    report = check_file(io.BytesIO(text.encode()), conversions, options, name="theirs.csv")

    assert report.totals.accepted == len(rows)
    assert report.totals.amounts["EUR"] == sum(amount for amount, _ in rows)
