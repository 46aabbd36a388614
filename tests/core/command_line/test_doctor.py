"""What `connections doctor` notices, each thing broken for real."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest

from command_line.airflow_api import AirflowApi
from command_line.checkup import Finding, books, machine
from command_line.checkup.endpoints import endpoints
from command_line.checkup.finding import findings_of
from data_connections.catalog import all_current
from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from data_connections.settings import Settings
from data_connections.steps import standstill
from fixtures.desk import Desk, table
from local_stack.keys import Keys

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount,CurrencyCode"


def ill(findings: Iterable[Finding]) -> list[str]:
    """What is not well, as `state: text`; everything that is not has to say what to do."""
    found = [finding for finding in findings if finding.state != "good"]
    assert all(finding.advice for finding in found)
    return [f"{finding.state}: {finding.text}" for finding in found]


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings.from_environment({"CONNECTIONS_HOME": str(home)})


class TestMachine:
    def test_packages_are_compared_with_the_lock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert ill(machine.packages()) == []
        real = machine.version
        monkeypatch.setattr(machine, "version", lambda name: "0.1" if name == "httpx" else real(name))
        [text] = ill(machine.packages())
        assert text.startswith("bad: Not as locked: httpx 0.1 (locked: ")

    def test_keys_that_others_may_read_or_that_are_none(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AIRFLOW__CORE__FERNET_KEY", raising=False)
        assert ill(machine.keys(settings)) == ["warning: There is no Fernet key yet."]
        keys = Keys(settings.home / "keys")
        assert keys.fernet_key
        assert ill(machine.keys(settings)) == []
        (keys.folder / "fernet_key").chmod(0o644)
        assert ill(machine.keys(settings)) == [f"bad: Others may read fernet_key in {keys.folder}."]
        (keys.folder / "fernet_key").write_text("no key")
        (keys.folder / "fernet_key").chmod(0o600)
        assert ill(machine.keys(settings)) == ["bad: The Fernet key is none."]

    def test_a_process_that_nobody_looks_after(self, settings: Settings) -> None:
        assert ill(machine.leftovers(settings)) == []
        sleeper = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]
        mark = {"CONNECTIONS_STACK": str(settings.home / "stack")}
        with subprocess.Popen(sleeper, env=mark, stdout=subprocess.PIPE) as stray:
            assert stray.stdout is not None
            stray.stdout.readline()
            assert ill(machine.leftovers(settings)) == [f"bad: Nobody looks after {stray.pid}."]
            stop = [sys.executable, "-m", "command_line.main", "doctor", "--stop"]
            environment = {"CONNECTIONS_HOME": str(settings.home), "PATH": "/usr/bin:/bin"}
            assert subprocess.run(stop, env=environment).returncode == 0
            assert stray.wait(60) != 0
        assert ill(machine.leftovers(settings)) == []


class TestBooks:
    def test_a_ledger_in_order(self, desk: Desk) -> None:
        desk.submit(table(HEADER, "1000,2001,2026-02-20T10:00:00Z,A,10.00,EUR"))
        ledger, landing = desk.ledger, desk.landing
        checks = (
            *(books.server(ledger), books.schema(ledger), books.clock(ledger), books.locks(ledger)),
            books.reports_role(ledger),
            *(books.landing_area(ledger, landing), books.completeness(ledger, landing, None)),
        )
        assert [text for check in checks for text in ill(check)] == []

    def test_a_ledger_that_does_not_answer(self) -> None:
        nowhere = Ledger("postgresql://nobody@127.0.0.1:1/none", timeout=2)
        [text] = ill(findings_of("ledger", lambda: books.server(nowhere)))
        assert text.startswith("bad: The ledger does not answer")

    def test_a_role_of_reports_that_may_not_read(self, ledger: Ledger) -> None:
        with ledger.connect() as connection:
            connection.execute("revoke select on action from connections_reports")
        [text] = ill(books.reports_role(ledger))
        assert "no report can be made" in text

    def test_an_old_schema(self, ledger: Ledger) -> None:
        with ledger.connect() as connection:
            connection.execute("update schema_version set version_num = '0001'")
        [text] = ill(books.schema(ledger))
        assert text.startswith("bad: Schema 0001, this Connections knows ")

    @pytest.mark.parametrize(("seconds", "state"), [(0, "good"), (-10, "warning"), (10, "warning"), (-60, "bad")])
    def test_clocks_that_differ(self, seconds: int, state: str) -> None:
        now = datetime.now(UTC)
        assert books.clock_finding("somebody", now + timedelta(seconds=seconds), now).state == state

    def test_claims_that_ran_out_and_sessions_that_hold_others_up(self, desk: Desk) -> None:
        desk.submit(table(HEADER, "1000,2001,2026-02-20T10:00:00Z,A,10.00,EUR"))
        with desk.ledger.connect() as connection:
            connection.execute(
                "update submission set state = 'fetched', leased_until = now() - interval '2 h', finished_at = null"
            )
        [text] = ill(books.locks(desk.ledger))
        assert text == "warning: 1 submissions are unfinished, and whoever had claimed them is gone."

    def test_a_halt_that_somebody_forgot(self, ledger: Ledger) -> None:
        assert ill(books.standstill(ledger)) == []
        standstill.halt(ledger, "boss", "Wrong payouts")
        [text] = ill(books.standstill(ledger))
        assert text.startswith("warning: All applying and sending is stopped since ")

    def test_an_original_that_is_damaged(self, desk: Desk) -> None:
        desk.submit(table(HEADER, "1000,2001,2026-02-20T10:00:00Z,A,10.00,EUR"))
        [original] = [path for path in desk.folder.parent.glob("landing/originals/*/*") if path.is_file()]
        original.write_text("other bytes")
        [text] = ill(findings_of("landing area", lambda: books.landing_area(desk.ledger, desk.landing)))
        assert "has other bytes than it was kept with" in text

    def test_a_ledger_that_was_restored(self, desk: Desk) -> None:
        desk.submit(table(HEADER, "1000,2001,2026-02-20T10:00:00Z,A,10.00,EUR"))
        with psycopg.connect(desk.ledger.url) as connection:
            connection.execute("alter table submission disable trigger user")
            connection.execute("truncate submission cascade")
        [text] = ill(books.completeness(desk.ledger, desk.landing, None))
        assert text.startswith("bad: The landing area knows of 1 files or deliveries that the ledger lacks")


def test_logins_that_are_not_there_are_told_with_every_connection_that_needs_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect("second")
    monkeypatch.setenv("AIRFLOW_CONN_PARTNER", '{"conn_type": "sftp", "login": "us", "password": "hush-hush"}')
    monkeypatch.setenv("CONNECTIONS_ALLOW_ADDRESSES", "127.0.0.0/8")
    [text] = ill(endpoints(all_current(desk.ledger)))
    assert text.startswith("bad: orders, second: ")
    assert "hush-hush" not in text


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[bytes]]]:
    """A web server that is not our Airflow, and what was sent to it."""
    heard: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["content-length"] or 0)))
            self.send_error(404)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}", heard
    server.shutdown()
    server.server_close()


def test_the_local_login_is_told_to_the_local_stack_alone(
    home: Path, stranger: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever answers at the default port while no stack runs, or after one was killed, is a stranger."""
    url, heard = stranger
    assert Keys(home / "keys").password()
    for name in ("CONNECTIONS_AIRFLOW_USER", "CONNECTIONS_AIRFLOW_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings.from_environment({"CONNECTIONS_HOME": str(home), "CONNECTIONS_AIRFLOW_URL": url})
    with pytest.raises(ConfigurationError, match="There is no login for Airflow at"):
        AirflowApi(settings).get("/dags")
    (home / "stack").mkdir()
    (home / "stack" / "port").write_text(url.rpartition(":")[2])
    with pytest.raises(ConfigurationError, match="start the local stack"):
        AirflowApi(settings).get("/dags")
    assert heard == []


def test_commands_say_by_their_exit_code_that_nothing_was_done_or_nothing_was_to_do(cli: Callable[..., Any]) -> None:
    assert cli("shards", 0).code == 2
    assert (cli("doctor", "--recover", "--json").json, cli("doctor", "--recover").code) == ([], 0)
