from __future__ import annotations

import json
import os
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest

from dag_factory.alerts import failure_callback
from data_connections.spec import parse_spec
from fixtures.catalog import INBOUND, changed

CONTEXT: dict[str, Any] = {
    "exception": RuntimeError("3 of 3 files failed: <b>no</b> login"),
    "ti": type("TaskInstance", (), {"log_url": "http://localhost/log"})(),
}


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
            self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")
            if command == b"QUIT":
                return


@pytest.fixture
def mail_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        kept = {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": server.server_address[1],
            "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.test"},
        }
        monkeypatch.setitem(os.environ, "AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(kept))
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def _in_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")


def callback() -> Any:
    return failure_callback(parse_spec(changed(INBOUND, alerts={"email": ["us@example.test", "more@example.test"]})))


def test_a_failure_is_mailed_to_whom_the_spec_names(mail_server: MailServer) -> None:
    callback()(CONTEXT)
    (mail,) = mail_server.mails
    assert mail["Subject"] == "Connection acme-conversions: run failed"
    assert mail["To"] == "us@example.test, more@example.test"
    body = "".join(part.get_payload(decode=True).decode() for part in mail.walk() if not part.is_multipart())
    for said in ("Acme conversions", "3 of 3 files failed: &lt;b&gt;no&lt;/b&gt; login", "http://localhost/log"):
        assert said in body


@pytest.mark.usefixtures("airflow_database")
def test_without_a_mail_server_the_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    callback()(CONTEXT)
    assert "there is no Airflow connection 'smtp_default'" in caplog.text


def test_a_spec_that_names_nobody_has_no_callback() -> None:
    assert failure_callback(parse_spec(INBOUND)) is None
