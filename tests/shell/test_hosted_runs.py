"""Connections whose folder we host, through their generated DAGs."""

from __future__ import annotations

import asyncio
import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from data_connections.catalog import current
from data_connections.catalog.reference import load_reference
from data_connections.catalog.reference_ledger import apply_reference
from data_connections.gateway.retention import expire_collected
from data_connections.gateway.run_starter import Answer
from data_connections.ledger import Ledger
from data_connections.settings import PROJECT
from data_connections.steps.business_day import business_days
from data_connections.steps.expected_files import watch
from data_connections.steps.notices import record_told
from fixtures.catalog import changed
from fixtures.hosting import COLLECTED, PUSHED, Hosting, Partner, until
from triggers.files import FilesTrigger

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database", "airflow_ledger")]
ORDERS = (
    "CampaignId,ActionTrackerId,EventDate,OrderId,CustomerId,CurrencyCode,Amount\n"
    "1000,2001,2026-11-01T10:00:00Z,1,c-1,EUR,10.00\n1000,2001,2026-11-01T10:00:00Z,2,c-2,EUR,bad\n"
)


@pytest.fixture(autouse=True)
def same_folders(hosting: Hosting, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks and gateway see the same folders, as they do on one machine."""
    monkeypatch.setenv("CONNECTIONS_HOSTED", str(hosting.configuration.hosted))
    apply_reference(ledger, load_reference(PROJECT / "include" / "reference"), "tests")


def run_dag(name: str, **conf: Any) -> Any:
    dag = DagBag(dag_folder=PROJECT / "dags", bundle_name="dags-folder").dags[name]
    for task in dag.tasks:
        task.retry_delay = timedelta(seconds=0.1)
    return dag.test(run_conf=conf or None)


def look(ledger: Ledger, now: datetime) -> list[str]:
    """What the watching DAG tells then, by channels that always work."""
    told = watch(ledger, now)
    for each in told:
        record_told(ledger, each.notice, [])
    return [each.notice.subject for each in told]


def put(partner: Partner, **files: str | bytes) -> None:
    """Upload files by SFTP; tasks run in this thread, so no event loop may."""

    async def upload() -> None:
        async with partner.endpoint() as endpoint:
            for path, content in files.items():
                await endpoint.upload(path, content if isinstance(content, bytes) else content.encode())

    asyncio.run(upload())


def seen(partner: Partner, folder: str) -> list[str]:
    """Return what the partner finds in a folder, every file read to its end."""

    async def collect() -> list[str]:
        async with partner.endpoint() as endpoint:
            files = await endpoint.list(folder)
            for file in files:
                async with aclosing(endpoint.read(file.path)) as blocks:
                    assert sum([len(block) async for block in blocks]) == file.size
        return sorted(file.name for file in files)

    return asyncio.run(collect())


def wait_for(condition: Callable[[], object]) -> None:
    asyncio.run(until(condition))


def test_a_pushed_file_is_booked_and_answered(hosting: Hosting, ledger: Ledger) -> None:
    partner = hosting.host(PUSHED)
    put(partner, **{"/orders.csv": ORDERS})
    wait_for(lambda: hosting.started)
    assert str(run_dag("acme-pushed").state) == "success"
    assert ledger.all("select file_name, state, rows, accepted from submission") == [
        {"file_name": "orders.csv", "state": "partly_applied", "rows": 2, "accepted": 1}
    ]
    assert [name.split("_")[0] for name in seen(partner, "/results")] == ["receipt", "result", "result"]
    assert seen(partner, "/") == []
    assert hosting.started == ["acme-pushed"]


async def test_the_word_of_the_gateway_ends_the_wait(hosting: Hosting) -> None:
    """Looks are an hour apart: without the word, the trigger would not look again."""
    partner = hosting.host(changed(PUSHED, arrival={"look_every": 3600}))
    end = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    trigger = FilesTrigger(
        connection="acme-pushed", revision=1, dag_run_id="manual__1", started_at=end, due_at="", closes_at=end
    )
    waiting = asyncio.create_task(anext(trigger.run()))
    query = "select count(*) as n from pg_stat_activity where query = 'listen connections_arrival'"
    await until(lambda: hosting.ledger.one(query) == {"n": 1})
    async with partner.endpoint() as endpoint:
        await endpoint.upload("/orders.csv", b"x")
    async with asyncio.timeout(60):
        await waiting
    assert hosting.ledger.all("select file_name from submission") == [{"file_name": "orders.csv"}]


def test_a_trial_file_is_answered_and_never_booked(hosting: Hosting, ledger: Ledger) -> None:
    partner = hosting.host(PUSHED)
    put(partner, **{"/test/orders.csv": ORDERS, "/test/result_orders.csv": "ours"})
    wait_for(lambda: hosting.activity("trial.checked"))
    assert seen(partner, "/test") == [
        "orders.csv",
        "receipt_orders.csv.txt",
        "result_orders.csv",
        "result_orders.csv_summary.json",
    ]
    summary = json.loads((partner.files / "test" / "result_orders.csv_summary.json").read_text())
    assert summary["file"] == "orders.csv"
    receipt = (partner.files / "test" / "receipt_orders.csv.txt").read_text().strip()
    assert receipt == summary["traceId"] == hosting.activity("trial.checked")[0]["details"]["trace_id"]
    assert (summary["rows"], summary["accepted"], summary["rejected"]) == (2, 1, 1)
    assert "c-2" in (partner.files / "test" / "result_orders.csv").read_text()
    assert (ledger.all("select from submission"), hosting.started) == ([], [])


def test_a_trial_zip_is_answered_for_each_of_its_files(hosting: Hosting) -> None:
    partner, content = hosting.host(PUSHED), io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.csv", ORDERS)
        archive.writestr("b.csv", ORDERS)
    put(partner, **{"/test/day.zip": content.getvalue()})
    wait_for(lambda: hosting.activity("trial.checked"))
    answers = ["receipt_day.zip.txt", "result_day.zip_a.csv", "result_day.zip_b.csv", "result_day.zip_summary.json"]
    assert seen(partner, "/test") == ["day.zip", *answers]
    summary = json.loads((partner.files / "test" / answers[-1]).read_text())
    assert [(each["file"], each["rejected"]) for each in summary["files"]] == [
        ("day.zip/a.csv", 1),
        ("day.zip/b.csv", 1),
    ]


def test_a_run_is_asked_for_until_the_file_is_taken(
    hosting: Hosting, monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    monkeypatch.setattr("data_connections.gateway.run_starter.TRY_AGAIN", 0.2)
    partner = hosting.host(PUSHED)
    hosting.answer = Answer.ACTIVE
    put(partner, **{"/notes.txt": "no orders", "/test/orders.csv": "a trial", "/orders.csv": ORDERS})
    wait_for(lambda: len(hosting.started) > 1)
    assert str(run_dag("acme-pushed").state) == "success"
    wait_for(lambda: not hosting.gateway.starter.is_busy)
    asked = len(hosting.started)
    put(partner, **{"/more.txt": "no orders"})
    wait_for(lambda: not hosting.gateway.starter.is_busy)
    assert len(hosting.started) == asked


def test_a_report_waits_to_be_collected_is_told_as_late_until_it_is_and_is_gone_when_its_time_is_over(
    hosting: Hosting, ledger: Ledger
) -> None:
    due = (datetime.now(UTC) - timedelta(minutes=10)).replace(second=0, microsecond=0)
    rule = {"by": f"{due:%H:%M}", "time_zone": "UTC", "state": "collected"}
    partner = hosting.host(changed(COLLECTED, expects=[rule]))
    day = business_days(current(ledger, "acme-collected").spec, due).first
    assert look(ledger, due - timedelta(minutes=5)) == ["Connection acme-collected: not there yet"]
    assert str(run_dag("acme-collected", business_date=day.isoformat()).state) == "success"
    assert look(ledger, datetime.now(UTC)) == ["Connection acme-collected: late"]
    query = (
        "select state, remote_path, d.collected_at is not null as collected, collected_by, expired_at"
        " from delivery d join delivery_file f on f.delivery_id = d.id"
    )
    name = f"performance_{day}.csv"
    waiting = {"state": "delivered", "remote_path": f"/{name}", "expired_at": None}
    assert ledger.one(query) == {**waiting, "collected": False, "collected_by": None}
    assert seen(partner, "/") == [name]
    hosting.activity("file.downloaded")
    assert ledger.one(query) == {**waiting, "collected": True, "collected_by": "acme-collected"}
    empty = "Connection acme-collected: not as usual"
    assert look(ledger, datetime.now(UTC)) == ["Connection acme-collected: recovered", empty]
    gateway, hosted = hosting.gateway, hosting.configuration.hosted
    assert expire_collected(hosted, gateway.roster.specs(), gateway.journal) == 0
    long_ago = time.time() - timedelta(days=14, minutes=1).total_seconds()
    os.utime(partner.files / name, (long_ago, long_ago))
    assert expire_collected(hosted, gateway.roster.specs(), gateway.journal) == 1
    assert list(partner.files.iterdir()) == []
    hosting.activity("file.expired")
    assert ledger.one("select expired_at is not null as expired from delivery") == {"expired": True}
