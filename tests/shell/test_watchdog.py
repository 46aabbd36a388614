"""Who watches the watcher: a heartbeat that stops with any part, and alarms of what runs full."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowFailException

from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger, incidents, signs_of_life
from data_connections.settings import PROJECT, Alarms
from fixtures.catalog import INBOUND, Apply
from fixtures.mail_catcher import CaughtMails
from operators.upkeep import LockActions
from operators.watchdog import Heartbeat, WatchInstallation

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database", "airflow_ledger")]
HOSTED = {
    **{name: INBOUND[name] for name in ("program", "data_type", "direction", "method", "time_zone")},
    "name": "acme-pushed",
    "methodology": "push",
    "details": {"file_pattern": "*.csv"},
}
PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


class Outside(ThreadingHTTPServer):
    """Airflow's health page, and the address outside that waits for the heartbeat."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.ill: set[str] = set()
        self.beats: list[str] = []
        self.refuses = False
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Session(BaseHTTPRequestHandler):
    server: Outside

    def do_GET(self) -> None:
        is_page = self.path.startswith("/api/v2/monitor/health")
        if not is_page:
            self.server.beats.append(self.path)
        self.send_response(503 if self.server.refuses and not is_page else 200)
        self.end_headers()
        health = {part: {"status": "unhealthy" if part in self.server.ill else "healthy"} for part in PARTS}
        self.wfile.write(json.dumps(health).encode())

    def log_message(self, *said: Any) -> None:
        """Be quiet."""


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    with Outside() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("CONNECTIONS_AIRFLOW_URL", server.url)
        monkeypatch.setenv("CONNECTIONS_HEARTBEAT_URL", f"{server.url}/ping/s3cret-token")
        monkeypatch.setenv("CONNECTIONS_ALERT_EMAIL", "ops@example.test")
        monkeypatch.setenv("CONNECTIONS_ALARM_DISK", "0")
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def watchdog(airflow_database: None) -> Any:
    return DagBag(dag_folder=PROJECT / "dags", bundle_name="dags-folder").dags["connections_watchdog"]


def states(watchdog: Any) -> dict[str, str]:
    return {ti.task_id: str(ti.state) for ti in watchdog.test().get_task_instances()}


def look() -> None:
    WatchInstallation(task_id="watch_installation").execute({})  # type: ignore[arg-type]


def beat() -> str:
    """Call the heartbeat, as the task does that the triggerer has brought back."""
    return Heartbeat(task_id="heartbeat").beat({}, {})  # type: ignore[arg-type]


def last_seen(ledger: Ledger, part: str, ago: str) -> None:
    with ledger.connect() as connection:
        connection.execute("update sign_of_life set seen_at = now() - %s::interval where part = %s", [ago, part])


def test_the_heartbeat_stops_with_each_part_and_people_are_told_once_and_when_it_is_over(
    watchdog: Any, outside: Outside, ledger: Ledger, apply: Apply, caught_mails: CaughtMails
) -> None:
    apply(HOSTED)
    assert states(watchdog) == {"watch_installation": "success", "heartbeat": "success"}
    assert outside.beats == ["/ping/s3cret-token"]
    last_seen(ledger, "gateway", "6 minutes")
    look()
    with pytest.raises(AirflowFailException, match="No heartbeat: The gateway was last at work at"):
        beat()
    with ledger.connect() as connection:
        signs_of_life.note(connection, signs_of_life.GATEWAY)
    last_seen(ledger, "locking", "27 hours")
    look()
    with pytest.raises(AirflowFailException, match="No heartbeat: Actions were last locked at"):
        beat()
    assert [each["kind"] for each in incidents.listing(ledger)] == ["locking"]
    LockActions(task_id="lock_actions").execute({})  # type: ignore[arg-type]
    look()
    for part in PARTS:
        outside.ill = {part}
        with pytest.raises(AirflowFailException, match=f"No heartbeat: Not healthy: {part.replace('_', ' ')}"):
            beat()
    assert len(outside.beats) == 1
    outside.ill, outside.refuses = set(), True
    with pytest.raises(AirflowFailException, match="it answered 503"):
        beat()
    outside.refuses = False
    assert beat() == "127.0.0.1"
    assert incidents.listing(ledger) == []
    assert caught_mails.subjects == [
        "Connections: the gateway is silent",
        "Connections: recovered",
        "Connections: actions are not locked",
        "Connections: recovered",
        "Connections: the heartbeat could not be sent",
        "Connections: recovered",
    ]
    assert "s3cret-token" not in "".join(caught_mails.bodies)


def test_disk_staging_and_connections_of_the_database_have_their_alarms(
    watchdog: Any, outside: Outside, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caught_mails: CaughtMails
) -> None:
    monkeypatch.delenv("CONNECTIONS_HEARTBEAT_URL")
    with ledger.connect() as connection:
        connection.execute("create unlogged table staging.rows_1_x as select 1 as line")
    for name, limit in {"DISK": "100", "STAGING": "0", "DATABASE": "0"}.items():
        monkeypatch.setitem(os.environ, f"CONNECTIONS_ALARM_{name}", limit)
    assert states(watchdog) == {"watch_installation": "success", "heartbeat": "skipped"}
    assert {each["kind"] for each in incidents.listing(ledger)} == {"disk", "staging", "database"}
    assert len(caught_mails.mails) == 3
    bodies = " ".join(caught_mails.bodies)
    assert all(said in bodies for said in ("GiB are free", "1 tables with", "connections to the ledger"))


@pytest.mark.parametrize(
    ("name", "value"), [("CONNECTIONS_ALARM_DISK", "much"), ("CONNECTIONS_HEARTBEAT_URL", "hc.example/ping")]
)
def test_a_setting_that_is_none_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Alarms.from_environment({name: value})
