"""docker-compose.yaml: the main job through the very services that it describes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncssh
import httpx
import psycopg
import pytest

from fixtures.compose import POSTGRES, SERVICES, WORKERS, ComposeProcesses, started
from fixtures.compose_talk import SPEC, address, booked, connections, folders, ledger, orders, passwords, wait_for
from fixtures.servers import missing_server
from local_stack.partner_sftp import PartnerServer

ROWS = 20_000
HOSTED = """program: acme
data_type: conversions
direction: inbound
method: sftp
methodology: push
schedule: on request
arrival: {wait: 3, look_every: 0.5}
details: {folder: /, file_pattern: "*.csv"}
"""


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
    with folders() as (home, database), started(home, database, **quick) as running:
        yield running


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


def connected(compose: ComposeProcesses, partner: PartnerServer, folder: Path, name: str, spec: str) -> None:
    """Store the partner's login and apply one connection."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(spec)
    given = ("--login", partner.login.login, "--password-env", "PW", "--yes")
    key = ("--fetch-host-key", f"127.0.0.1:{partner.port}")
    connections(compose, "credentials", "set", name, *given, *key, PW=partner.login.password)
    connections(compose, "apply", "-f", folder, "--source", name)


def run_of(compose: ComposeProcesses, name: str, since: int = 0) -> Any:
    """The newest ended run of a connection after ``since``: id, state, accepted; None while there is none."""
    found = ledger(
        compose,
        "select r.id, r.state, r.accepted from connection_run r join connection c on c.id = r.connection_id"
        f" where c.name = '{name}' and r.finished_at is not null and r.id > {since} order by r.id desc limit 1",
    )
    return found[0] if found else None


@pytest.mark.production
@pytest.mark.timeout(1500)
class TestServices:
    def test_the_main_job_is_done_once_though_a_worker_is_killed(
        self, compose: ComposeProcesses, tmp_path: Path
    ) -> None:
        assert compose.run("prepare", "airflow", "roles", "create", "Partners").returncode == 0
        connections(compose, "reference", "apply")
        with PartnerServer(tmp_path / "partner") as partner:
            spec = SPEC.format(port=partner.port).replace("credentials: partner", "credentials: orders")
            shared = "access_control: {Partners: [view]}\n"
            connected(compose, partner, tmp_path / "specs", "orders", spec + shared)
            (partner.files / "in" / "orders.csv").write_text(orders("O", ROWS))
            connections(compose, "run", "orders", "--unpause")

            fetched = "select 1 from submission where state = 'fetched'"
            wait_for(compose, "a file that is fetched", lambda: ledger(compose, fetched))
            busy = wait_for(compose, "a worker at work", lambda: [name for name in WORKERS if compose.at_work(name)])
            compose.kill(busy[0])
            wait_for(compose, "the end of the run", lambda: run_of(compose, "orders"))
            compose.start("worker", *compose.begun[busy[0]][1], name=busy[0])

            assert run_of(compose, "orders")[1:] == ("completed", ROWS)
            assert ledger(compose, "select state, accepted from submission") == [("applied", ROWS)]
            assert booked(compose, "O") == (ROWS, ROWS * 15 // 10)
            wait_for(compose, "the receipt", lambda: list((partner.files / "results").glob("receipt_*")))

            for victim in ("worker", "scheduler", "triggerer", "postgres"):
                self._kill_in_the_middle_of_an_apply(compose, partner, victim)

    @staticmethod
    def _kill_in_the_middle_of_an_apply(compose: ComposeProcesses, partner: PartnerServer, victim: str) -> None:
        """Hold an apply up in the middle of its transaction, kill something, and let it go on."""
        last = run_of(compose, "orders")[0]
        with closing(psycopg.connect(address(compose))) as blocker:
            blocker.execute("lock table action in share mode")
            (partner.files / "in" / f"{victim}.csv").write_text(orders(victim, 500))
            assert ask(compose, "admin", "POST", "/api/v2/dags/orders/dagRuns", json={"logical_date": None}) == 200
            waits = "select 1 from pg_stat_activity where datname = 'ledger' and wait_event_type = 'Lock'"
            wait_for(compose, f"an apply in its middle ({victim})", lambda: ledger(compose, waits))
            if victim == "postgres":
                compose.restart_postgres()
            else:
                busy = [name for name in WORKERS if compose.at_work(name)]
                for name in busy if victim == "worker" else [victim]:
                    compose.kill(name)
                    service, more = compose.begun[name]
                    compose.start(service, *more, name=name)
        ended = wait_for(compose, f"the end of the run ({victim})", lambda: run_of(compose, "orders", last))
        assert (victim, booked(compose, victim), ended[1:]) == (victim, (500, 750), ("completed", 500))
        states = ledger(compose, f"select state from submission where file_name = '{victim}.csv'")
        assert states == [("applied",)]

    def test_a_partner_pushes_a_file_to_the_gateway(self, compose: ComposeProcesses, tmp_path: Path) -> None:
        specs = tmp_path / "specs"
        specs.mkdir()
        (specs / "pushed.yaml").write_text(HOSTED)
        connections(compose, "apply", "-f", specs, "--source", "pushed")
        made = json.loads(connections(compose, "gateway", "create-login", "pushed", "--json"))
        found = "select 1 from dag where dag_id = 'pushed' and not is_stale"
        wait_for(compose, "its DAG", lambda: ledger(compose, found, database="airflow"))
        assert ask(compose, "admin", "PATCH", "/api/v2/dags/pushed", json={"is_paused": False}) == 200
        compose.until_healthy("gateway")
        push(compose, made["login"], made["password"], "pushed.csv", orders("Pushed", 3))
        wait_for(compose, "the end of a run that the gateway began", lambda: run_of(compose, "pushed"))
        assert booked(compose, "Pushed") == (3, 4.5)

    def test_a_waiting_sensor_survives_that_everything_around_it_is_killed(
        self, compose: ComposeProcesses, tmp_path: Path
    ) -> None:
        with PartnerServer(tmp_path / "partner") as partner:
            waiting(compose, partner, tmp_path / "specs", "late")
            for name in ("triggerer", "scheduler"):
                compose.kill(name)
            compose.restart_postgres()
            for name in ("triggerer", "scheduler"):
                compose.start(name)
            (partner.files / "in" / "late.csv").write_text(orders("Late", 1))
            ended = wait_for(compose, "the end of the run", lambda: run_of(compose, "late"))
            assert (ended[1:], booked(compose, "Late")) == (("completed", 1), (1, 1.5))

    def test_a_renewed_jwt_secret_and_an_upgrade_leave_waiting_sensors_waiting(
        self, compose: ComposeProcesses, tmp_path: Path
    ) -> None:
        """The guide's way for both: drain, restart everything, go on."""
        compose.revive()
        with PartnerServer(tmp_path / "partner") as partner:
            waiting(compose, partner, tmp_path / "specs", "upgraded")
            before = token(compose, "admin", passwords(compose)["admin"]).json()["access_token"]
            drained = json.loads(connections(compose, "drain", "--timeout", "300", "--json"))
            assert "upgraded" in drained["paused"]
            done = compose.run("secrets", "python", "-m", "deployment", "renew", "jwt_secret")
            assert done.returncode == 0, done.stderr
            compose.restart(*SERVICES, *WORKERS)
            compose.until_healthy(*SERVICES)
            old = {"Authorization": f"Bearer {before}"}
            url = f"http://localhost:{compose.ports['api']}/api/v2/dags"
            assert httpx.get(url, headers=old, timeout=60).status_code in (401, 403)
            assert "upgraded" in json.loads(connections(compose, "drain", "--end", "--json"))["unpaused"]
            (partner.files / "in" / "upgraded.csv").write_text(orders("Upgraded", 1))
            ended = wait_for(compose, "the end of the run", lambda: run_of(compose, "upgraded"))
            assert (ended[1:], booked(compose, "Upgraded")) == (("completed", 1), (1, 1.5))

    def test_airflow_is_cleaned_up_by_a_task_and_the_history_stays(self, compose: ComposeProcesses) -> None:
        [(old,)] = ledger(
            compose,
            "select dag_run_id from connection_run r join connection c on c.id = r.connection_id"
            " where c.name = 'orders' order by r.id limit 1",
        )
        with psycopg.connect(address(compose, "airflow")) as airflow:
            airflow.execute("update dag_run set start_date = now() - interval '100 days' where run_id = %s", [old])
        assert (
            ask(compose, "admin", "POST", "/api/v2/dags/connections_daily/dagRuns", json={"logical_date": None}) == 200
        )
        left = f"select 1 from dag_run where run_id = '{old}'"
        wait_for(compose, "a run that is forgotten", lambda: not ledger(compose, left, database="airflow"))
        listed = json.loads(connections(compose, "history", "orders", "--limit", "100", "--json"))
        runs = listed if isinstance(listed, list) else listed["runs"]
        assert [(run["state"], run["airflow_state"]) for run in runs if run["dag_run_id"] == old] == [
            ("completed", None)
        ]
        assert ask(compose, "admin", "GET", "/connections-app/connections/orders/history") == 200

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
        compose.until_healthy(*SERVICES, *WORKERS)
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

    def test_logs_name_connection_run_and_submission_and_nothing_that_is_secret(
        self, compose: ComposeProcesses
    ) -> None:
        of_runs = compose.home / "airflow" / "logs" / "dag_id=orders"
        applied = [path.read_text() for path in of_runs.glob("run_id=*/task_id=apply_modifications/**/*.log")]
        # What was killed in its middle said nothing any more.
        assert sum(bool(re.search(r"Submission \d+", text)) for text in applied) >= 5
        stored = compose.run("prepare", "airflow", "connections", "get", "orders", "--output", "json").stdout
        secrets = {
            path.read_text().strip() for path in (compose.home / "keys").iterdir() if path.name != "passwords.json"
        }
        secrets |= {*passwords(compose).values(), *re.findall(r'"password": "([^"]+)"', stored), "O-17,", "postgres-17"}
        logs = [*compose.home.glob("*.log"), *(compose.home / "airflow" / "logs").rglob("*.log")]
        assert len(logs) > 20
        told = {path.name for path in logs for secret in secrets if secret in path.read_text(errors="replace")}
        assert told == set()


def waiting(compose: ComposeProcesses, partner: PartnerServer, folder: Path, name: str) -> None:
    """Start a run of a new connection, and wait until its sensor waits."""
    spec = SPEC.replace("wait: 3", "wait: 900").replace("credentials: partner", f"credentials: {name}")
    connected(compose, partner, folder, name, spec.format(port=partner.port))
    connections(compose, "run", name, "--unpause")
    waits = f"select 1 from task_instance where dag_id = '{name}' and task_id = 'wait_for_files' and state = 'deferred'"
    wait_for(compose, "a sensor that waits", lambda: ledger(compose, waits, database="airflow"))


def push(compose: ComposeProcesses, login: str, password: str, name: str, content: str) -> None:
    """Put a file into a partner's folder, as the partner does."""

    async def put() -> None:
        options = {"username": login, "password": password, "known_hosts": None, "config": None}
        port = compose.ports["CONNECTIONS_GATEWAY_SFTP_PORT"]
        async with (
            asyncssh.connect("127.0.0.1", port, **options) as session,
            session.start_sftp_client() as files,
            files.open(name, "w") as file,
        ):
            await file.write(content)

    asyncio.run(put())
