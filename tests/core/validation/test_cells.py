from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

GOOD = [
    ({"type": "integer"}, "42", 42),
    ({"type": "integer"}, "-7", -7),
    ({"type": "integer"}, "0012", 12),
    ({"type": "integer"}, "999999999999999999", 999999999999999999),
    ({"type": "integer"}, "", None),
    ({"type": "integer", "precision": 25}, "1234567890123456789012345", Decimal("1234567890123456789012345")),
    ({"type": "integer", "precision": 3}, "000999", 999),
    ({"type": "integer", "minimum": 1, "maximum": 5}, "5", 5),
    ({"type": "decimal", "precision": 8, "scale": 2}, "999999.99", Decimal("999999.99")),
    ({"type": "decimal", "precision": 8, "scale": 2}, "-0.5", Decimal("-0.50")),
    ({"type": "decimal", "precision": 8, "scale": 2}, "12", Decimal("12.00")),
    ({"type": "decimal", "precision": 2, "scale": 2}, "0.25", Decimal("0.25")),
    ({"type": "decimal", "precision": 30, "scale": 10}, "12345678901234567890.0123456789", None),
    ({"type": "decimal"}, "1234567890123456789012345678.0123456789", None),
    ({"type": "boolean"}, "YES", True),
    ({"type": "boolean"}, "0", False),
    ({"type": "boolean"}, "False", False),
    ({"max_length": 3}, "äöü", "äöü"),
    ({"max_length": 3}, " a ", " a "),
    ({"pattern": "[A-Z]{3}"}, "EUR", "EUR"),
    ({"pattern": "(?=.*1)[a-z0-9]+"}, "a1", "a1"),
    ({"allowed": ["NEW", "Existing"]}, "existing", "existing"),
    ({"type": "datetime"}, "2026-06-01T10:00:00Z", datetime(2026, 6, 1, 10, tzinfo=UTC)),
    ({"type": "datetime"}, "2026-06-01 10:00:00Z", datetime(2026, 6, 1, 10, tzinfo=UTC)),
    ({"type": "datetime"}, "2026-06-01T10:00:00+00", datetime(2026, 6, 1, 10, tzinfo=UTC)),
    ({"type": "datetime"}, "2026-06-01T10:00:00+0000", datetime(2026, 6, 1, 10, tzinfo=UTC)),
    ({"type": "datetime"}, "2026-06-01T02:00:00-08:00", datetime(2026, 6, 1, 10, tzinfo=UTC)),
    ({"type": "datetime"}, "2026-06-01T10:00:00.123456Z", datetime(2026, 6, 1, 10, 0, 0, 123456, tzinfo=UTC)),
    ({"type": "datetime"}, "2026-06-01T10:00", datetime(2026, 6, 1, 10, tzinfo=UTC)),
    ({"type": "datetime"}, "2026-06-01", datetime(2026, 6, 1, tzinfo=UTC)),
    ({"type": "datetime"}, "2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ({"type": "datetime"}, "2038-01-19T03:14:08Z", datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)),
    ({"type": "datetime"}, "9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ({"type": "datetime", "now_allowed": True}, "NOW", datetime(2026, 6, 15, 12, tzinfo=UTC)),
    ({"type": "datetime", "now_allowed": True}, "now", datetime(2026, 6, 15, 12, tzinfo=UTC)),
    ({"required": True}, "0", "0"),
]

BAD = [
    *[({"type": "integer"}, cell, "NOT_INTEGER") for cell in ("1.0", "+1", "1,000", " 1", "1 ", "1e3", "0x1F", "x")],
    *[({"type": "integer"}, cell, "NOT_INTEGER") for cell in ("--1", "-", " ", "\uff11", "1_000", "1\n")],
    ({"type": "integer"}, "1234567890123456789", "TOO_MANY_DIGITS"),
    ({"type": "integer", "precision": 3}, "1000", "TOO_MANY_DIGITS"),
    ({"type": "integer", "minimum": 1}, "0", "TOO_SMALL"),
    ({"type": "integer", "maximum": 5}, "6", "TOO_LARGE"),
    *[
        ({"type": "decimal", "precision": 8, "scale": 2}, cell, "NOT_DECIMAL")
        for cell in (
            "1e2",
            "NaN",
            "nan",
            "Infinity",
            "1,000.00",
            "1,5",
            "+1.00",
            ".5",
            "5.",
            " 1.00",
            "€5",
            "1.2.3",
            "٣",
        )
    ],
    ({"type": "decimal", "precision": 8, "scale": 2}, "1.005", "TOO_MANY_DECIMALS"),
    ({"type": "decimal", "precision": 8, "scale": 2}, "1.000", "TOO_MANY_DECIMALS"),
    ({"type": "decimal", "precision": 8, "scale": 2}, "1000000", "TOO_MANY_DIGITS"),
    ({"type": "decimal", "precision": 8, "scale": 2}, "-1000000.00", "TOO_MANY_DIGITS"),
    ({"type": "decimal", "precision": 8, "scale": 2, "minimum": 0}, "-0.01", "TOO_SMALL"),
    ({"type": "decimal", "precision": 8, "scale": 2, "minimum": "0.005"}, "0.00", "TOO_SMALL"),
    ({"type": "decimal", "precision": 8, "scale": 2, "maximum": "99.5"}, "99.51", "TOO_LARGE"),
    *[({"type": "boolean"}, cell, "NOT_BOOLEAN") for cell in ("maybe", "2", " true", "on")],
    ({"max_length": 3}, "äöüß", "TOO_LONG"),
    ({"pattern": "[A-Z]{3}"}, "EURO", "PATTERN"),
    ({"pattern": "[A-Z]{3}"}, "EUR\n", "PATTERN"),
    ({"pattern": "a|b"}, "ab", "PATTERN"),
    ({"pattern": "(?=.*1)[a-z0-9]+"}, "ab", "PATTERN"),
    ({"allowed": ["NEW", "Existing"]}, "old", "NOT_ALLOWED"),
    *[
        ({"type": "datetime"}, cell, "NOT_DATETIME")
        for cell in (
            "2026-02-30T10:00:00Z",
            "2025-02-29",
            "2026-13-01T10:00:00Z",
            "2026-06-01T24:00:00Z",
            "2026-06-01T10:00:60Z",
            "2026-06-01T10:00:00.1234567Z",
            "2026-06-01T10:00:00 +0000",
            "2026-06-01T10Z",
            "2026-06-01Z",
            "20260601T100000Z",
            "01/06/2026",
            "01.06.2026 10:00",
            " 2026-06-01T10:00:00Z",
            "2026-06-01T10:00:00+15:00",
            "9999-12-31T23:59:59-08:00",
            "0000-01-01T00:00:00Z",
            "1780308000",
            "NOW",
        )
    ],
    ({"required": True}, "", "REQUIRED"),
    ({"required": True}, "   ", "REQUIRED"),
    ({"required": True, "type": "integer"}, "", "REQUIRED"),
    ({"required_unless": ["Other"]}, "", "REQUIRED"),
]


def file_of(cell: str, other: str = "") -> str:
    quoted = '"' + cell.replace('"', '""') + '"'
    return f"K,V,Other\nk,{quoted},{other}\n"


@pytest.mark.parametrize(("column", "cell", "value"), GOOD)
def test_good_cells_are_accepted_with_their_value(judge, one_column, column, cell, value):
    judged = judge(file_of(cell), one_column(**column))
    assert judged.findings == []
    assert judged.outcomes == {2: "accepted"}
    assert judged.typed[2]["V"] == (Decimal(cell) if value is None and cell else value)


@pytest.mark.parametrize(("column", "cell", "code"), BAD)
def test_bad_cells_are_rejected_with_their_code(judge, one_column, column, cell, code):
    judged = judge(file_of(cell), one_column(**column))
    assert [(finding.line, finding.column, finding.code, finding.severity) for finding in judged.findings] == [
        (2, "V", code, "error")
    ]
    assert judged.outcomes == {2: "rejected"}
    if code not in ("REQUIRED", "NOT_ALLOWED", "TOO_SMALL", "TOO_LARGE", "PATTERN", "TOO_LONG"):
        assert judged.typed[2]["V"] is None


def test_a_column_is_not_required_where_an_alternative_has_a_value(judge, one_column):
    assert judge(file_of("", other="x"), one_column(required_unless=["Other"])).outcomes == {2: "accepted"}


def test_one_finding_for_each_bad_cell(judge, one_column):
    column = one_column(type="integer", required=True, minimum=5)
    assert judge("K,V\na,\nb,x\nc,4\nd,5\n", column).codes == {
        2: ["REQUIRED"],
        3: ["NOT_INTEGER"],
        4: ["TOO_SMALL"],
        5: [],
    }


def test_codes_and_sentences_of_the_column_come_instead_of_the_usual(judge, one_column):
    column = one_column(
        type="integer", codes={"NOT_INTEGER": "CAMPAIGN_NOT_FOUND"}, messages={"NOT_INTEGER": "Enter {it}."}
    )
    finding = judge(file_of("x"), column).findings[0]
    assert (finding.code, finding.message) == ("CAMPAIGN_NOT_FOUND", "Enter {it}.")


def test_messages_name_the_column_show_the_cell_shortened_and_say_what_to_do(judge, one_column):
    message = judge(file_of("x" * 1000), one_column(type="integer")).findings[0].message
    assert message.startswith(f"V is '{'x' * 40}'...")
    assert "Write digits only" in message
    assert len(message) < 200


def test_messages_show_nothing_personal(judge, one_column):
    for column, cell in [({"max_length": 5}, "me@example.org"), ({"pattern": "[0-9a-f]{40}"}, "me@example.org")]:
        message = judge(file_of(cell), one_column(personal=True, **column)).findings[0].message
        assert "example" not in message
        assert "personal" in message


def test_values_of_any_text_are_kept_exactly(judge, one_column):
    text = ' "quoted"\r\n, ünï\tcode \u200b'
    assert judge(file_of(text), one_column()).typed[2]["V"] == text
