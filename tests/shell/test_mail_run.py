"""The whole way of mails: Postfix takes them, Dovecot keeps them, a DAG books what is in them, results go back."""

from __future__ import annotations

import hashlib
import json
import os
import smtplib
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from data_connections.catalog.reference import load_reference
from data_connections.catalog.reference_ledger import apply_reference
from data_connections.endpoints.mail_message import Mail, read_mail
from data_connections.errors import ConfigurationError, LedgerUnavailable
from data_connections.ledger import Ledger, deliveries
from data_connections.ledger.files_seen import files_seen
from data_connections.queries.not_taken import list_not_taken
from data_connections.queries.submissions import SubmissionFilter, list_submissions
from data_connections.settings import PROJECT
from data_connections.spec import parse_spec
from fixtures.catalog import Apply, changed
from fixtures.mail_servers import DOMAIN, OUR_SERVER, PASSWORD, Mailbox, MailServers, next_mailbox
from hooks.mail_server import mail_server
from hooks.trial import trial

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database", "airflow_ledger")]

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,CustomerId,CurrencyCode,Amount\n"
INBOUND: dict[str, Any] = {
    "name": "acme-mailed",
    "display_name": "Acme by mail",
    "program": "acme",
    "data_type": "conversions",
    "credentials": "acme-mailbox",
    "direction": "inbound",
    "method": "email",
    "schedule": "on request",
    "details": {"host": "127.0.0.1", "file_pattern": "orders*.csv*", "after_read": "move", "mark_read": True},
    "arrival": {"wait": 1, "look_every": 0.3},
}


def line(order: str, amount: str = "10.00") -> str:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds")
    return f"1000,2001,{yesterday},{order},c-{order},EUR,{amount}\n"


@pytest.fixture
def partner(mail_servers: MailServers) -> Mailbox:
    """The partner's own mailbox, which gets the results."""
    return next_mailbox(mail_servers)


@pytest.fixture
def run_dag(
    apply: Apply, ledger: Ledger, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Applies the connection and runs its DAG in this process; returns the run."""
    apply_reference(ledger, load_reference(PROJECT / "include" / "reference"), "tests")
    servers = mailbox.servers
    pinned = servers.tls.fingerprint
    login = {"conn_type": "imap", "login": mailbox.address, "password": PASSWORD, "extra": {"certificate": pinned}}
    smtp = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": servers.smtp_port,
        "extra": {"disable_ssl": True, "from_email": f"connections@{DOMAIN}", "certificate": pinned},
    }
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_ACME-MAILBOX", json.dumps(login))
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(smtp))

    def run(spec: dict[str, Any] = INBOUND, *, conf: dict[str, Any] | None = None, **changes: Any) -> Any:
        port = {"port": servers.imaps_port} if spec["direction"] == "inbound" else {}
        apply(changed(changed(spec, details=port), **changes))
        dag = DagBag(dag_folder=PROJECT / "dags", bundle_name="dags-folder").dags[spec["name"]]
        for task in dag.tasks:
            task.retry_delay = timedelta(seconds=0.1)
        return dag.test(run_conf=conf)

    return run


def send(box: Mailbox, *files: tuple[str, str], sender: str = "files@partner.test", vouched: bool = True) -> None:
    """Mail files to a mailbox by Postfix, as a partner does, with what our mail server says about the sender."""
    mail = EmailMessage()
    if vouched:
        mail["Authentication-Results"] = f"{OUR_SERVER}; dmarc=pass header.from={sender.partition('@')[2]}"
    mail["From"], mail["To"], mail["Subject"] = sender, "undisclosed-recipients:;", ""
    mail.set_content("")
    for name, content in files:
        mail.add_attachment(content.encode(), maintype="text", subtype="csv", filename=name)
    with smtplib.SMTP("127.0.0.1", box.servers.smtp_port) as client:
        client.starttls(context=ssl._create_unverified_context())
        client.sendmail(sender, [box.address], mail.as_bytes())


def mails_in(box: Mailbox) -> list[Mail]:
    return [read_mail(path.read_bytes()) for path in sorted(box.maildir.glob("new/*"))]


def test_a_mail_becomes_submissions_and_the_results_go_back(
    run_dag: Any, ledger: Ledger, mailbox: Mailbox, partner: Mailbox
) -> None:
    send(mailbox, ("orders.csv", HEADER + line("1") + line("2", "bad")), ("orders.csv", HEADER + line("3", "20.50")))
    send(mailbox, ("notes.txt", "hello"))
    mailbox.wait_for(2)
    assert str(run_dag(details={"return_address": partner.address}).state) == "success"
    found = ledger.all("select file_name, state, accepted, rejected from submission order by number")
    assert [(row["state"], row["accepted"], row["rejected"]) for row in found] == [
        ("partly_applied", 1, 1),
        ("applied", 1, 0),
    ]
    assert str(ledger.one("select sum(amount) as amount from action")["amount"]) == "30.50"
    seen = ledger.all("select name, reason, sender from sighting where decision <> 'claimed'")
    assert seen == [{"name": "notes.txt", "reason": "pattern", "sender": "files@partner.test"}]
    assert len(list(mailbox.maildir.glob(".done/cur/*S"))) == 1
    partner.wait_for(2)
    partly, whole = sorted(mails_in(partner), key=lambda mail: -len(mail.attachments))
    assert partly.subject == "orders.csv: partly applied"
    assert [file.name.split("_")[0] for file in partly.attachments] == ["receipt", "result", "result"]
    assert b"bad" in partly.attachments[2].content
    assert json.loads(whole.attachments[1].content)["updates"]["successfulRowCount"] == 1
    assert str(run_dag(arrival={"wait": 0.5}).state) == "success"
    assert ledger.one("select count(*) as n from submission")["n"] == 2


def test_a_refused_sender_is_told_once_and_a_forged_one_never(
    run_dag: Any, ledger: Ledger, mailbox: Mailbox, partner: Mailbox
) -> None:
    details = {"senders": ["files@partner.test"], "authserv_id": OUR_SERVER, "after_read": "keep"}
    send(mailbox, ("orders.csv", HEADER + line("1")), sender=partner.address)
    send(mailbox, ("orders.csv", HEADER + line("2")), sender="files@partner.test", vouched=False)
    send(mailbox, ("orders.csv", HEADER + line("990317")), sender="files@partner.test")
    mailbox.wait_for(3)
    assert str(run_dag(details=details).state) == "success"
    send(mailbox, ("orders2.csv", HEADER + line("4")), sender=partner.address)
    mailbox.wait_for(4)
    assert str(run_dag(details=details).state) == "success"
    assert ledger.all("select order_id from action") == [{"order_id": "990317"}]
    reasons = ledger.all("select reason, count(*) as n from sighting where reason is not null group by 1 order by 1")
    assert [(row["reason"], row["n"]) for row in reasons] == [("sender_refused", 2), ("sender_unproven", 1)]
    partner.wait_for(1)
    (told,) = mails_in(partner)
    assert told.subject == "Your files were not taken"
    with ledger.connect() as connection:
        refused = files_seen(connection, find=partner.address)
        forged = files_seen(connection, find="files@partner.test", states=["not_taken"])
        taken = files_seen(connection, find="990317")
        left = list_not_taken(connection, None, SubmissionFilter(search=partner.address))
        for known in ("FILES@partner", "orders.csv", taken[0]["sha256"][:12], str(taken[0]["trace_id"]), "990317"):
            (found,) = list_submissions(connection, None, SubmissionFilter(search=known))
            assert (found["file_name"], found["rows"]) == ("orders.csv", 1), known
    assert [(each["code"], each["rows"]) for each in (*refused, *forged)] == [
        ("sender_refused", 0),
        ("sender_refused", 0),
        ("sender_unproven", 0),
    ]
    assert [(each["sender"], each["rows"]) for each in taken] == [("files@partner.test", 1)]
    assert {each["file_name"] for each in left} == {"orders.csv", "orders2.csv"}
    replies = ledger.all("select sender, problem from mail_reply")
    assert replies == [{"sender": partner.address, "problem": None}]


def test_a_trial_says_step_by_step_what_works_and_changes_nothing(
    run_dag: Any, apply: Apply, mailbox: Mailbox, partner: Mailbox
) -> None:
    send(mailbox, ("orders.csv", HEADER + line("1")), ("notes.txt", "hello"))
    mailbox.wait_for(1)
    apply(INBOUND)
    spec = changed(INBOUND, details={"port": mailbox.servers.imaps_port, "return_address": partner.address})
    steps = list(trial(parse_spec(spec)))
    assert [(step.name, step.ok) for step in steps] == [
        ("credentials", True),
        ("certificate and login", True),
        ("folder", True),
        ("change mails", True),
        ("move after reading", True),
        ("move after reading", True),
        ("next run", True),
        ("return address", True),
    ]
    assert "of 2 files, 1 would be taken by 'orders*.csv*': orders.csv" in steps[2].message
    assert not list(mailbox.maildir.glob(".done*"))
    assert not mails_in(partner)
    *_, refused = trial(parse_spec(changed(spec, details={"return_address": "nobody@elsewhere.test"})))
    assert (refused.name, refused.ok) == ("return address", False)
    assert "does not take mails to nobody@elsewhere.test" in refused.message


def test_an_expired_password_fails_at_once_and_says_what_to_do(
    run_dag: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = json.loads(os.environ["AIRFLOW_CONN_ACME-MAILBOX"])
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_ACME-MAILBOX", json.dumps({**kept, "password": "old horse"}))
    assert str(run_dag().state) == "failed"
    reason = ledger.one("select reason from connection_run")["reason"]
    assert "wrong or expired" in reason
    assert "horse" not in reason


def test_a_report_goes_out_by_mail_always_the_same(
    run_dag: Any, ledger: Ledger, partner: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbound = {
        "name": "acme-report",
        "program": "acme",
        "data_type": "performance_by_day",
        "direction": "outbound",
        "method": "email",
        "schedule": "0 4 * * *",
        "details": {"to": [partner.address], "file_name": "performance_{business_date:%Y-%m-%d}.csv", "text": "Hello"},
    }
    (step,) = trial(parse_spec(outbound))
    assert (step.name, step.ok) == ("recipients", True)
    monkeypatch.setattr(deliveries, "mark_delivered", lost_record := LostRecord(deliveries.mark_delivered))
    run = run_dag(outbound, conf={"business_date": "2026-10-05"})
    assert str(run.state) == "success"
    assert lost_record.calls == 2
    partner.wait_for(2)
    first, second = (path.read_bytes().partition(b"Message-ID")[2] for path in partner.maildir.glob("new/*"))
    assert first == second, "the second try sends the same bytes with the same Message-ID"
    mail, _ = mails_in(partner)
    assert (mail.subject, mail.sender) == ("performance_by_day 2026-10-05", f"connections@{DOMAIN}")
    (file,) = mail.attachments
    assert (file.name, file.content[:15]) == ("performance_2026-10-05.csv", b"Date,ProgramId,")
    row = ledger.one("select state, delivered_at is not null as done from delivery")
    assert row == {"state": "delivered", "done": True}
    path = ledger.one("select remote_path, sha256 from delivery_file")
    assert path["remote_path"].startswith("<delivery.")
    assert hashlib.sha256(file.content).hexdigest() == path["sha256"]


class LostRecord:
    """Loses the ledger right after the mail server has taken the first mail."""

    def __init__(self, record: Callable[..., None]) -> None:
        self.record, self.calls = record, 0

    def __call__(self, *args: Any) -> None:
        self.calls += 1
        if self.calls == 1:
            raise LedgerUnavailable("The ledger does not answer.")
        self.record(*args)


def test_a_large_report_is_a_link_and_a_refused_recipient_fails_the_delivery(
    run_dag: Any, ledger: Ledger, partner: Mailbox
) -> None:
    outbound = {
        "name": "acme-report",
        "program": "acme",
        "data_type": "performance_by_day",
        "direction": "outbound",
        "method": "email",
        "schedule": "0 4 * * *",
        "details": {"to": [partner.address], "file_name": "performance.csv", "attach_up_to": 10},
    }
    assert str(run_dag(outbound, conf={"business_date": "2026-10-05"}).state) == "success"
    partner.wait_for(1)
    (raw,) = [path.read_bytes() for path in partner.maildir.glob("new/*")]
    assert read_mail(raw).attachments == ()
    number = ledger.one("select id from delivery")["id"]
    assert f"/plugin/connections/connections-app/deliveries/{number}" in raw.decode().replace("=\n", "")
    details = {"to": [partner.address, "you@elsewhere.test"]}
    assert str(run_dag(changed(outbound, details=details), conf={"business_date": "2026-10-06"}).state) == "failed"
    assert (
        "does not take mails to you@elsewhere.test"
        in ledger.one("select message from delivery where state = 'failed'")["message"]
    )
    assert len(mails_in(partner)) == 1


def test_credentials_for_another_way_to_log_in_are_refused_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    smtp = {"conn_type": "smtp", "host": "smtp.brand.example", "login": "us@brand.example", "extra": {}}
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_MODERN", json.dumps({**smtp, "extra": {"auth_type": "oauth2"}}))
    with pytest.raises(ConfigurationError, match=r"'modern' want to log in by oauth2.*a password"):
        mail_server("modern")
