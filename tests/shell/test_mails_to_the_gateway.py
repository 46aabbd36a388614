"""Mails to an address at our gateway, through the connection's generated DAG."""

from __future__ import annotations

import asyncio
import io
import json
import os
import smtplib
import ssl
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from airflow.dag_processing.dagbag import DagBag

from data_connections.catalog.reference import load_reference
from data_connections.catalog.reference_ledger import apply_reference
from data_connections.endpoints.mail_message import Mail, read_mail
from data_connections.gateway.certificate import gateway_certificate
from data_connections.ledger import Ledger
from data_connections.settings import PROJECT
from data_connections.spec import parse_spec
from fixtures.catalog import changed
from fixtures.hosting import MAILED, Hosting, Partner, until
from fixtures.name_server import NameServer
from fixtures.servers import free_port
from fixtures.signing import Signer
from hooks.trial import trial

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database", "airflow_ledger")]
SENDER, BACK = "files@acme.test", "partner-data@acme.test"
ORDERS = (
    "CampaignId,ActionTrackerId,EventDate,OrderId,CustomerId,CurrencyCode,Amount\n"
    "1000,2001,2026-11-01T10:00:00Z,1,c-1,EUR,10.00\n1000,2001,2026-11-01T10:00:00Z,2,c-2,EUR,bad\n"
)
SIGNED_ONLY = changed(MAILED, details={"senders": [SENDER], "return_address": BACK})


@pytest.fixture
def names(hosting: Hosting, name_server: NameServer) -> NameServer:
    """The name server that the gateway asks."""
    hosting.stop()
    hosting.changes["nameserver"] = name_server.address
    hosting.start()
    return name_server


@pytest.fixture(autouse=True)
def same_folders(hosting: Hosting, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks and gateway see the same folders, as they do on one machine."""
    monkeypatch.setenv("CONNECTIONS_HOSTED", str(hosting.configuration.hosted))
    apply_reference(ledger, load_reference(PROJECT / "include" / "reference"), "tests")


class Outbox:
    """Mails that our side sent."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Mail]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append((list(envelope.rcpt_tos), read_mail(envelope.content)))
        return "250 OK"


@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    box = Outbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), ready_timeout=60)
    controller.start()
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "connections@ours.test"}
    smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": controller.port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(smtp))
    yield box
    controller.stop()


def run_dag(name: str) -> Any:
    dag = DagBag(dag_folder=PROJECT / "dags", bundle_name="dags-folder").dags[name]
    for task in dag.tasks:
        task.retry_delay = timedelta(seconds=0.1)
    return dag.test()


def wait_for(condition: Callable[[], object]) -> None:
    asyncio.run(until(condition))


def letter(sender: str = SENDER, **files: bytes) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, "you@ours.test", f"{len(files)} files"
    message.set_content("Here they are.")
    for name, content in files.items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def send(partner: Partner, raw: bytes) -> None:
    hosting = partner.hosting
    context = ssl.create_default_context(cafile=str(gateway_certificate(hosting.configuration)))
    with smtplib.SMTP("127.0.0.1", hosting.smtp_port, timeout=60) as session:
        session._host = "localhost"
        session.starttls(context=context)
        session.sendmail("bounces@acme.test", [partner.mail_address], raw)


def test_files_in_a_mail_are_booked_and_answered_and_the_mail_is_gone(
    hosting: Hosting, ledger: Ledger, outbox: Outbox
) -> None:
    partner, packed = hosting.host(changed(MAILED, details={"return_address": BACK})), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("packed.csv", ORDERS.replace(",1,c-1", ",3,c-3").replace("bad", "20.00"))
    (connecting, *_) = trial(parse_spec(changed(MAILED, details={"return_address": BACK})))
    assert (connecting.name, connecting.ok) == ("folder", True)
    send(partner, letter(**{"orders.csv": ORDERS.encode(), "more.csv": packed.getvalue(), "logo.png": b"png"}))
    wait_for(lambda: hosting.started)
    assert str(run_dag("acme-mailed").state) == "success"
    assert ledger.all("select file_name, state, rows, accepted from submission order by file_name") == [
        {"file_name": "more.csv", "state": "applied", "rows": 2, "accepted": 2},
        {"file_name": "orders.csv", "state": "partly_applied", "rows": 2, "accepted": 1},
    ]
    assert ledger.all("select reason from sighting where decision = 'ignored'") == [{"reason": "extension"}]
    assert [recipients for recipients, _ in outbox.mails] == [[BACK], [BACK]]
    assert sorted(len(mail.attachments) for _, mail in outbox.mails) == [2, 3], "receipt, summary, and rejects"
    assert list(partner.mails.iterdir()) == []
    assert hosting.started == ["acme-mailed"]


def test_only_proven_senders_of_the_list_are_taken_and_a_stranger_is_told_once(
    hosting: Hosting, ledger: Ledger, outbox: Outbox, names: NameServer
) -> None:
    partner = hosting.host(SIGNED_ONLY)
    acme, globex = Signer("acme.test"), Signer("globex.test")
    for each in (acme, globex):
        each.publish(names)
    content = {name: ORDERS.replace(",1,c-1", f",{name},c-1").encode() for name in ("good", "forged", "other")}
    send(partner, acme.sign(letter(**{"good.csv": content["good"]})))
    forged = b"Authentication-Results: connections-gateway; dkim=pass header.d=acme.test\r\n"
    send(partner, forged + letter(**{"forged.csv": content["forged"]}))
    for _ in range(2):
        send(partner, globex.sign(letter("orders@globex.test", **{"other.csv": content["other"]})))
    wait_for(lambda: hosting.started)
    assert str(run_dag("acme-mailed").state) == "success"
    assert [row["file_name"] for row in ledger.all("select file_name from submission")] == ["good.csv"]
    reasons = ledger.all("select name, reason from sighting where decision = 'ignored' order by id")
    assert [(row["name"], row["reason"]) for row in reasons] == [
        ("forged.csv", "sender_unproven"),
        ("other.csv", "sender_refused"),
        ("other.csv", "sender_refused"),
    ]
    told = [recipients for recipients, mail in outbox.mails if mail.subject == "Your files were not taken"]
    assert told == [["orders@globex.test"]]


def test_while_keys_cannot_be_looked_up_a_mail_waits_at_its_sender(hosting: Hosting, names: NameServer) -> None:
    partner, signer = hosting.host(SIGNED_ONLY), Signer("acme.test")
    signer.publish(names)
    names.is_broken = True
    signed = signer.sign(letter(**{"orders.csv": ORDERS.encode()}))
    with pytest.raises(smtplib.SMTPDataError, match="send it again later") as refused:
        send(partner, signed)
    assert refused.value.smtp_code == 451
    names.is_broken = False
    send(partner, signed)
    assert len(list(partner.mails.iterdir())) == 1


def test_mails_that_nothing_is_taken_from_are_deleted_when_their_time_is_over(hosting: Hosting) -> None:
    from data_connections.gateway.retention import expire_collected

    partner, gateway = hosting.host(MAILED), hosting.gateway
    send(partner, letter())
    (path,) = partner.mails.iterdir()
    assert expire_collected(hosting.configuration.hosted, gateway.roster.specs(), gateway.journal) == 0
    old = path.stat().st_mtime - timedelta(days=31).total_seconds()
    os.utime(path, (old, old))
    assert expire_collected(hosting.configuration.hosted, gateway.roster.specs(), gateway.journal) == 1
    assert list(partner.mails.iterdir()) == []


def test_login_details_are_mailed_through_airflows_smtp_connection(hosting: Hosting, outbox: Outbox) -> None:
    from data_connections.errors import ConfigurationError
    from data_connections.settings import Settings
    from hooks.login_mail import mail_login

    partner, settings = hosting.host(MAILED), Settings.from_environment()
    order = (hosting.ledger, settings, partner.secret.login, BACK, "tests")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONNECTIONS_GATEWAY_HTTPS_PORT", "8443")
        mail_login(*order, valid_for=timedelta(days=1))
    with pytest.raises(ConfigurationError, match="CONNECTIONS_GATEWAY_HTTPS_PORT"):
        mail_login(*order, valid_for=timedelta(days=1))
    ((recipients, mail),) = outbox.mails
    assert (recipients, mail.subject) == ([BACK], "Your login acme-mailed for file transfers")
    assert hosting.activity("login.link_mailed")[0]["details"]["recipient"] == BACK
