"""The main job as users have it: commands, then Airflow's scheduler, triggerer and workers do the rest."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from data_connections.ledger import Ledger
from fixtures.typed import Shell
from fixtures.whole_stack import Heartbeats
from local_stack import Stack
from local_stack.partner_sftp import PartnerServer

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

PATIENCE = 300
SPECS = {
    "main-job-in.yaml": """
program: globex
data_type: conversions
direction: inbound
method: sftp
credentials: main-job-sftp
schedule: daily
details: {{host: 127.0.0.1, port: {port}, folder: /in, file_pattern: "*.csv", result_folder: /results}}
arrival: {{wait: PT2M, look_every: PT1S}}
limits: {{files_per_run: 2}}
""",
    "main-job-out.yaml": """
program: globex
data_type: performance_by_day
direction: outbound
method: sftp
credentials: main-job-sftp
schedule: on request
time_zone: America/New_York
details: {{host: 127.0.0.1, port: {port}, folder: /out, file_name: "perf_{{business_date:%Y-%m-%d}}.csv"}}
""",
}


class Airflow:
    """Airflow's REST API as the administrator."""

    def __init__(self, stack: Stack) -> None:
        name, password = stack.login
        answer = httpx.post(f"{stack.url}/auth/token", json={"username": name, "password": password}, timeout=60)
        self._client = httpx.Client(
            base_url=f"{stack.url}/api/v2",
            timeout=60,
            headers={"Authorization": f"Bearer {answer.json()['access_token']}"},
        )

    def get(self, path: str) -> Any:
        return self._client.get(path).raise_for_status().json()

    def start(self, dag_id: str, **conf: str) -> str:
        answer = self._client.post(f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf})
        return str(answer.raise_for_status().json()["dag_run_id"])


def connections(shell: Shell, *arguments: str, **environment: str) -> str:
    done = shell(*arguments, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def wait_for(what: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.5)
    pytest.fail(f"nothing came of it within {PATIENCE} s")


@cache
def yesterday(days: int = 1) -> str:
    """The last complete day of the program that only this test uses, or an earlier one; others share the ledger."""
    return (datetime.now(ZoneInfo("America/New_York")).date() - timedelta(days=days)).isoformat()


@pytest.fixture
def configured(stack: Stack, shell: Shell, sftp_partner: PartnerServer, tmp_path: Path) -> Ledger:
    """The partner's files lie there; then programs and login are set up by commands."""
    noon = f"{yesterday()}T12:00:00-05:00"
    for number in range(3):
        (sftp_partner.files / "in" / f"{number}.csv").write_text(
            "CampaignId,ActionTrackerId,EventDate,OrderId,MediaPartnerId,CurrencyCode,Amount\n"
            f"1001,2101,{noon},main-job-{number},3001,USD,10.00\n"
            f"1001,2101,{noon},main-job-{number}-bad,3001,USD,ten\n"
        )
    specs = tmp_path / "specs"
    specs.mkdir()
    for name, text in SPECS.items():
        (specs / name).write_text(text.format(port=sftp_partner.port))
    host_key = tmp_path / "host_key"
    host_key.write_text(sftp_partner.login.host_key)
    connections(shell, "reference", "apply")
    connections(
        shell,
        *("credentials", "set", "main-job-sftp", "--login", sftp_partner.login.login),
        *("--password-env", "PARTNER_PASSWORD", "--host-key-file", str(host_key)),
        PARTNER_PASSWORD=sftp_partner.login.password,
    )
    return Ledger(stack.environment()["CONNECTIONS_DATABASE_URL"])


@contextmanager
def stopped(shell: Shell) -> Iterator[None]:
    """Nothing is applied or sent in here."""
    connections(shell, "halt", "--reason", "Not before noon")
    try:
        yield
    finally:
        connections(shell, "halt", "--end")


@contextmanager
def resting(shell: Shell, name: str) -> Iterator[None]:
    """A connection is in a maintenance window in here."""
    begins, ends = (datetime.now(UTC) + timedelta(days=day) for day in (-1, 1))
    times = ("--from", begins.isoformat(), "--to", ends.isoformat(), "--reason", "New server")
    number = json.loads(connections(shell, "maintenance", "add", "--connection", name, *times, "--json"))["id"]
    try:
        yield
    finally:
        connections(shell, "maintenance", "end", str(number))


def test_files_come_in_and_a_report_goes_out(
    stack: Stack,
    shell: Shell,
    configured: Ledger,
    sftp_partner: PartnerServer,
    heartbeats: Heartbeats,
    tmp_path: Path,
) -> None:
    airflow, ledger = Airflow(stack), configured

    def runs_of(name: str) -> Any:
        return ledger.all(
            """
            select r.id, r.dag_run_id, r.state, r.reason, r.files, r.accepted, r.rejected from connection_run r
            join connection c on c.id = r.connection_id where c.name = %s order by r.id
            """,
            [name],
        )

    def finished(name: str) -> Any:
        rows = runs_of(name)
        return rows if rows and all(row["state"] != "in_progress" for row in rows) else None

    def waits(name: str, reason: str) -> bool:
        return any(reason in (row["reason"] or "") for row in runs_of(name))

    day, before = yesterday(), yesterday(2)
    with stopped(shell):
        connections(shell, "apply", "-f", str(tmp_path / "specs"))
        airflow.start("connections_watchdog")
        wait_for(lambda: waits("main-job-in", "Not before noon"))
        airflow.start("main-job-out", business_date=before)
        wait_for(lambda: waits("main-job-out", "Not before noon"))
        states = ledger.all(
            "select state from submission s join connection c on c.id = s.connection_id where c.name = 'main-job-in'"
        )
        assert sorted(row["state"] for row in states) == ["claimed", "validated", "validated"]
        assert ledger.one("select count(*) as n from action where order_id like 'main-job-%%'") == {"n": 0}
        assert [list((sftp_partner.files / folder).iterdir()) for folder in ("results", "out")] == [[], []]

    first, follow_up = wait_for(lambda: (rows := finished("main-job-in")) and len(rows) == 2 and rows)
    assert (first["state"], first["files"], first["accepted"], first["rejected"]) == ("completed", 2, 2, 2)
    assert (follow_up["state"], follow_up["files"], follow_up["accepted"]) == ("completed", 1, 1)
    assert follow_up["dag_run_id"] == f"operator_triggered__{first['dag_run_id']}.1"
    assert len(list((sftp_partner.files / "results").iterdir())) == 9
    runs = wait_for(
        lambda: [
            run
            for run in airflow.get("/dags/main-job-in/dagRuns")["dag_runs"]
            if run["state"] not in ("queued", "running")
        ]
    )
    assert {run["state"] for run in runs} == {"success"}
    assert "sftp-127.0.0.1-" in str(airflow.get("/pools")["pools"])

    wait_for(lambda: finished("main-job-out"))
    with resting(shell, "main-job-out"):
        airflow.start("main-job-out", business_date=day)
        wait_for(lambda: waits("main-job-out", "maintenance of the connection until"))
    sent = wait_for(lambda: finished("main-job-out"))
    assert [(run["state"], run["files"], run["reason"]) for run in sent] == [("completed", 1, None)] * 2
    files = {path.name: path.read_text() for path in (sftp_partner.files / "out").iterdir()}
    assert sorted(files) == [f"perf_{before}.csv", f"perf_{day}.csv"]
    assert "30.00" in files[f"perf_{day}.csv"]
    assert airflow.get("/importErrors")["total_entries"] == 0
    assert len(airflow.get("/dags/main-job-out/dagVersions")["dag_versions"]) == 1
    wait_for(lambda: heartbeats.seen)

    log = f"/dags/main-job-in/dagRuns/{first['dag_run_id']}/taskInstances/apply_modifications/logs/1?map_index=0"
    lines = [line for line in airflow.get(log)["content"] if line["event"].startswith("Submission ")]
    assert len(lines) == 2
    for line in lines:
        assert line["event"].startswith(f"Submission {line['submission']}: ")
        assert (line["connection"], line["connection_run"]) == ("main-job-in", first["id"])
