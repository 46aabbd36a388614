"""`connections check`: the contract that outside checks read."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from command_line.main import app

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,ClickId,CustomerId,CurrencyCode,Amount,Category,Sku,Quantity"
ROWS = [
    "12,34,2026-06-14T10:00:00Z,A1,c,u,USD,10.50,Shoes,S1,1",
    "12,34,2026-06-14T10:00:00Z,A1,c,u,USD,1x,Shoes,S2,1",
    '12,34,2026-06-14T10:00:00Z,"A2 ""x""",c,u,EUR,10.00,"Shoes, red",S2,3',
    "12,34,NOW,A3,c,u,EUR,10.00,Shoes,S2",
    "12,34,2026-01-20T10:00:00Z,A4,c,u,EUR,10.00,Shoes,S2,3",
    '12,34,NOW,"A2 ""x""",c,u,EUR,10.00,Shoes,S2,1',
    "12,34,NOW,A5,c,u,EUR,100000.00,Shoes,S2,1",
    "12,34,NOW,A6,c,u,EUR,1.00,Shoes,S2,1,more,and more",
]
KEYS = [
    "data_type",
    "file",
    "rows",
    "accepted",
    "warned",
    "rejected",
    "duplicate",
    "held",
    "amounts",
    "errors",
    "errors_total",
    "file_error",
]


def run(*arguments: object) -> tuple[int, list[dict]]:
    command = ["check", "--data-type", "conversions", "--received-at", "2026-06-15T12:00:00Z", "--json"]
    result = CliRunner().invoke(app, [*command, *map(str, arguments)])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def write(path: Path, rows: list[str], header: str = HEADER, end: str = "\n") -> Path:
    path.write_bytes((end.join([header, *rows]) + end).encode())
    return path


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    return write(tmp_path / "mixed.csv", ROWS)


def test_the_report_follows_the_contract(mixed):
    code, reports = run(mixed)
    assert code == 1
    report = reports[0]
    assert [key for key in report if key in KEYS] == KEYS
    assert (report["data_type"], report["file"]) == ("conversions", str(mixed))
    assert {key: report[key] for key in KEYS[2:9]} == {
        "rows": 8,
        "accepted": 2,
        "warned": 1,
        "rejected": 5,
        "duplicate": 1,
        "held": 0,
        "amounts": {"EUR": "100010.00"},
    }
    assert [(one["line"], one["column"], one["code"], one["severity"]) for one in report["errors"]] == [
        (2, "OrderId", "ORDER_INCOMPLETE", "error"),
        (3, "Amount", "NOT_DECIMAL", "error"),
        (5, None, "CELL_COUNT", "error"),
        (6, "EventDate", "EVENT_TOO_OLD", "error"),
        (7, "OrderId", "OID_DUPLICATE", "error"),
        (8, "Amount", "AMOUNT_UNUSUAL", "warning"),
        (9, None, "CELL_COUNT", "error"),
    ]
    assert all(set(one) == {"line", "column", "code", "message", "severity"} for one in report["errors"])
    assert (report["errors_total"], report["file_error"]) == (7, None)


def test_lines_are_where_rows_start_even_after_line_breaks_in_cells(tmp_path):
    rows = ['1,2,NOW,A,c,u,USD,1,"a\nb\nc",S,1', "1,2,NOW,B,c,u,USD,x,a,S,1"]
    _, reports = run(write(tmp_path / "f.csv", rows))
    assert [one["line"] for one in reports[0]["errors"]] == [5]


def test_the_number_of_listed_errors_can_be_limited_and_they_are_all_counted(tmp_path):
    path = write(tmp_path / "f.csv", [f"1,2,NOW,{number},c,u,USD,x,,," for number in range(1500)])
    for arguments, shown in [((), 1000), (("--errors", 5), 5), (("--errors", 0), 0), (("--errors", 3000), 1500)]:
        _, reports = run(path, *arguments)
        assert (len(reports[0]["errors"]), reports[0]["errors_total"], reports[0]["rejected"]) == (shown, 1500, 1500)


def test_several_files_come_in_the_order_of_the_arguments(tmp_path, mixed):
    good = write(tmp_path / "good.csv", [ROWS[0]])
    code, reports = run(mixed, good, mixed)
    assert code == 1
    assert [report["file"] for report in reports] == [str(mixed), str(good), str(mixed)]
    assert run(good, good)[0] == 0


def test_a_header_alone_is_good(tmp_path):
    code, reports = run(write(tmp_path / "f.csv", []))
    assert (code, reports[0]["rows"], reports[0]["file_error"], reports[0]["amounts"]) == (0, 0, None, {})


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
        (b"OrderId,Amount\n1,2\n", "MISSING_COLUMN"),
        ((HEADER + "\n" + ROWS[0] + '\n12,34,NOW,"A2,c,u,EUR,10.00,Shoes,S2,3\n').encode(), "UNCLOSED_QUOTE"),
    ],
)
def test_a_refused_file_has_an_error_and_no_rows(tmp_path, content, code):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    exit_code, reports = run(path, "--accepted", tmp_path / "good", "--rejects", tmp_path / "rejects")
    report = reports[0]
    assert exit_code == 1
    assert report["file_error"]["code"] == code
    assert set(report["file_error"]) >= {"code", "message", "line"}
    assert [report[key] for key in KEYS[2:8]] == [0] * 6
    assert (report["errors"], report["errors_total"], report["amounts"]) == ([], 0, {})
    assert not list((tmp_path / "good").glob("*"))
    assert not list((tmp_path / "rejects").glob("*"))


def test_accepted_rows_are_written_as_read_and_rejected_ones_with_their_errors(tmp_path, mixed):
    run(mixed, "--accepted", tmp_path / "good", "--rejects", tmp_path / "rejects")
    accepted = (tmp_path / "good" / "mixed.csv").read_bytes().decode()
    assert accepted == "\r\n".join([HEADER, ROWS[2], ROWS[6], ""])
    rejects = list(csv.DictReader(io.StringIO((tmp_path / "rejects" / "mixed.csv").read_bytes().decode(), newline="")))
    assert [(row["Line"], row["ErrorCode"], row["ErrorColumn"], row["SubmissionId"]) for row in rejects] == [
        ("2", "ORDER_INCOMPLETE", "OrderId", ""),
        ("3", "NOT_DECIMAL", "Amount", ""),
        ("5", "CELL_COUNT", "", ""),
        ("6", "EVENT_TOO_OLD", "EventDate", ""),
        ("9", "CELL_COUNT", "", ""),
    ]
    assert [row["OrderId"] for row in rejects] == ["A1", "A1", "A3", "A4", "A6"]
    assert rejects[4][None] == ["more", "and more"]


def test_corrected_rejects_are_taken_as_they_are(tmp_path, mixed):
    rejects = tmp_path / "rejects" / "mixed.csv"
    run(mixed, "--rejects", rejects.parent)
    corrected = rejects.read_text().replace("1x", "1.00").replace("2026-01-20", "2026-06-01")
    lines = [line for line in corrected.splitlines() if "CELL_COUNT" not in line]
    path = write(tmp_path / "any name.csv", lines[1:], header=lines[0])
    code, reports = run(path, "--rejects", tmp_path / "again")
    assert (code, reports[0]["accepted"], reports[0]["file_warnings"]) == (0, 3, [])
    assert (tmp_path / "again" / "any name.csv").read_text().splitlines() == [lines[0]]


def test_format_options_may_follow_each_other_or_be_repeated(tmp_path):
    path = tmp_path / "f.txt"
    path.write_bytes(("#\n" + HEADER + "\n" + ROWS[0]).replace(",", "|").encode("utf-16"))
    declared = ["delimiter=|", "encoding=utf-16", "skip_lines=1"]
    assert run("--format", *declared, path)[0] == 0
    assert run(path, "--format", declared[0], "--format", declared[1], "--format", declared[2])[0] == 0
    assert run(path)[0] == 1


def test_a_folder_of_data_types_of_one_s_own(tmp_path):
    folder = tmp_path / "types" / "parcels"
    folder.mkdir(parents=True)
    (folder / "columns.yaml").write_text(
        "title: Parcels\ncolumns: [{name: Id, required: true}, {name: Kg, type: decimal}]\n"
    )
    path = write(tmp_path / "p.csv", ["1,2.5", ",1"], header="id,kg")
    result = CliRunner().invoke(app, ["check", "-t", "parcels", "--schemas", str(folder.parent), "--json", str(path)])
    report = json.loads(result.stdout)
    assert (report["accepted"], report["errors"][0]["code"], result.exit_code) == (1, "REQUIRED", 1)


def test_an_expectation_of_the_file_refuses_it_whole(tmp_path):
    folder = tmp_path / "types" / "parcels"
    folder.mkdir(parents=True)
    (folder / "columns.yaml").write_text("title: Parcels\ncolumns: [{name: Id}]\n")
    suite = "file: [{type: expect_column_values_to_be_unique, kwargs: {column: Id}, code: TWICE, message: Twice.}]\n"
    (folder / "suite.yaml").write_text(suite)
    path = write(tmp_path / "p.csv", ["1", "2", "1"], header="Id")
    arguments = [
        "check",
        "-t",
        "parcels",
        "--schemas",
        str(folder.parent),
        "--accepted",
        str(tmp_path / "good"),
        "--json",
    ]
    result = CliRunner().invoke(app, [*arguments, str(path)])
    report = json.loads(result.stdout)
    assert (report["file_error"], report["rows"], result.exit_code) == (
        {"code": "TWICE", "message": "Twice.", "line": None},
        0,
        1,
    )
    assert not list((tmp_path / "good").glob("*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-t", "conversion", "{file}"], "Did you mean 'conversions'"),
        (["-t", "conversions", "{file}x"], "no such file"),
        (["-t", "conversions", "{file}", "--format", "delimitter=tab"], "Did you mean 'delimiter'"),
        (["-t", "conversions", "{file}", "--received-at", "yesterday"], "2026-03-01T14:05:09Z"),
        (["-t", "conversions", "{file}", "--time-zone", "Mars"], "no time zone"),
        (["-t", "conversions", "{file}", "--accepted", "{folder}"], "would overwrite"),
        (["-t", "conversions", "{file}", "--schemas", "{folder}/nowhere"], "no such folder"),
        (["-t", "conversions", "{file}", "{file}", "--accepted", "{folder}/a"], "overwrite each other"),
    ],
)
def test_wrong_use_ends_with_2_says_what_and_changes_nothing(tmp_path, mixed, arguments, words):
    given = [part.format(file=mixed, folder=tmp_path) for part in arguments]
    result = CliRunner().invoke(app, ["check", "--received-at", "2026-06-15", *given])
    assert result.exit_code == 2
    assert words in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["mixed.csv"]


def test_people_get_a_summary_and_a_table(mixed):
    result = CliRunner().invoke(
        app, ["check", "-t", "conversions", "--received-at", "2026-06-15T12:00:00Z", str(mixed)]
    )
    assert result.exit_code == 1
    for words in ["2 accepted (1 with a warning)", "5 rejected", "1 duplicate", "100,010.00 EUR", "NOT_DECIMAL"]:
        assert words in result.output


def test_the_same_from_the_shell(mixed):
    command = [sys.executable, "-m", "command_line.main", "check", "--data-type", "conversions", str(mixed), "--json"]
    done = subprocess.run(
        [*command, "--received-at", "2026-06-15T12:00:00Z"], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["accepted"] == 2
