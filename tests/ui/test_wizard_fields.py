"""What the wizard asks: every field of every kind of connection, once, and each value comes back as it was."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from data_connections.errors import Mistakes
from data_connections.settings import PROJECT
from data_connections.spec import InboundConnection, parse_spec
from data_connections.spec.connection import KINDS
from data_connections.spec.loading import load_folder
from fixtures.catalog import INBOUND, OUTBOUND, changed
from ui.draft import by_section, content_of_draft, draft_of, fields_asked, placed, with_row, without_row
from ui.form_fields import fields_of
from ui.wizard_layout import FIELDS, SECTIONS, step_of

ELSEWHERE = {"name", "display_name", "program", "direction", "data_type", "method", "methodology", "credentials"}
NOT_ASKED = {"renamed_from", "details.folder"}
"""What only YAML says, and what can be one thing only where we host the folder or send mails."""
RICH: dict[str, dict[str, Any]] = {
    "mapping": {
        "mapping": {
            "preset": "cj",
            "columns": {
                "Amount": {"from": "Total: gross", "numbers": {"decimal": "comma", "thousands": "point"}},
                "Status": {"from": "State", "values": {"0": "REVERSED", "on hold": "PENDING"}, "others": "reject"},
                "EventDate": {"from": "When", "dates": ["%d/%m/%Y", "%d/%m/%Y %H:%M"], "unless": "Locked"},
                "CurrencyCode": {"constant": "EUR"},
            },
            "packed": ["Sku", "Quantity"],
            "packed_by": "|",
        }
    },
    "limits": {"limits": {"hold_if": {"rows_over": 10, "amount_over": {"EUR": "50000", "USD": "1.5"}}}},
    "expects": {
        "expects": [
            {"by": "15:00:00", "on": ["weekdays"], "files": 2, "at_most": 3},
            {"by": "09:30:00", "on": [1, 15, "last"], "warn_before": None, "unusual": None, "time_zone": "Asia/Tokyo"},
        ]
    },
    "expectations": {
        "expectations": {
            "rows": [
                {
                    "type": "expect_column_values_to_be_between",
                    "kwargs": {"column": "Amount", "min_value": 0, "max_value": 99.5, "strict_min": True},
                    "code": "AMOUNT_STRANGE",
                    "message": "The amount is strange: look at it.",
                    "severity": "warning",
                }
            ],
            "file": [
                {
                    "type": "expect_table_row_count_to_be_between",
                    "kwargs": {"min_value": 1},
                    "code": "TOO_FEW",
                    "message": "Too few rows.",
                }
            ],
        }
    },
    "people": {
        "access_control": {"partner-managers": ["view", "run"], "auditors": ["view"]},
        "contacts": {"ours": ["a@example.test", "b@example.test"]},
        "alerts": {"email": ["a@example.test"], "about": ["failed", "late"], "rejects_over": 3},
        "description": "Two lines\nof text.",
        "active_from": "2026-01-31",
        "paused": True,
    },
    "signs": {"format": {"delimiter": "\t", "quote": "", "trailer": "TRL|{rows}|{sum:Amount}", "header": False}},
    "pgp": {"pgp": {"credentials": "acme-pgp", "signed": True}},
    "after": {"details": {"after_read": "move", "done_folder": "ok", "marker": ".fin", "exclude": ["*_test*", "x?"]}},
    "dataset": {"data_type": "product_catalog", "dataset": {"name": "eu", "form": "delta", "most_removed": "0.25"}},
}


def again(content: dict[str, Any]) -> dict[str, str]:
    """The draft of a content, of which the same spec comes again."""
    spec = parse_spec(content)
    draft = draft_of(spec.model_dump(mode="json", exclude_defaults=True))
    assert parse_spec(content_of_draft(draft)) == spec
    return draft


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_spec_is_asked_for_once_and_in_a_section_of_its_step(kind):
    direction, method, *push = kind.split("_")
    draft = {"direction": direction, "method": method, **({"methodology": push[0]} if push else {})}
    there = {field.name for field in fields_of(KINDS[kind])}
    asked = Counter(field.name for own in by_section(draft).values() for field in own)
    assert set(asked.values()) == {1}
    assert there - set(asked) <= ELSEWHERE | NOT_ASKED
    assert not set(asked) & ELSEWHERE
    for section in SECTIONS:
        assert {step_of(field.name) for field in by_section(draft)[section.key]} <= {section.step}
    assert {step_of(name) for name in ELSEWHERE} == set(FIELDS) - {"review"}


@pytest.mark.parametrize("part", RICH)
def test_what_is_nested_is_asked_for_field_by_field(part):
    draft = again(changed(INBOUND, **RICH[part]))
    assert draft["more"] == ""


def test_every_example_comes_back_without_any_yaml():
    examples = [loaded.spec for loaded in load_folder(PROJECT / "include" / "connections").specs]
    assert len(examples) > 5
    for spec in examples:
        draft = draft_of(spec.model_dump(mode="json", exclude_defaults=True))
        assert parse_spec(content_of_draft(draft)) == spec
        assert draft["more"] == "", spec.name


@pytest.mark.parametrize(
    "odd",
    [
        {"mapping": {"columns": {"Status": {"from": "State", "values": {"a: b": "c"}}}}},
        {"details": {"result_folder": "none", "exclude": [" led by a space"]}},
        {"renamed_from": "acme-old"},
        {"owner": " spaced "},
    ],
)
def test_what_no_field_can_say_is_kept_as_yaml(odd):
    assert again(changed(INBOUND, **odd))["more"] != ""


def test_outbound_parts_are_asked_for_too():
    draft = again(
        {
            **OUTBOUND,
            "format": {"type": "tsv", "columns": ["Date", "Revenue"], "headers": {"Revenue": "Turnover: net"}},
            "packaging": {"fin": True, "rows_per_file": 500, "manifest": True},
            "covers": {"days_again": 2},
            "expects": [{"by": "08:00", "state": "delivered"}],
            "pgp": {"credentials": "acme-pgp", "sign": True, "armor": True},
        }
    )
    assert draft["more"] == ""
    assert (draft["format.columns"], draft["packaging.fin"]) == ("Date\nRevenue", "true")
    assert draft["format.headers"] == "Revenue: Turnover: net"


def mistakes_in(draft: dict[str, str]) -> list[str]:
    with pytest.raises(Mistakes) as found:
        parse_spec(content_of_draft(draft))
    return [placed(each.field or "", draft) for each in found.value.mistakes]


def test_a_message_stands_beside_the_field_of_its_row():
    draft = draft_of(changed(INBOUND, **RICH["mapping"], **RICH["expects"]))
    wrong = {
        "mapping.columns.1.others": "perhaps",
        "mapping.columns.0.numbers.thousands": "comma",
        "expects.1.files": "many",
    }
    assert set(mistakes_in({**draft, **wrong})) == {
        "mapping.columns.0.numbers.decimal",
        "mapping.columns.1.others",
        "expects.1.files",
    }
    gap = {**without_row(draft, "expects.0"), "expects.1.files": "many"}
    assert mistakes_in(gap) == ["expects.1.files"]


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"mapping.columns.7.from": "Total"}, "mapping.columns.7.name"),
        ({"mapping.columns.0.name": "Amount", "mapping.columns.1.name": "Amount"}, "mapping.columns.1.name"),
        ({"limits.hold_if.amount_over": "fifty"}, "limits.hold_if.amount_over"),
        ({"limits.hold_if.amount_over": "EUR: many"}, "limits.hold_if.amount_over"),
        ({"format.delimiter": ";", "format.quote": ";"}, "format"),
        ({"details.host": ""}, "details.host"),
        ({"expects.0.by": "late"}, "expects.0.by"),
    ],
)
def test_what_is_wrong_is_said_where_it_was_written(wrong, place):
    assert place in mistakes_in({**draft_of(INBOUND), **wrong})


def test_rows_are_added_and_taken_away():
    draft = draft_of(changed(INBOUND, **RICH["expects"]))
    more = with_row(draft, "expects")
    assert more["expects.2.by"] == ""
    assert content_of_draft(more) == content_of_draft(draft)
    assert len(content_of_draft(without_row(more, "expects.0"))["expects"]) == 1
    assert with_row(draft, "details.host") == draft


def test_only_fields_of_the_choice_are_asked_for():
    asked = {field.name for field in fields_asked({"direction": "outbound", "method": "email"})}
    assert {"details.to", "details.subject"} <= asked
    assert not asked & {"details.host", "details.folder", "mapping.columns", "limits.max_rejects"}
    assert issubclass(KINDS["inbound_email"], InboundConnection)
