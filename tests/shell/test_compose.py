"""docker-compose.yaml: a valid description, and the main job through the very services that it describes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from data_connections.postgres.account import server_account
from data_connections.settings import PROJECT
from fixtures.compose import COMPOSE, POSTGRES, ComposeProcesses, services, started
from fixtures.servers import folder_for, missing_server
from local_stack.partner_sftp import PartnerServer

ROWS = 20_000
PATIENCE = 240
SPEC = """program: acme
data_type: conversions
direction: inbound
method: sftp
credentials: partner
schedule: on request
arrival: {{wait: 3, look_every: 0.5}}
details: {{host: 127.0.0.1, port: {port}, folder: /in, file_pattern: "*.csv", result_folder: /results}}
"""
HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount,CurrencyCode\n"


class TestDescription:
    def test_it_is_valid_by_the_compose_specification(self) -> None:
        words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_every_service_is_limited_watched_and_comes_back(self) -> None:
        for name, service in services().items():
            assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
            once = name in ("secrets", "prepare")
            assert service["restart"] == ("no" if once else "unless-stopped"), name
            assert once or "profiles" in service or service["healthcheck"]["test"], name

    def test_it_has_what_airflow_needs_to_grow(self) -> None:
        needed = {"postgres", "redis", "api-server", "scheduler", "dag-processor", "triggerer", "worker", "gateway"}
        partners = {name for name, service in services().items() if service.get("profiles") == ["demo"]}
        assert services().keys() == needed | {"secrets", "prepare"} | partners
        assert partners == {"demo-sftp", "demo-ftps", "demo-mail"}

    def test_no_secret_stands_in_it(self) -> None:
        words = ("password", "secret", "fernet")
        for name, service in services().items():
            if "profiles" in service:
                continue
            for variable, value in service.get("environment", {}).items():
                if any(word in variable.lower() for word in words):
                    assert "/connections/keys/" in value, f"{name}: {variable}"

    def test_the_image_is_built_from_the_lock_and_runs_without_rights(self) -> None:
        text = (PROJECT / "Dockerfile").read_text()
        assert "--require-hashes --requirement requirements.txt" in text
        assert text.rstrip().endswith("USER connections")


@pytest.fixture(scope="module")
def compose() -> Iterator[ComposeProcesses]:
    """The services, running."""
    if not (POSTGRES / "initdb").exists():
        missing_server("PostgreSQL 15", "postgresql-15")
    if not Path("/usr/bin/redis-server").exists():
        missing_server("Redis", "redis-server")
    quick = {
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "8",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "4",
        "CONNECTIONS_ALLOW_ADDRESSES": "127.0.0.1",
    }
    with folder_for(server_account()) as database, folder_for(server_account()) as home:
        home.chmod(0o755)
        with started(home, database, **quick) as running:
            yield running


def connections(compose: ComposeProcesses, *words: object, code: int = 0, **variables: str) -> str:
    """What `connections` prints, typed in a worker's container with the administrator's login."""
    login = {"CONNECTIONS_AIRFLOW_USER": "admin", "CONNECTIONS_AIRFLOW_PASSWORD": passwords(compose)["admin"]}
    done = compose.run("worker", "connections", *map(str, words), **login, **variables)
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}\n{compose.logs()}"
    return done.stdout


def passwords(compose: ComposeProcesses) -> dict[str, str]:
    return dict(json.loads((compose.home / "keys" / "passwords.json").read_text()))


def token(compose: ComposeProcesses, name: str, password: str) -> httpx.Response:
    return httpx.post(
        f"http://localhost:{compose.ports['api']}/auth/token",
        json={"username": name, "password": password},
        timeout=60,
    )


def ask(compose: ComposeProcesses, name: str, method: str, path: str, **more: Any) -> int:
    """The status of a call of Airflow's API by one of the logins."""
    bearer = token(compose, name, passwords(compose)[name]).json()["access_token"]
    url = f"http://localhost:{compose.ports['api']}{path}"
    return httpx.request(method, url, headers={"Authorization": f"Bearer {bearer}"}, timeout=60, **more).status_code


def ledger(compose: ComposeProcesses, query: str, database: str = "ledger") -> list[tuple[Any, ...]]:
    password = (compose.home / "keys" / "postgres_password").read_text()
    address = f"postgresql://connections:{password}@127.0.0.1:{compose.ports['pg']}/{database}"
    with psycopg.connect(address) as connection:
        return connection.execute(query.encode()).fetchall()


def wait_for(compose: ComposeProcesses, what: str, ready: Any) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := ready()):
        if time.monotonic() > end:
            pytest.fail(f"never: {what}\n{compose.logs()}")
        compose.revive()
        time.sleep(0.2)
    return found


@pytest.mark.production
@pytest.mark.timeout(900)
class TestServices:
    def test_the_main_job_is_done_once_though_a_worker_is_killed(
        self, compose: ComposeProcesses, tmp_path: Path
    ) -> None:
        with PartnerServer(tmp_path / "partner") as partner:
            folder = tmp_path / "specs"
            folder.mkdir()
            shared = "access_control: {Partners: [view]}\n"
            (folder / "orders.yaml").write_text(SPEC.format(port=partner.port) + shared)
            assert compose.run("prepare", "airflow", "roles", "create", "Partners").returncode == 0
            connections(compose, "reference", "apply")
            given = ("--login", partner.login.login, "--password-env", "PW", "--yes")
            key = ("--fetch-host-key", f"127.0.0.1:{partner.port}")
            connections(compose, "credentials", "set", "partner", *given, *key, PW=partner.login.password)
            connections(compose, "apply", "-f", folder)
            rows = "".join(f"1000,2001,{time.strftime('%Y-%m-%d')}T00:00:00Z,O{n},1.50,EUR\n" for n in range(ROWS))
            (partner.files / "in" / "orders.csv").write_text(HEADER + rows)
            connections(compose, "run", "orders", "--unpause")

            fetched = "select 1 from submission where state = 'fetched'"
            wait_for(compose, "a file that is fetched", lambda: ledger(compose, fetched))
            busy = wait_for(
                compose,
                "a worker at work",
                lambda: [name for name in ("worker-1", "worker-2") if compose.at_work(name)],
            )
            compose.kill(busy[0])
            over = "select state, accepted, rejected from connection_run where finished_at is not null"
            wait_for(compose, "the end of the run", lambda: ledger(compose, over))

            assert ledger(compose, over) == [("completed", ROWS, 0)]
            assert ledger(compose, "select state, accepted from submission") == [("applied", ROWS)]
            assert ledger(compose, "select count(*), sum(amount) from action") == [(ROWS, ROWS * 15 // 10)]
            wait_for(compose, "the receipt", lambda: list((partner.files / "results").glob("receipt_*")))

    def test_a_waiting_sensor_survives_that_everything_around_it_is_killed(
        self, compose: ComposeProcesses, tmp_path: Path
    ) -> None:
        with PartnerServer(tmp_path / "partner") as partner:
            folder = tmp_path / "specs"
            folder.mkdir()
            late = SPEC.replace("wait: 3", "wait: 600").replace("credentials: partner", "credentials: late")
            (folder / "late.yaml").write_text(late.format(port=partner.port))
            given = ("--login", partner.login.login, "--password-env", "PW", "--yes")
            key = ("--fetch-host-key", f"127.0.0.1:{partner.port}")
            connections(compose, "credentials", "set", "late", *given, *key, PW=partner.login.password)
            connections(compose, "apply", "-f", folder, "--source", "late")
            connections(compose, "run", "late", "--unpause")
            waits = "select 1 from task_instance where task_id = 'wait_for_files' and state = 'deferred'"
            wait_for(compose, "a sensor that waits", lambda: ledger(compose, waits, database="airflow"))

            for name in ("triggerer", "scheduler"):
                compose.kill(name)
            compose.restart_postgres()
            for name in ("triggerer", "scheduler"):
                compose.start(name)
            row = f"1000,2001,{time.strftime('%Y-%m-%d')}T00:00:00Z,Late1,2.50,EUR\n"
            (partner.files / "in" / "late.csv").write_text(HEADER + row)

            over = (
                "select r.state, r.accepted from connection_run r join connection c on c.id = r.connection_id"
                " where c.name = 'late' and r.finished_at is not null"
            )
            assert wait_for(compose, "the end of the run", lambda: ledger(compose, over)) == [("completed", 1)]
            assert ledger(compose, "select count(*) from action where order_id = 'Late1'") == [(1,)]

    def test_logins_have_their_roles(self, compose: ComposeProcesses) -> None:
        assert token(compose, "admin", "wrong").status_code == 401
        assert ask(compose, "admin", "GET", "/api/v2/connections") == 200
        assert ask(compose, "gateway", "GET", "/api/v2/connections") == 403
        assert ask(compose, "gateway", "GET", "/api/v2/dags/orders") == 200
        started = {"logical_date": None, "note": "a file came"}
        assert ask(compose, "gateway", "POST", "/api/v2/dags/orders/dagRuns", json=started) == 200
        assert ask(compose, "gateway", "DELETE", "/api/v2/dags/orders") == 403
        assert ask(compose, "admin", "GET", "/connections-app/") == 200

    def test_the_doctor_is_content(self, compose: ComposeProcesses) -> None:
        compose.revive()
        compose.until_healthy("api-server", "scheduler", "dag-processor", "triggerer")
        found = json.loads(connections(compose, "doctor", "--no-endpoints", "--json"))
        assert found["ok"]
        assert "Airflow's database" in {finding["check"] for finding in found["findings"]}

    def test_the_fernet_key_is_rotated_and_stored_logins_can_still_be_read(self, compose: ComposeProcesses) -> None:
        def done(*words: str) -> str:
            result = compose.run("prepare", *words)
            assert result.returncode == 0, result.stderr
            return result.stdout

        login = ("--conn-type", "sftp", "--conn-login", "us", "--conn-password", "hush")
        done("airflow", "connections", "add", "rotated", *login)
        before = (compose.home / "keys" / "fernet_key").read_text()
        done("python", "-m", "deployment", "begin-fernet-rotation")
        done("airflow", "rotate-fernet-key")
        done("python", "-m", "deployment", "end-fernet-rotation")
        after = (compose.home / "keys" / "fernet_key").read_text()
        assert after != before
        assert before not in after
        shown = done("airflow", "connections", "get", "rotated", "--output", "json")
        found = re.search(r"^\[.*", shown, re.MULTILINE | re.DOTALL)
        assert found is not None, shown
        assert json.loads(found[0])[0]["password"] == "hush"

    def test_what_is_restarted_has_the_same_keys(self, compose: ComposeProcesses) -> None:
        before = {path.name: path.read_text() for path in (compose.home / "keys").iterdir()}
        assert compose.run("secrets").returncode == 0
        assert compose.run("prepare").returncode == 0
        assert {path.name: path.read_text() for path in (compose.home / "keys").iterdir()} == before
        assert {path.stat().st_mode & 0o077 for path in (compose.home / "keys").iterdir()} == {0}
