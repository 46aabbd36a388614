"""Rows to bytes: RFC 4180 as plain as can be, and reports that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_connections.formats import CsvWriter, ReportWriter, open_rows, write_csv
from data_connections.spec import FileFormat

HEADER = ("one", "two", "three")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


def table(rows) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(HEADER)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=HEADER)


def written(rows, header=HEADER) -> bytes:
    target = io.BytesIO()
    write_csv(target, header, [table(rows)])
    return target.getvalue()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=6))
def test_what_is_written_reads_the_same_in_ours_and_in_the_csv_module(rows):
    content = written(rows)
    assert list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True)) == [list(HEADER), *map(list, rows)]
    if HEADER not in rows:
        blocks = open_rows(io.BytesIO(content), FileFormat(), name="x").blocks()
        assert [tuple(row.values()) for block in blocks for row in block.cells.to_pylist()] == rows


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a,b", '"a,b"'),
        ('say "hi"', '"say ""hi"""'),
        ("two\nlines", '"two\nlines"'),
        (" padded", '" padded"'),
        ("'quoted'", "\"'quoted'\""),
        ("007.10", "007.10"),
        ("-5", "-5"),
        ("=1+1", "=1+1"),
    ],
)
def test_values_stay_exactly_as_they_are(cell, expected):
    assert written([(cell, "x", "y")]).decode().splitlines(keepends=True)[1:] == (
        f"{expected},x,y\r\n".splitlines(keepends=True)
    )


def test_an_empty_cell_alone_in_its_row_is_no_blank_line():
    target = io.BytesIO()
    writer = CsvWriter(target, ["id"])
    writer.write(pa.table({"id": ["1", "", None]}))
    assert (target.getvalue(), writer.rows) == (b'id\r\n1\r\n""\r\n""\r\n', 3)


def test_a_table_of_another_width_is_not_written():
    with pytest.raises(ValueError, match="2 columns does not fit a header of 1"):
        CsvWriter(io.BytesIO(), ["id"]).write(pa.table({"a": ["1"], "b": ["2"]}))


def report(rows=(), tables=(), header=("name", "amount", "at"), delimiter=",") -> str:
    target = io.BytesIO()
    writer = ReportWriter(target, header, delimiter)
    writer.write_rows(rows)
    for each in tables:
        writer.write_table(each)
    return target.getvalue().decode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_text_that_a_spreadsheet_would_run_is_guarded(start):
    text = start + "cmd|'/C calc'!A0"
    by_row = report([(text, 1, None)])
    by_table = report(tables=[pa.table({"name": [text], "amount": [1], "at": pa.array([None], pa.date32())})])
    assert by_row == by_table
    assert next(csv.reader(io.StringIO(by_row.partition("\r\n")[2], newline="")))[0] == "'" + text


def test_numbers_and_times_are_left_alone():
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    rows = [
        ("reversal", Decimal("-12.50"), at),
        ("large", Decimal("1E+3"), date(2026, 1, 2)),
        ("small", Decimal("0E-8"), None),
        ("count", -3, True),
    ]
    assert report(rows).split("\r\n")[1:-1] == [
        "reversal,-12.50,2026-01-02T03:04:05+00:00",
        "large,1000,2026-01-02",
        "small,0.00000000,",
        "count,-3,true",
    ]


def test_arrow_columns_are_written_like_rows():
    amounts = [Decimal("-12.50"), Decimal("0.00"), None]
    at = [datetime(2026, 1, 2, 3, tzinfo=UTC), None, None]
    names = ["-x", None, 'a;"b"']
    as_table = pa.table(
        {
            "name": names,
            "amount": pa.array(amounts, pa.decimal128(38, 2)),
            "at": pa.array(at, pa.timestamp("us", "UTC")),
        }
    )
    assert report(tables=[as_table], delimiter=";") == report(zip(names, amounts, at, strict=True), delimiter=";")


def test_a_name_of_a_column_is_guarded_too():
    assert report(header=("=a", "b", "c")).startswith('"\'=a",b,c\r\n')


def test_rows_are_written_as_they_come():
    target = io.BytesIO()
    writer = ReportWriter(target, ["n"])
    seen = []

    def rows():
        for number in range(5_000):
            if number == 4_000:
                seen.append(target.tell())
            yield (number,)

    writer.write_rows(rows())
    assert writer.rows == 5_000
    assert seen[0] > 10_000


def test_a_value_without_a_text_is_refused():
    with pytest.raises(TypeError, match="type list"):
        report([(["x"], 1, None)])
