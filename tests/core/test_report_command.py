"""`connections report` and `connections deliveries`, as people and scripts call them."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import Result
from typer.testing import CliRunner

from command_line.main import app
from data_connections.ledger import Ledger
from fixtures.books import Sale, Shop, book
from fixtures.outbound import Outbound
from local_stack.partner_sftp import PartnerServer

DAY = ["--from", "2026-06-10", "--to", "2026-06-10"]
HEADER = (
    "Date,ProgramId,ProgramName,Currency,GrossActions,Actions,Quantity,GrossRevenue,Revenue,"
    "GrossActionCost,ActionCost,OtherCost,Clicks,CR,EPA,EPC,ActionsByEventType"
)
ACME = Shop(1000, "acme", "Acme", "Europe/Berlin")
OTHER = Shop(2000, "other", "Other", "UTC")


@pytest.fixture(autouse=True)
def books(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONNECTIONS_DATABASE_URL", ledger.url)
    monkeypatch.setenv("CONNECTIONS_LANDING_URL", str(tmp_path / "landing"))
    noon = datetime(2026, 6, 10, 12, tzinfo=UTC)
    book(ledger, [Sale(ACME, noon, Decimal("19.90")), Sale(OTHER, noon, Decimal("1.10"))])


def connections(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_report_goes_to_standard_output_and_nothing_else_does() -> None:
    done = connections("report", "performance_by_day", *DAY)
    assert done.exit_code == 0
    assert done.stdout_bytes.decode().split("\r\n") == [
        HEADER,
        '2026-06-10,1000,Acme,EUR,1,1,,19.90,19.90,,,,0,,,,"{""1000"": 1}"',
        '2026-06-10,2000,Other,EUR,1,1,,1.10,1.10,,,,0,,,,"{""2000"": 1}"',
        "",
    ]


@pytest.mark.parametrize("program", ["acme", "1000"])
def test_a_program_is_named_by_key_or_number(program: str) -> None:
    done = connections("report", "performance_by_day", *DAY, "--program", program)
    assert [line.split(",")[1] for line in done.stdout.splitlines()[1:]] == ["1000"]


def test_a_report_goes_to_a_file(tmp_path: Path) -> None:
    out = tmp_path / "report.csv"
    out.write_text("what was there before")
    done = connections("report", "performance_by_day", *DAY, "--out", out)
    assert (done.exit_code, done.stdout) == (0, "")
    assert hashlib.sha256(out.read_bytes()).hexdigest() in done.stderr
    assert out.read_text().startswith(HEADER)
    assert [path.name for path in tmp_path.iterdir()] == ["report.csv"]


@pytest.mark.parametrize("compression", ["gzip", "zip", "zstd"])
def test_a_packed_report_goes_to_a_file(tmp_path: Path, compression: str) -> None:
    out = tmp_path / "report"
    done = connections("report", "performance_by_day", *DAY, "--format", f"compression={compression}", "--out", out)
    assert done.exit_code == 0, done.stderr
    assert "Warning" not in done.stderr
    packed = out.read_bytes()
    if compression == "zip":
        with zipfile.ZipFile(out) as archive:
            plain = archive.read(archive.namelist()[0])
    else:
        plain = gzip.decompress(packed) if compression == "gzip" else pa.input_stream(out, compression="zstd").read()
    assert plain.decode().splitlines()[0] == HEADER


def test_what_was_written_can_be_told_as_json(tmp_path: Path) -> None:
    out = tmp_path / "report.csv"
    told = json.loads(connections("report", "performance_by_day", *DAY, "--out", out, "--json").stdout)
    assert told["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (told["rows"], told["size"]) == (2, out.stat().st_size)
    assert told["totals"]["EUR"]["Revenue"] == "21.00"


def test_a_day_that_is_not_over_is_warned_about() -> None:
    today = datetime.now(UTC).date()
    done = connections("report", "performance_by_day", "--from", "2026-06-10", "--to", str(today))
    assert done.exit_code == 0
    assert re.search(r"is not over yet in .*UTC", done.stderr)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["performance_by_dya", *DAY], "Did you mean 'performance_by_day'?"),
        (["performance_by_day", *DAY, "--program", "acne"], "Did you mean 'acme'?"),
        (["performance_by_day", "--from", "2026-06-11", "--to", "2026-06-10"], "is before the first day"),
        (["performance_by_day", "--from", "10.06.2026", "--to", "2026-06-10"], "10.06.2026"),
        (["performance_by_day", "--from", "2026-02-30", "--to", "2026-06-10"], "2026-02-30"),
        (["performance_by_day", "--from", "2026-06-10"], "--to"),
        (["performance_by_day", *DAY, "--format", "xlsx"], "xlsx"),
        (["performance_by_day", *DAY, "--time-zone", "Europe/Berln"], "Did you mean 'Europe/Berlin'?"),
        (["performance_by_day", *DAY, "--out", "/no/such/folder/report.csv"], "/no/such/folder/report.csv"),
        (["performance_by_day", *DAY, "--out", "/"], "cannot be written"),
        (["performance_by_day", *DAY, "--json"], "needs --out"),
    ],
)
def test_wrong_use_is_exit_2_with_a_hint(arguments: list[str], said: str) -> None:
    done = connections("report", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_a_report_that_does_not_add_up_is_exit_1_and_shows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    include = sabotaged(tmp_path)
    monkeypatch.setenv("CONNECTIONS_INCLUDE", str(include))
    out = tmp_path / "report.csv"
    for more in ([], ["--out", out]):
        done = connections("report", "performance_by_day", *DAY, *more)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "GrossRevenue EUR: 19.90 in the file, 21.00 in the ledger" in done.stderr
    assert not out.exists()


def sabotaged(folder: Path) -> Path:
    """A copy of the installation's reports whose SQL forgets a program."""
    from data_connections.settings import PROJECT

    reports = folder / "include" / "templates" / "reports"
    installed = PROJECT / "include" / "templates" / "reports"
    shutil.copytree(installed / "fragments", reports / "fragments")
    for path in installed.glob("performance_by_day*"):
        shutil.copy(path, reports)
    query = reports / "performance_by_day.sql"
    whole = query.read_text()
    query.write_text(whole.replace("from due\n", "from due where program_id = 1000\n"))
    assert query.read_text() != whole
    return folder / "include"


@pytest.fixture
def delivered(ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer) -> dict[str, object]:
    outbound = Outbound.of(ledger, tmp_path, sftp_partner, ACME)
    outbound.applied()
    outbound.all_steps(date(2026, 6, 9))
    return outbound.all_steps(date(2026, 6, 10))


def test_deliveries_are_listed_newest_first(delivered: dict[str, object]) -> None:
    done = connections("deliveries", "--json")
    listed = json.loads(done.stdout)
    assert [row["business_date"] for row in listed] == ["2026-06-10", "2026-06-09"]
    assert listed[0]["files"][0]["sha256"] == delivered["sha256"]
    assert json.loads(connections("deliveries", "list", "--connection", "acme-daily", "--json").stdout) == listed
    assert json.loads(connections("deliveries", "--connection", "other", "--json").stdout) == []
    assert json.loads(connections("deliveries", "--state", "failed", "--json").stdout) == []
    assert connections("deliveries", "--state", "faild").exit_code == 2
    assert "acme-daily" in connections("deliveries").stdout


def test_a_delivery_is_shown_with_its_bytes(delivered: dict[str, object], tmp_path: Path) -> None:
    out = tmp_path / "sent.csv"
    done = connections("deliveries", "show", str(delivered["delivery_id"]), "--out", out, "--json")
    shown = json.loads(done.stdout)
    assert shown["totals"]["EUR"]["Revenue"] == "19.90"
    assert hashlib.sha256(out.read_bytes()).hexdigest() == shown["files"][0]["sha256"]
    assert json.loads(connections("deliveries", "show", shown["trace_id"], "--json").stdout) == shown
    assert "performance_2026-06-10.csv" in connections("deliveries", "show", shown["trace_id"]).stdout


@pytest.mark.parametrize("which", ["99", "99999999999999999999999", "no-such", "00000000-0000-0000-0000-000000000000"])
def test_a_delivery_that_does_not_exist_is_exit_2(which: str) -> None:
    done = connections("deliveries", "show", which)
    assert done.exit_code == 2
    assert f"no delivery {which!r}" in done.stderr


def test_a_report_can_be_written_in_another_format(tmp_path: Path) -> None:
    out = tmp_path / "report.jsonl"
    form = ("--format", "type=json_lines", "--format", "columns=ProgramName,Revenue", "--format", "headers=Revenue:Net")
    done = connections("report", "performance_by_day", *DAY, *form, "--out", out)
    assert done.exit_code == 0
    assert out.read_text() == ('{"ProgramName": "Acme", "Net": 19.90}\n{"ProgramName": "Other", "Net": 1.10}\n')
    wrong = connections("report", "performance_by_day", *DAY, "--format", "columns=Revenu")
    assert wrong.exit_code == 2
