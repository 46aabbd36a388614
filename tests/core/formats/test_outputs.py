"""Outbound files in every format: exact values, the same bytes again, read back whole, broken ones found."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_connections.errors import ConfigurationError
from data_connections.formats.formula_guard import guarded, without_guard
from data_connections.formats.opening import open_rows
from data_connections.formats.outputs import OutputColumn, Unreadable, open_writer, read_back
from data_connections.spec import FileFormat, OutputFormat
from data_connections.spec.options import from_options

TYPES = ("csv", "tsv", "psv", "xml", "json_lines", "parquet")
FORMS = [
    *(OutputFormat(type=kind) for kind in TYPES),
    *(OutputFormat(type=kind, compression=packed) for kind in TYPES[:5] for packed in ("gzip", "zip", "zstd")),
    *(OutputFormat(type="csv", encoding=name) for name in ("utf-8-sig", "utf-16", "cp1252")),
    OutputFormat(type="tsv", header=False),
    OutputFormat(type="psv", trailer="TRL|{rows}|{sum:amount}|{sum:pieces}"),
    OutputFormat(type="csv", compression="gzip", encoding="utf-16", header=False, trailer='"end, {rows}"'),
]
COLUMNS = [
    OutputColumn("name", "text"),
    OutputColumn("pieces", "integer"),
    OutputColumn("amount", "decimal"),
    OutputColumn("day", "date"),
    OutputColumn("at", "datetime"),
    OutputColumn("new", "boolean"),
]
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROWS = [
    ('Zoë, "O\'Neil" <&> €', 3, Decimal("-12.50"), date(2026, 1, 2), AT, True),
    ("two\r\nlines\tand | more", -1, Decimal("1E+3"), None, None, False),
    (None, None, None, date(1999, 12, 31), datetime(2026, 7, 1, tzinfo=UTC), None),
    (" padded ", 2**62, 0, None, None, None),
]


def names_of(output: OutputFormat) -> str:
    return "-".join([output.type, output.compression, output.encoding, "header" if output.header else "bare"]) + (
        "-trailer" if output.trailer else ""
    )


def written(output: OutputFormat, rows=ROWS, columns=COLUMNS) -> bytes:
    target = io.BytesIO()
    with open_writer(target, output, columns, name="sales") as writer:
        for row in rows:
            writer.write([row])
    assert writer.rows == len(rows)
    return target.getvalue()


def read(content: bytes, output: OutputFormat, columns=COLUMNS) -> list[list[object]]:
    return [list(row) for row in read_back(io.BytesIO(content), output, columns)]


@pytest.mark.parametrize("output", FORMS, ids=names_of)
def test_every_format_reads_back_what_was_written(output):
    found = read(written(output), output)
    empty = None if output.type in ("xml", "json_lines", "parquet") else ""
    assert [row[0] for row in found] == [row[0] or empty for row in ROWS]
    assert [Decimal(row[2] or 0) for row in found] == [Decimal("-12.50"), 1000, 0, 0]
    assert [int(row[1] or 0) for row in found] == [3, -1, 0, 2**62]


@pytest.mark.parametrize("output", FORMS, ids=names_of)
def test_the_same_rows_are_the_same_bytes_however_they_come(output):
    target = io.BytesIO()
    with open_writer(target, output, COLUMNS, name="sales") as writer:
        writer.write(ROWS[:3])
        writer.write(ROWS[3:])
    assert target.getvalue() == written(output)


def test_packed_files_hold_no_time_and_do_not_depend_on_the_process():
    program = (
        "import io, sys\n"
        "from data_connections.formats.outputs import OutputColumn, open_writer\n"
        "from data_connections.spec import OutputFormat\n"
        "target = io.BytesIO()\n"
        "output = OutputFormat(type='json_lines', compression=sys.argv[1])\n"
        "with open_writer(target, output, [OutputColumn('n', 'integer')], name='sales') as writer:\n"
        "    writer.write([(1,), (2,)])\n"
        "sys.stdout.buffer.write(target.getvalue())\n"
    )
    for compression in ("gzip", "zstd", "zip"):
        run = subprocess.run([sys.executable, "-c", program, compression], capture_output=True, check=True)
        output = OutputFormat(type="json_lines", compression=compression)
        assert run.stdout == written(output, [(1,), (2,)], [OutputColumn("n", "integer")])
    with zipfile.ZipFile(io.BytesIO(run.stdout)) as archive:
        (entry,) = archive.infolist()
        assert (entry.filename, entry.date_time) == ("sales.jsonl", (1980, 1, 1, 0, 0, 0))
        assert archive.read(entry) == b'{"n": 1}\n{"n": 2}\n'


def test_other_programs_read_the_packed_files(tmp_path):
    plain = written(OutputFormat())
    assert gzip.decompress(written(OutputFormat(compression="gzip"))) == plain
    path = tmp_path / "sales.zip"
    path.write_bytes(written(OutputFormat(compression="zip")))
    unzipped = subprocess.run(
        [sys.executable, "-m", "zipfile", "-e", path, tmp_path], capture_output=True, check=True, timeout=60
    )
    assert unzipped.returncode == 0
    assert (tmp_path / "sales.csv").read_bytes() == plain


def test_numbers_days_and_instants_as_text():
    output = OutputFormat(type="psv", time_zone="Europe/Berlin")
    rows = list(csv.reader(io.StringIO(written(output).decode(), newline=""), delimiter="|"))
    assert rows[1][1:] == ["3", "-12.50", "2026-01-02", "2026-01-02T04:04:05+01:00", "true"]
    assert rows[2][1:] == ["-1", "1000", "", "", "false"]
    assert rows[3][1:] == ["", "", "1999-12-31", "2026-07-01T02:00:00+02:00", ""]
    assert b"2026-01-02T03:04:05Z" in written(OutputFormat())


def test_json_numbers_keep_their_digits():
    first, second, third, _ = map(str, written(OutputFormat(type="json_lines")).decode().splitlines())
    assert '"amount": -12.50, "day": "2026-01-02", "at": "2026-01-02T03:04:05Z", "new": true' in first
    assert json.loads(second)["name"] == "two\r\nlines\tand | more"
    assert json.loads(third)["amount"] is None


def test_xml_leaves_out_what_is_not_there_and_keeps_line_ends():
    root = ElementTree.fromstring(written(OutputFormat(type="xml")))
    assert (root.tag, root.attrib) == ("report", {"name": "sales"})
    assert [[cell.tag for cell in row] for row in root][2] == ["day", "at"]
    assert root[1][0].text == "two\r\nlines\tand | more"


def test_parquet_is_typed():
    table = pq.read_table(io.BytesIO(written(OutputFormat(type="parquet", time_zone="Europe/Berlin"))))
    assert [str(field.type) for field in table.schema] == [
        "string",
        "int64",
        "decimal128(38, 10)",
        "date32[day]",
        "timestamp[us, tz=Europe/Berlin]",
        "bool",
    ]
    assert table.column("amount").to_pylist()[0] == Decimal("-12.50")
    assert table.column("at").to_pylist()[0] == AT


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "'=", "''@"])
def test_text_that_a_spreadsheet_would_run_is_guarded_in_delimited_text_alone(start):
    text = start + "cmd|'/C calc'!A0"
    columns = [OutputColumn("name", "text"), OutputColumn("n", "decimal")]
    for output in FORMS[:6]:
        ((found, number),) = read(written(output, [(text, Decimal(-5))], columns), output, columns)
        assert found == ("'" + text if output.is_delimited else text)
        assert Decimal(number) == -5


@given(st.lists(st.text(st.sampled_from("'=+-@\t\n\uff1da"), max_size=6)))
def test_what_was_guarded_comes_back_whatever_it_was(texts):
    cells = pa.array([guarded(text) for text in texts], pa.string())
    assert without_guard(cells).to_pylist() == texts
    assert not [cell for cell in cells.to_pylist() if cell.startswith(("=", "+", "-", "@", "\t", "\n", "\uff1d"))]


def test_a_name_of_a_column_is_guarded_too():
    assert written(OutputFormat(), [], [OutputColumn("=a", "text")]) == b'"\'=a"\r\n'


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, st.decimals(-(10**20), 10**20, places=4)), max_size=5))
def test_any_text_and_any_number_comes_back(rows):
    columns = [OutputColumn("text", "text"), OutputColumn("number", "decimal")]
    for output in FORMS[:6]:
        found = read(written(output, rows, columns), output, columns)
        assert [Decimal(number) for _, number in found] == [number for _, number in rows]
        if not output.is_delimited:
            assert [text for text, _ in found] == [text for text, _ in rows]


@pytest.mark.parametrize("output", FORMS[:16], ids=names_of)
def test_a_file_that_was_cut_or_is_another_is_found(output):
    content = written(output, ROWS * 50)
    whole = read(content, output)
    for cut in (len(content) // 2, len(content) - 3):
        try:
            assert read(content[:cut], output) != whole
        except Unreadable:
            continue
    with pytest.raises(Unreadable):
        read(content, output, COLUMNS[:-1])


@pytest.mark.parametrize(
    ("output", "value", "message"),
    [
        (OutputFormat(encoding="cp1252"), "Łódź", r"cp1252 has no character 'Ł' \(U\+0141\)"),
        (OutputFormat(type="xml"), "bell\x07", r"control character U\+0007, which XML cannot"),
        (OutputFormat(type="parquet"), Decimal("0.12345678901"), "nothing is rounded"),
    ],
)
def test_what_a_format_cannot_hold_is_said_and_not_changed(output, value, message):
    columns = [OutputColumn("value", "decimal" if isinstance(value, Decimal) else "text")]
    with pytest.raises(ConfigurationError, match=message):
        written(output, [(value,)], columns)


def test_a_header_that_is_no_xml_name_is_refused():
    with pytest.raises(ConfigurationError, match=r"'Net sales' cannot be the name of an XML element"):
        written(OutputFormat(type="xml"), [], [OutputColumn("Net sales", "text")])


def test_rows_leave_as_they_come():
    target = io.BytesIO()
    with open_writer(target, OutputFormat(type="json_lines"), [OutputColumn("n", "integer")], name="n") as writer:
        for number in range(3):
            writer.write([(number,)] * 1_000)
            assert target.tell() == len(b'{"n": 0}\n') * 1_000 * (number + 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["type=xlsx"], r"format\.type: Input should be 'csv'"),
        (["typ=xml"], r"Did you mean 'type'\?"),
        (["type=parquet", "compression=zip"], "Parquet is compressed inside"),
        (["type=xml", "encoding=cp1252"], "xml is always UTF-8"),
        (["type=parquet", "header=false"], "parquet has no header row"),
        (["columns=a,b,a"], "each only once"),
        (["headers=a"], r"[Ww]rite COLUMN:NAME"),
        (["columns=a,b", "headers=c:d"], "'c' is not one of the chosen columns"),
        (["time_zone=Europe/Berln"], "Europe/Berlin"),
        (["encoding=utf-9"], "no text encoding"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ConfigurationError, match=message):
        from_options(OutputFormat, options)


def test_options_of_the_command_line():
    output = from_options(OutputFormat, ["type=tsv", "columns=Date,Revenue", "headers=Revenue:Net sales,Date:Day"])
    assert output.columns == ("Date", "Revenue")
    assert output.headers == {"Revenue": "Net sales", "Date": "Day"}
    assert all(a != b for a, b in itertools.pairwise(FORMS))


SUMMED = OutputFormat(trailer="TRL,{rows},{sum:amount}")


def test_a_trailer_says_what_the_file_holds_to_the_last_digit():
    large = [("a", 1, Decimal("123456789012345678901234567890.01"), None, None, None), *ROWS]
    assert written(SUMMED, large).endswith(b"\r\nTRL,5,123456789012345678901234568877.51\r\n")
    assert written(SUMMED, []).endswith(b"\r\nTRL,0,0\r\n")


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (b"TRL,4,987.51\r\n", "987.51"),
        (b"TRL,5,987.50\r\n", "not the trailer 'TRL,4,987.50'"),
        (b"", "not the trailer"),
    ],
)
def test_a_trailer_that_says_something_else_is_found(last, said):
    content = written(SUMMED)
    with pytest.raises(Unreadable, match=said):
        read(content.removesuffix(b"TRL,4,987.50\r\n") + last, SUMMED)


def test_what_is_written_with_a_trailer_is_read_with_it():
    reader = open_rows(io.BytesIO(written(SUMMED)), FileFormat(trailer=SUMMED.trailer), name="sales.csv")
    assert sum(len(block.lines) for block in reader.blocks()) == len(ROWS)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"trailer": "TRL,{*},{rows}"}, "has to be said"),
        ({"trailer": "TRL"}, "a trailer is one line with"),
        ({"type": "xml", "trailer": "TRL,{rows}"}, "no last line of its own"),
    ],
)
def test_a_trailer_that_cannot_be_written_is_refused(form, said):
    with pytest.raises(ValueError, match=said):
        OutputFormat.model_validate(form)
