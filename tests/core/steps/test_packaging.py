"""Rows as files: formats, parts that keep orders whole, manifest and .fin, a day without rows."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow.parquet as pq
import pytest

from data_connections.errors import ConfigurationError, TotalsMismatch
from data_connections.formats.outputs import read_back
from data_connections.ledger import Ledger
from data_connections.reports import Layout, Parameters, export_report, load_reports
from data_connections.settings import PROJECT
from data_connections.spec import OutputFormat
from fixtures.books import Sale, book
from fixtures.orders import report_of_orders
from fixtures.outbound import BERLIN, Outbound
from local_stack.partner_sftp import PartnerServer

DAY = date(2026, 6, 10)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


@pytest.fixture
def outbound(ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer) -> Outbound:
    made = Outbound.of(ledger, tmp_path, sftp_partner)
    book(ledger, [Sale(BERLIN, NOON, Decimal("19.90"), pieces=(2,)), Sale(BERLIN, NOON, Decimal("5.10"), "USD")])
    return made


@pytest.mark.parametrize("compression", ["none", "gzip", "zip", "zstd"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "psv", "xml", "json_lines", "parquet"])
def test_a_report_arrives_in_every_format_and_adds_up(outbound: Outbound, kind: str, compression: str) -> None:
    if kind == "parquet" and compression != "none":
        return
    form = OutputFormat.model_validate({"type": kind, "compression": compression})
    outbound.applied(format=form.model_dump(mode="json"), details={"file_name": "report_{business_date}"})
    done = outbound.all_steps(DAY)
    assert (done["state"], done["rows"]) == ("delivered", 2)
    arrived = outbound.out / "report_2026-06-10"
    assert hashlib.sha256(arrived.read_bytes()).hexdigest() == done["sha256"]
    layout = Layout.of(outbound.reports["performance_by_day"], form)
    with arrived.open("rb") as file:
        rows = list(read_back(file, form, layout.output_columns))
    assert [(row[3], Decimal(row[8])) for row in rows] == [("EUR", Decimal("19.90")), ("USD", Decimal("5.10"))]


def test_columns_are_chosen_ordered_and_renamed(outbound: Outbound) -> None:
    outbound.applied(format={"type": "psv", "columns": ["Revenue", "Date"], "headers": {"Revenue": "Net sales"}})
    done = outbound.all_steps(DAY)
    assert (outbound.out / done["file_name"]).read_bytes() == (
        b"Net sales|Date\r\n19.90|2026-06-10\r\n5.10|2026-06-10\r\n"
    )
    assert done["totals"] == {"": {"rows": "2", "Revenue": "25.00"}}


def test_a_column_that_the_report_has_not_is_named(outbound: Outbound) -> None:
    with pytest.raises(ConfigurationError, match=r"no column 'Revenues'.*Did you mean 'Revenue'\?"):
        outbound.applied(format={"columns": ["Date", "Revenues"]})


def test_the_file_can_go_without_a_header_and_in_another_encoding(outbound: Outbound) -> None:
    outbound.applied(format={"header": False, "encoding": "utf-16-le", "columns": ["Currency"]})
    done = outbound.all_steps(DAY)
    assert (outbound.out / done["file_name"]).read_bytes() == "EUR\r\nUSD\r\n".encode("utf-16-le")


def test_each_part_ends_with_a_trailer_of_its_own(outbound: Outbound) -> None:
    form = {"columns": ["Currency", "Revenue"], "headers": {"Revenue": "Net"}, "trailer": "TRL,{rows},{sum:Net}"}
    outbound.applied(format=form, packaging={"rows_per_file": 1, "manifest": True})
    assert outbound.all_steps(DAY)["state"] == "delivered"
    first, second = (path.read_text().splitlines() for path in sorted(outbound.out.glob("*.csv")))
    assert (first[0], first[-1], second[-1]) == ("Currency,Net", "TRL,1,19.90", "TRL,1,5.10")


def test_a_trailer_sums_up_columns_of_numbers_that_are_there(outbound: Outbound) -> None:
    with pytest.raises(ConfigurationError, match=r"sums up 'Currency'; the file's columns of numbers are Revenue"):
        outbound.applied(format={"columns": ["Currency", "Revenue"], "trailer": "TRL,{sum:Currency}"})


def test_a_day_without_rows_can_send_nothing(outbound: Outbound) -> None:
    outbound.applied(packaging={"when_empty": "skip"})
    run = outbound.run()
    done = outbound.export(date(2026, 6, 9), run=run)
    assert (done["state"], done["delivery_id"]) == ("skipped", None)
    assert "has no rows" in done["message"]
    row = outbound.ledger.one("select state, files from connection_run where id = %s", [run.id])
    assert row == {"state": "completed", "files": 0}
    assert outbound.names() == []


@pytest.mark.parametrize("kind", ["csv", "xml", "json_lines", "parquet"])
def test_a_day_without_rows_sends_an_empty_file(outbound: Outbound, kind: str) -> None:
    outbound.applied(format={"type": kind})
    done = outbound.all_steps(date(2026, 6, 9))
    assert (done["state"], done["rows"]) == ("delivered", 0)
    if kind == "parquet":
        assert pq.read_table(outbound.out / done["file_name"]).num_rows == 0


def test_a_marker_may_have_another_ending(outbound: Outbound) -> None:
    outbound.applied(packaging={"marker": ".done"}, details={"file_name": "acme_{business_date}.csv"})
    outbound.all_steps(DAY)
    assert outbound.names() == ["acme_2026-06-10.csv", "acme_2026-06-10.done"]
    with pytest.raises(ConfigurationError, match="A marker is an empty file"):
        outbound.applied(packaging={"marker": ".manifest"})


def test_manifest_and_fin_come_with_the_file(outbound: Outbound) -> None:
    outbound.applied(packaging={"manifest": True, "fin": True}, format={"compression": "gzip"}, details={
        "file_name": "acme_{business_date}.csv.gz"})  # fmt: skip
    outbound.all_steps(DAY)
    assert outbound.names() == ["acme_2026-06-10.csv.gz", "acme_2026-06-10.fin", "acme_2026-06-10.manifest"]
    content = (outbound.out / "acme_2026-06-10.csv.gz").read_bytes()
    assert (outbound.out / "acme_2026-06-10.fin").read_bytes() == b""
    assert (outbound.out / "acme_2026-06-10.manifest").read_text() == (
        "Manifest-Version: 1.0\nData-Kind: report\nReport: performance_by_day\nConnection: acme-daily\n"
        "Date-From: 2026-06-10\nDate-To: 2026-06-10\nDate-Basis: event\nLookup-Files: 0\nData-Files: 1\n"
        "Total-Records: 2\n"
        "\n"
        f"Name: acme_2026-06-10.csv.gz\nMD5-Digest: {hashlib.md5(content).hexdigest()}\n"
        f"SHA-256-Digest: {hashlib.sha256(content).hexdigest()}\nFile-Size: {len(content)}\nRecord-Count: 2\n"
    )


def orders_in(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))[1:]


@pytest.mark.parametrize(
    ("lines", "limit", "parts"),
    [
        ([1, 1, 1, 1], 4, [4]),
        ([1, 1, 1, 1, 1], 4, [4, 1]),
        ([2, 2, 2], 3, [2, 2, 2]),
        ([3, 2, 2, 3], 5, [5, 5]),
        ([1, 9, 1], 4, [1, 9, 1]),
        ([9, 1], 4, [9, 1]),
        ([9], 4, [9]),
        ([], 4, [0]),
        ([1, 25_000, 1, 1], 10_000, [1, 25_000, 2]),
        ([2] * 12_000, 0, [24_000]),
        ([3] * 10_001, None, [9_999, 9_999, 9_999, 6]),
    ],
)
def test_parts_stay_under_the_limit_and_keep_orders_whole(
    ledger: Ledger, tmp_path: Path, lines: list[int], limit: int | None, parts: list[int]
) -> None:
    layout = Layout.of(report_of_orders(tmp_path, lines)["performance_by_day"])
    files: list[io.BytesIO] = []

    @contextmanager
    def open_part(number: int) -> Iterator[BinaryIO]:
        files.append(io.BytesIO())
        assert number == len(files)
        yield cast("BinaryIO", files[-1])

    exported = export_report(ledger, layout, Parameters(DAY, DAY), open_part, rows_per_file=limit)
    assert list(exported.parts) == parts
    rows = [orders_in(file.getvalue()) for file in files]
    assert [len(part) for part in rows] == parts
    assert [row[:2] for part in rows for row in part] == [
        [str(order), str(line)] for order, count in enumerate(lines, start=1) for line in range(1, count + 1)
    ]
    orders = [{row[0] for row in part} for part in rows]
    assert sum(map(len, orders)) == len(set().union(*orders))


def test_parts_arrive_with_a_manifest_of_all(outbound: Outbound, tmp_path: Path) -> None:
    outbound.reports = report_of_orders(tmp_path / "include", [2, 2, 2, 2, 1])
    outbound.applied(packaging={"rows_per_file": 4, "manifest": True, "fin": True})
    done = outbound.all_steps(DAY)
    assert (done["files"], done["rows"], done["totals"][""]["Line"]) == (3, 9, "13")
    base = "performance_2026-06-10"
    assert outbound.names() == [f"{base}.manifest"] + [
        f"{base}_part{number}of3.{ending}" for number in (1, 2, 3) for ending in ("csv", "fin")
    ]
    manifest = (outbound.out / f"{base}.manifest").read_text()
    assert [line for line in manifest.splitlines() if line.startswith(("Data-Files", "Record-Count"))] == [
        "Data-Files: 3",
        "Record-Count: 4",
        "Record-Count: 4",
        "Record-Count: 1",
    ]


def test_a_day_that_is_run_again_with_fewer_parts_leaves_none_of_the_old(outbound: Outbound, tmp_path: Path) -> None:
    outbound.reports = report_of_orders(tmp_path / "include", [2, 2, 2])
    outbound.applied(packaging={"rows_per_file": 2, "manifest": True})
    outbound.all_steps(DAY)
    assert len(outbound.names()) == 4
    outbound.reports = report_of_orders(tmp_path / "include", [2, 2])
    outbound.all_steps(DAY)
    base = "performance_2026-06-10"
    assert outbound.names() == [f"{base}.manifest", f"{base}_part1of2.csv", f"{base}_part2of2.csv"]
    outbound.applied(packaging={})
    outbound.reports = report_of_orders(tmp_path / "include", [1])
    outbound.all_steps(DAY)
    assert outbound.names() == [f"{base}.csv"]


def test_versions_stand_beside_each_other_with_their_manifests(outbound: Outbound, tmp_path: Path) -> None:
    outbound.reports = report_of_orders(tmp_path / "include", [1, 1])
    outbound.applied(packaging={"rows_per_file": 1, "manifest": True}, details={"existing": "version"})
    base = "performance_2026-06-10"
    (outbound.out / f"{base}_part2of2.csv").write_text("theirs")
    first, second = outbound.all_steps(DAY), outbound.all_steps(DAY)
    assert (first["file_name"], second["file_name"]) == (f"{base}_v2.csv", f"{base}_v3.csv")
    assert outbound.names() == sorted(
        [f"{base}_part2of2.csv"]
        + [f"{base}_v{number}.manifest" for number in (2, 3)]
        + [f"{base}_v{number}_part{part}of2.csv" for number in (2, 3) for part in (1, 2)]
    )
    assert f"Name: {base}_v3_part1of2.csv" in (outbound.out / f"{base}_v3.manifest").read_text()


def test_a_part_that_changed_or_is_another_is_found_by_the_check(outbound: Outbound, tmp_path: Path) -> None:
    outbound.reports = report_of_orders(tmp_path / "include", [1, 1, 1])
    outbound.applied(packaging={"rows_per_file": 1})
    exported = outbound.export(DAY)
    outbound.ledger.all(
        "update delivery_file f set landing_key = o.landing_key, sha256 = o.sha256 from delivery_file o"
        " where f.number = 2 and o.number = 1 and f.delivery_id = o.delivery_id returning 1"
    )
    with pytest.raises(TotalsMismatch, match=r"Line: 3 in the file|Amount: 0\.05 in the file, 0\.06 in the ledger"):
        outbound.check(exported["delivery_id"])


def days_of(outbound: Outbound, done: dict[str, object]) -> list[str]:
    return [line.split(",")[0] for line in (outbound.out / str(done["file_name"])).read_text().splitlines()[1:]]


def test_days_can_be_sent_again_and_again(outbound: Outbound) -> None:
    for day in (7, 8, 9):
        book(outbound.ledger, [Sale(BERLIN, datetime(2026, 6, day, 12, tzinfo=UTC), Decimal(day))], first_order=day)
    outbound.applied(covers={"days_again": 2}, packaging={"manifest": True})
    done = outbound.all_steps(DAY)
    assert days_of(outbound, done) == ["2026-06-08", "2026-06-09", "2026-06-10", "2026-06-10"]
    assert (done["file_name"], done["date_from"]) == ("performance_2026-06-10.csv", "2026-06-08")
    assert (
        "Date-From: 2026-06-08\nDate-To: 2026-06-10" in (outbound.out / "performance_2026-06-10.manifest").read_text()
    )
    outbound.applied(covers={"days_again": 2}, active_from="2026-06-09")
    assert outbound.all_steps(DAY)["date_from"] == "2026-06-09"


def test_a_report_can_go_on_where_the_last_delivery_ended(outbound: Outbound) -> None:
    outbound.applied(covers={"since_last_delivery": True})
    assert outbound.all_steps(date(2026, 6, 6))["date_from"] == "2026-06-06"
    for lost in (7, 8):
        outbound.export(date(2026, 6, lost))
    done = outbound.all_steps(date(2026, 6, 9))
    assert (done["date_from"], done["last_date"]) == ("2026-06-07", "2026-06-09")
    assert outbound.all_steps(DAY)["date_from"] == "2026-06-10"
    assert outbound.all_steps(date(2026, 6, 9))["date_from"] == "2026-06-07", "run again, it is the same report"


def test_what_was_sent_before_it_was_over_is_sent_again(outbound: Outbound) -> None:
    outbound.applied(covers={"since_last_delivery": True})
    assert outbound.all_steps(date(2026, 6, 8))["date_from"] == "2026-06-08"
    outbound.all_steps(date(2026, 6, 9), now=datetime(2026, 6, 9, 10, tzinfo=UTC))
    assert outbound.all_steps(DAY)["date_from"] == "2026-06-09"


def test_days_that_failed_before_the_first_delivery_are_not_lost(outbound: Outbound) -> None:
    outbound.applied(covers={"since_last_delivery": True})
    outbound.ledger.all("update connection set created_at = '2026-06-07 22:00Z' returning 1")
    outbound.ledger.all("update connection_revision set created_at = '2026-06-07 22:00Z' returning 1")
    outbound.export(date(2026, 6, 8))
    assert outbound.all_steps(DAY)["date_from"] == "2026-06-08"


def test_a_connection_chooses_the_date_that_counts(outbound: Outbound) -> None:
    outbound.applied(covers={"date_basis": "locked", "days_again": 1}, packaging={"manifest": True})
    outbound.ledger.all(
        "update action set locked_by = 'date', locked_at = case order_id when 'order-1'"
        " then timestamptz '2026-06-09 22:00Z' else '2026-06-10 22:00Z' end returning 1"
    )
    assert days_of(outbound, outbound.all_steps(DAY)) == ["2026-06-10"]
    assert "\nDate-Basis: locked\n" in (outbound.out / "performance_2026-06-10.manifest").read_text()
    assert len(days_of(outbound, outbound.all_steps(date(2026, 6, 11)))) > 1
    with pytest.raises(ConfigurationError, match=r"covers\.date_basis.*month_statement has no date basis 'locked'"):
        outbound.applied(data_type="month_statement", covers={"date_basis": "locked"})


def test_every_report_of_the_project_can_be_written_in_every_format(ledger: Ledger) -> None:
    for report in load_reports(PROJECT / "include").values():
        for kind in ("csv", "xml", "json_lines", "parquet"):
            layout = Layout.of(report, OutputFormat.model_validate({"type": kind}))

            @contextmanager
            def open_part(number: int) -> Iterator[BinaryIO]:
                yield cast("BinaryIO", io.BytesIO())

            assert export_report(ledger, layout, Parameters(DAY, DAY), open_part).rows == 0


def test_a_segment_says_so_in_its_name_and_manifest(outbound: Outbound) -> None:
    segment = {"data_type": "segment_purchases", "packaging": {"manifest": True}}
    with pytest.raises(ConfigurationError, match=r"remarketing segment says so in its name"):
        outbound.applied(**segment, details={"file_name": "purchases_{business_date}.csv"})
    outbound.applied(**segment, details={"file_name": "{report}_{business_date}.csv"})
    outbound.all_steps(DAY)
    assert outbound.names() == ["segment_purchases_2026-06-10.csv", "segment_purchases_2026-06-10.manifest"]
    manifest = (outbound.out / "segment_purchases_2026-06-10.manifest").read_text()
    assert "Data-Kind: remarketing segment\nReport: segment_purchases\n" in manifest
