"""The main job as users have it: commands, then Airflow's scheduler, triggerer and workers do the rest."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from data_connections.ledger import Ledger
from data_connections.settings import PROJECT
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


def connections(stack: Stack, *arguments: str, **environment: str) -> None:
    command = str(PROJECT / ".venv" / "bin" / "connections")
    done = subprocess.run(
        [command, *arguments], env={**os.environ, **stack.environment(), **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def wait_for(what: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.5)
    pytest.fail(f"nothing came of it within {PATIENCE} s")


def yesterday() -> str:
    """The last complete day of the program that only this test uses; other tests share the stack's ledger."""
    return (datetime.now(ZoneInfo("America/New_York")).date() - timedelta(days=1)).isoformat()


@pytest.fixture
def configured(stack: Stack, sftp_partner: PartnerServer, tmp_path: Path) -> Ledger:
    """The partner's files lie there; then programs, login and both connections are set up by commands."""
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
    connections(stack, "reference", "apply")
    connections(
        stack,
        *("credentials", "set", "main-job-sftp", "--login", sftp_partner.login.login),
        *("--password-env", "PARTNER_PASSWORD", "--host-key-file", str(host_key)),
        PARTNER_PASSWORD=sftp_partner.login.password,
    )
    connections(stack, "apply", "-f", str(specs))
    return Ledger(stack.environment()["CONNECTIONS_DATABASE_URL"])


def test_files_come_in_and_a_report_goes_out(stack: Stack, configured: Ledger, sftp_partner: PartnerServer) -> None:
    airflow, ledger = Airflow(stack), configured

    def finished(name: str) -> Any:
        rows = ledger.all(
            """
            select r.dag_run_id, r.state, r.files, r.accepted, r.rejected from connection_run r
            join connection c on c.id = r.connection_id where c.name = %s order by r.id
            """,
            [name],
        )
        return rows if rows and all(row["state"] != "in_progress" for row in rows) else None

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

    day = yesterday()
    airflow.start("main-job-out", business_date=day)
    (sent,) = wait_for(lambda: finished("main-job-out"))
    assert (sent["state"], sent["files"]) == ("completed", 1)
    assert "30.00" in (sftp_partner.files / "out" / f"perf_{day}.csv").read_text()
    assert airflow.get("/importErrors")["total_entries"] == 0
    assert len(airflow.get("/dags/main-job-out/dagVersions")["dag_versions"]) == 1
