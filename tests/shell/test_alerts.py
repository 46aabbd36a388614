"""Alerts by real channels: a mail server, and a web server for Slack and Apprise."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowFailException
from airflow.utils.session import NEW_SESSION, provide_session
from psycopg.errors import CheckViolation

from dag_factory.alerts import tell_people
from data_connections.errors import ConfigurationError, FatalEndpointError
from data_connections.ledger import Ledger, incidents, runs
from data_connections.settings import PROJECT
from data_connections.spec import parse_spec
from data_connections.spec.alerts import Alerts
from data_connections.steps.backfill import Conduct
from data_connections.steps.pinned_run import begin_run
from fixtures.catalog import INBOUND, Apply, changed
from fixtures.desk import Desk, table
from hooks.failures import task_failure
from operators.upkeep import ReconcileBooks

pytestmark = pytest.mark.usefixtures("airflow_ledger")
LINK = "http://localhost:8080/dags/acme-conversions/runs/manual__1"


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every mail, as the plainest SMTP server does."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MailSession)
        self.mails: list[Message] = []


class MailSession(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        while command := self.rfile.readline().strip().upper():
            if command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(message_from_bytes(b"".join(lines)))
            if b"GONE@" in command:
                self.wfile.write(b"550 5.1.1 no such user\r\n")
                continue
            self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")
            if command == b"QUIT":
                return


class WebServer(ThreadingHTTPServer):
    """Takes what is posted to it; under /broken it refuses."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), WebSession)
        self.posted: list[tuple[str, dict[str, Any]]] = []


class WebSession(BaseHTTPRequestHandler):
    server: WebServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, json.loads(body)))
        self.send_response(500 if "broken" in self.path else 200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *said: Any) -> None:
        """Be quiet."""


def served(server: Any) -> Iterator[Any]:
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def mail_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    for server in served(MailServer()):
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.test"}
        keep(monkeypatch, "smtp_default", "smtp", server.server_address[1], extra=extra)
        yield server


@pytest.fixture
def web_server() -> Iterator[WebServer]:
    yield from served(WebServer())


def keep(monkeypatch: pytest.MonkeyPatch, name: str, conn_type: str, port: int = 0, **more: Any) -> None:
    kept = {"conn_type": conn_type, "host": "127.0.0.1", "port": port, **more}
    monkeypatch.setitem(os.environ, f"AIRFLOW_CONN_{name.upper()}", json.dumps(kept))


@pytest.fixture
def fail_run(apply: Apply, ledger: Ledger) -> Any:
    """Ends a run badly, and calls what Airflow calls then."""

    def fail(reason: str = "3 of 3 files: <b>refused</b>", run_type: str = "manual", **alerts: Any) -> None:
        spec = changed(INBOUND, alerts=alerts)
        apply(spec)
        run = begin_run(ledger, "acme-conversions", 1, "manual__1")
        with ledger.connect() as connection:
            runs.finish(connection, run.id, failure=reason)
        airflow_run = type("DagRun", (), {"run_id": "manual__1", "run_type": run_type, "conf": {}})()
        tell_people(parse_spec(spec))({"dag_run": airflow_run})  # type: ignore[arg-type]

    return fail


def test_a_failure_is_mailed_to_whom_the_spec_names(mail_server: MailServer, fail_run: Any, ledger: Ledger) -> None:
    fail_run(email=["us@example.test", "more@example.test"])
    mail, other = mail_server.mails
    assert mail["Subject"] == "Connection acme-conversions: run failed"
    assert (mail["To"], other["To"]) == ("us@example.test", "more@example.test")
    body = "".join(part.get_payload(decode=True).decode() for part in mail.walk() if not part.is_multipart())
    for said in ("3 of 3 files: &lt;b&gt;refused&lt;/b&gt;", LINK):
        assert said in body
    (incident,) = incidents.listing(ledger)
    assert incident["told_at"] is not None
    assert incident["channel_trouble"] is None


def test_slack_and_apprise_get_the_same_words(
    web_server: WebServer, fail_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = web_server.server_address[1]
    keep(monkeypatch, "team_slack", "slackwebhook", host=f"http://127.0.0.1:{port}", password="/services/T/B/token")
    keep(monkeypatch, "anything", "apprise", extra={"config": {"path": f"json://127.0.0.1:{port}/here", "tag": "x"}})
    fail_run(slack="team_slack", apprise="anything")
    posted = dict(web_server.posted)
    slack = next(body for path, body in posted.items() if path.startswith("/services"))
    assert slack["text"].splitlines()[0] == "*Connection acme-conversions: run failed*"
    assert "&lt;b&gt;refused" in slack["text"]
    apprise = posted["/here"]
    assert (apprise["title"], apprise["type"]) == ("Connection acme-conversions: run failed", "failure")
    assert LINK in apprise["message"]


def test_a_channel_that_fails_is_shown_and_keeps_the_others_from_nothing(
    mail_server: MailServer, web_server: WebServer, fail_run: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"json://user:s3cret-token@127.0.0.1:{web_server.server_address[1]}/broken"
    keep(monkeypatch, "anything", "apprise", extra={"config": {"path": path, "tag": "x"}})
    fail_run(email=["us@example.test"], apprise="anything")
    assert len(mail_server.mails) == 1
    (incident,) = incidents.listing(ledger)
    assert incident["channel_trouble"] == "Apprise (anything): ConnectionError"


def test_an_address_that_the_mail_server_refuses_is_shown_and_the_others_get_theirs(
    mail_server: MailServer, fail_run: Any, ledger: Ledger
) -> None:
    fail_run(email=["gone@example.test", "us@example.test"])
    assert [mail["To"] for mail in mail_server.mails] == ["us@example.test"]
    (incident,) = incidents.listing(ledger)
    assert incident["channel_trouble"] == "e-mail to gone@example.test: refused, 550 5.1.1 no such user"


@pytest.mark.usefixtures("airflow_database")
def test_without_a_mail_server_the_trouble_is_shown(fail_run: Any, ledger: Ledger) -> None:
    fail_run(email=["us@example.test"])
    (incident,) = incidents.listing(ledger)
    assert incident["channel_trouble"].startswith("e-mail to us@example.test: ")


def test_a_backfill_tells_nobody(mail_server: MailServer, fail_run: Any, ledger: Ledger) -> None:
    fail_run(email=["us@example.test"], run_type="backfill")
    assert (mail_server.mails, incidents.listing(ledger)) == ([], [])


@pytest.mark.airflow
@pytest.mark.usefixtures("airflow_database")
def test_a_run_that_died_is_told_and_one_of_a_backfill_only_where_somebody_asked(
    mail_server: MailServer, apply: Apply, ledger: Ledger
) -> None:
    apply(changed(INBOUND, alerts={"email": ["us@example.test"]}))
    for run_id, conf in {"backfill__1": None, "backfill__2": Conduct(alerts=True).as_conf(), "manual__1": None}.items():
        begin_run(ledger, "acme-conversions", 1, run_id)
        died(run_id, conf)
    with ledger.connect() as connection:
        connection.execute("update connection_run set started_at = now() - interval '11 minutes'")
    maintenance = DagBag(dag_folder=PROJECT / "dags", bundle_name="dags-folder").dags["connections_maintenance"]

    maintenance.partial_subset("reconcile_runs").test()

    assert {row["state"] for row in ledger.all("select state from connection_run")} == {"failed"}
    (incident,) = incidents.listing(ledger)
    assert incident["runs"] == 2
    assert [mail["Subject"] for mail in mail_server.mails] == ["Connection acme-conversions: run failed"]


@provide_session
def died(run_id: str, conf: dict[str, Any] | None, session: Any = NEW_SESSION) -> None:
    """Let Airflow have a run that failed without its last task, as after a kill."""
    from airflow.models.dagrun import DagRun

    run_type, now = run_id.partition("__")[0], datetime.now(UTC)
    session.add(
        DagRun(dag_id="acme-conversions", run_id=run_id, run_type=run_type, conf=conf, state="failed", run_after=now)
    )


def test_a_ledger_that_does_not_answer_is_told_all_the_same(
    mail_server: MailServer, fail_run: Any, monkeypatch: pytest.MonkeyPatch, apply: Apply
) -> None:
    apply(INBOUND)
    monkeypatch.setenv("CONNECTIONS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/ledger")
    spec = parse_spec(changed(INBOUND, alerts={"email": ["us@example.test"]}))
    airflow_run = type("DagRun", (), {"run_id": "manual__1", "run_type": "manual", "conf": {}})()
    tell_people(spec)({"dag_run": airflow_run})  # type: ignore[arg-type]
    (mail,) = mail_server.mails
    assert mail["Subject"] == "Connection acme-conversions: the ledger does not answer"


def check_books(desk: Desk) -> None:
    with suppress(AirflowFailException):
        ReconcileBooks(task_id="reconcile_books").execute({})


def test_books_that_do_not_agree_are_told_once_and_that_they_do_again(
    desk: Desk, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTIONS_DATABASE_URL", desk.ledger.url)
    monkeypatch.setenv("CONNECTIONS_ALERT_EMAIL", "ops@example.test, night@example.test")
    desk.submit(
        table("CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount", "1000,2001,2026-02-20,A,EUR,1.00")
    )
    check_books(desk)
    assert mail_server.mails == []
    with desk.ledger.connect() as connection:
        connection.execute("update action set amount = amount + 1")
    check_books(desk)
    check_books(desk)
    with desk.ledger.connect() as connection:
        connection.execute("update action set amount = amount - 1")
    check_books(desk)
    told = [(mail["To"], mail["Subject"]) for mail in mail_server.mails]
    assert told == [
        ("ops@example.test", "Connections: the books do not agree"),
        ("night@example.test", "Connections: the books do not agree"),
        ("ops@example.test", "Connections: recovered"),
        ("night@example.test", "Connections: recovered"),
    ]
    assert "connections_daily" in str(mail_server.mails[0])


def test_an_address_of_the_installation_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="CONNECTIONS_ALERT_EMAIL: 'ops' is no e-mail address"):
        Alerts.of_installation({"CONNECTIONS_ALERT_EMAIL": "ops"})


def test_an_error_of_a_library_is_told_by_its_kind_alone_because_it_may_hold_a_row() -> None:
    refused = CheckViolation("new row violates check\nDETAIL:  Failing row contains (alice@private.test).")
    assert str(task_failure("acme", refused)) == "Connection acme: CheckViolation; the task's log says more"
    assert "No space left on device" in str(task_failure("acme", OSError(28, "No space left on device")))
    assert str(task_failure("acme", FatalEndpointError("acme: wrong key"))) == "acme: wrong key"
