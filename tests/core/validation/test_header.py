from __future__ import annotations

import pytest

from data_connections.errors import FileRefused
from data_connections.validation import read_header

MINIMUM = "CampaignId,ActionTrackerId,EventDate,OrderId,ClickId,CustomerId,CurrencyCode,Amount,Category,Sku,Quantity"


def names(text: str, delimiter: str = ",") -> list[str]:
    return text.split(delimiter)


@pytest.mark.parametrize(
    "header",
    [
        MINIMUM,
        MINIMUM.upper(),
        MINIMUM.replace("OrderId", "Oid").replace("ActionTrackerId", "EventTypeId").replace("CurrencyCode", "Currency"),
        MINIMUM.replace("ActionTrackerId", "EventTrackerID"),
        MINIMUM.replace("ActionTrackerId", "EventTypeCode"),
        " , ".join(MINIMUM.split(",")),
        ",".join(reversed(MINIMUM.split(","))),
    ],
)
def test_columns_are_found_by_name_or_alias_whatever_case_space_and_order(conversions, header):
    found = read_header(names(header), conversions)
    assert len(found.columns) == 11
    assert found.warnings == ()
    assert found.names[found.columns["OrderId"]].strip().lower() in ("orderid", "oid")


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        (MINIMUM.replace("OrderId,", ""), "OrderId (or Oid)"),
        (MINIMUM.replace("EventDate,", ""), "EventDate"),
        (
            MINIMUM.replace("ActionTrackerId,", ""),
            "ActionTrackerId (or EventTypeId or EventTrackerId or EventTypeCode)",
        ),
    ],
)
def test_a_missing_required_column_refuses_the_file_and_is_named(conversions, header, missing):
    with pytest.raises(FileRefused) as refused:
        read_header(names(header), conversions)
    assert refused.value.code == "MISSING_COLUMN"
    assert missing in refused.value.message
    assert "CampaignId, " in refused.value.message


def test_a_misspelled_column_is_guessed_at(conversions):
    with pytest.raises(FileRefused, match="Is 'OrderIdd' meant to be OrderId"):
        read_header(names(MINIMUM.replace("OrderId", "OrderIdd")), conversions)


@pytest.mark.parametrize(
    ("header", "words", "options"),
    [
        ([MINIMUM.replace(",", ";")], "semicolon", {"delimiter": "semicolon"}),
        ([MINIMUM.replace(",", "\t")], "tab", {"delimiter": "tab"}),
        (["12", "34", "2026-06-01T00:00:00Z", "A1"], "no header line", {}),
        (["Report of June", ""], "lines above its header", {}),
    ],
)
def test_a_header_that_is_none_says_what_may_be_the_matter(conversions, header, words, options):
    with pytest.raises(FileRefused, match="MISSING_COLUMN") as refused:
        read_header(header, conversions)
    assert words in refused.value.message
    assert refused.value.options == options


def test_a_header_without_any_known_column_is_refused_even_if_none_is_required(one_column):
    with pytest.raises(FileRefused, match="UNKNOWN_HEADER"):
        read_header(["1", "2"], one_column())


def test_the_same_column_under_two_names_is_refused(conversions):
    with pytest.raises(FileRefused, match="'Oid' both mean the column OrderId"):
        read_header(names(MINIMUM + ",Oid"), conversions)


def test_columns_of_ones_own_are_no_numbered_items(conversions):
    assert read_header(names(MINIMUM + ",ItemText1,ItemNumeric2,Text3"), conversions).warnings == ()


def test_unknown_columns_are_warned_about_ignored_or_rejected(conversions):
    header = names(MINIMUM + ",Colour,Ammount")
    warnings = read_header(header, conversions).warnings
    assert [(warning.code, warning.column, warning.severity, warning.line) for warning in warnings] == [
        ("UNKNOWN_COLUMN", "Colour", "warning", None),
        ("UNKNOWN_COLUMN", "Ammount", "warning", None),
    ]
    assert "Amount" in warnings[1].message
    assert read_header(header, conversions, "ignore").warnings == ()
    with pytest.raises(FileRefused, match="UNKNOWN_COLUMN"):
        read_header(header, conversions, "reject")


def test_the_columns_of_a_rejects_file_are_ignored_and_say_what_is_corrected(judge, one_column):
    text = "K,V,SubmissionId,Line,ErrorCode,ErrorColumn,ErrorMessage\na,1,17,2,X,V,m\nb,2,,3,X,V,m\nc,3,18,4,X,V,m\n"
    judged = judge(text, one_column(type="integer"))
    assert judged.totals.accepted == 3
    assert judged.validation.warnings == ()
    assert judged.validation.corrects == {"17", "18"}
    assert judged.validation.header.own_names == ("K", "V")
