"""Rows to bytes: RFC 4180 as plain as can be."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_connections.formats import CsvWriter, open_rows, write_csv
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
