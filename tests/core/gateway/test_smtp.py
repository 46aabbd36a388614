"""The gateway as partners and their mail servers meet it by SMTP."""

from __future__ import annotations

import asyncio
import os
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from data_connections.endpoints.hosted_mail import HostedMailbox
from data_connections.gateway.certificate import gateway_certificate
from data_connections.gateway.logins import retire_login, rotate_login
from data_connections.ledger import hosted_logins
from fixtures.catalog import changed
from fixtures.hosting import MAIL_DOMAIN, MAILED, PUSHED, Hosting, Partner, until

ORDERS = b"OrderId,Amount\r\n1,10.00\r\n"
SENDER = "files@acme.test"


@pytest.fixture
def partner(hosting: Hosting) -> Partner:
    return hosting.host(MAILED)


def mail(content: bytes = ORDERS, name: str = "orders.csv") -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = SENDER, "you@example.test", "orders"
    message.set_content("Here they are.")
    message.add_attachment(content, maintype="text", subtype="csv", filename=name)
    return message.as_bytes()


@contextmanager
def client(hosting: Hosting, *, tls: bool = True) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", hosting.smtp_port, timeout=60, local_hostname="mx.acme.test") as session:
        if tls:
            context = ssl.create_default_context(cafile=str(gateway_certificate(hosting.configuration)))
            session._host = "localhost"
            session.starttls(context=context)
        yield session


def kept(partner: Partner) -> list[bytes]:
    return [path.read_bytes() for path in sorted(partner.mails.glob("*"))]


def test_a_mail_is_on_the_disk_when_it_is_acknowledged(hosting: Hosting, partner: Partner) -> None:
    raw = mail(bytes(range(256)) * 100)
    with client(hosting) as session:
        assert session.sendmail(SENDER, [partner.mail_address], raw) == {}
    (whole,) = kept(partner)
    head, _, rest = whole.partition(b"From:")
    assert b"From:" + rest == raw
    assert head.startswith(b"Authentication-Results: connections-gateway; none\r\nReturn-Path: <files@acme.test>\r\n")
    assert b"Received: from mx.acme.test ([127.0.0.1]) by localhost with ESMTPS id " in head
    (entry,) = hosting.activity("mail.received")
    assert (entry["who"], entry["subject"]) == ("login acme-mailed", SENDER)
    (secret,) = hosted_logins.all_secrets(hosting.ledger, login="acme-mailed")
    assert (secret.kind, secret.uses, secret.last_used_from) == ("address", 1, "127.0.0.1")
    (file,) = asyncio.run(HostedMailbox(partner.mails).list("/"))
    assert (file.name, file.size, file.sender) == ("orders.csv", 25_600, SENDER)
    assert list(partner.incoming.iterdir()) == []


def test_what_is_offered_and_what_is_not(hosting: Hosting, partner: Partner) -> None:
    with client(hosting, tls=False) as session:
        session.ehlo()
        assert session.esmtp_features == {
            "size": "50000000",
            "8bitmime": "",
            "smtputf8": "",
            "starttls": "",
            "help": "",
        }
        assert session.docmd("AUTH", "PLAIN AGEAYg==")[0] == 502
        assert session.docmd("VRFY", partner.mail_address)[0] == 252
        assert session.docmd("EXPN", "all")[0] == 502
        assert session.docmd("DATA")[0] == 503
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            session.sendmail(SENDER, [partner.mail_address], mail())
        assert refused.value.recipients[partner.mail_address] == (530, b"5.7.0 Must issue a STARTTLS command first")
    with client(hosting) as session:
        session.ehlo()
        assert set(session.esmtp_features) == {"size", "8bitmime", "smtputf8", "help"}
    assert kept(partner) == []


def test_plain_smtp_where_the_connection_allows_it(hosting: Hosting) -> None:
    partner = hosting.host(changed(MAILED, details={"plain_smtp": True}))
    with client(hosting, tls=False) as session:
        session.sendmail(SENDER, [partner.mail_address], mail())
    assert b"with ESMTP id" in kept(partner)[0]


def test_only_known_recipients_are_taken(hosting: Hosting, partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_connections.gateway.failed_logins.FIRST_PAUSE", 0.001)
    by_sftp = hosting.host(changed(PUSHED, name="acme-sftp"))
    unknown = ("postmaster", f"nobody@{MAIL_DOMAIN}", f"{partner.secret.address}@elsewhere.test")
    with client(hosting) as session:
        session.ehlo()
        assert session.mail(SENDER)[0] == 250
        for address in (*unknown, f"{by_sftp.secret.login}@{MAIL_DOMAIN}"):
            assert session.rcpt(address) == (550, b"5.1.1 There is no such address here.")
        assert session.docmd("DATA")[0] == 503
        assert session.rcpt(f"fifth@{MAIL_DOMAIN}")[0] == 421
        with pytest.raises(smtplib.SMTPServerDisconnected):
            session.noop()
    turned_away = hosting.activity("mail.turned_away")
    assert [entry["subject"] for entry in turned_away][:3] == list(unknown)
    assert turned_away[0]["details"] == {"address": "127.0.0.1", "sender": SENDER, "why": "no such address"}
    with client(hosting) as session:
        session.sendmail(SENDER, [partner.mail_address.upper()], mail())
    assert len(kept(partner)) == 1


def test_bounces_and_crowds_of_recipients_are_refused(hosting: Hosting, partner: Partner) -> None:
    with client(hosting) as session:
        session.ehlo()
        assert session.docmd("MAIL", "FROM:<>")[0] == 550
        assert session.mail(SENDER)[0] == 250
        answers = [session.rcpt(partner.mail_address)[0] for _ in range(25)]
        assert answers == [250] * 20 + [452] * 5
        assert session.data(mail())[0] == 250
    assert len(kept(partner)) == 1, "one mailbox gets one copy"


def test_one_mail_for_two_partners_is_kept_for_both_or_for_neither(hosting: Hosting, partner: Partner) -> None:
    full = hosting.host(changed(MAILED, name="full", details={"quota_bytes": 10}))
    other = hosting.host(changed(MAILED, name="other"))
    with client(hosting) as session:
        with pytest.raises(smtplib.SMTPDataError, match="folder is full") as refused:
            session.sendmail(SENDER, [partner.mail_address, full.mail_address], mail())
        assert refused.value.smtp_code == 452
        session.sendmail(SENDER, [partner.mail_address, other.mail_address], mail())
    assert [len(kept(each)) for each in (partner, full, other)] == [1, 0, 1]


def test_the_size_is_announced_and_holds(hosting: Hosting, partner: Partner) -> None:
    hosting.stop()
    hosting.changes["most_mail_bytes"] = 10_000
    hosting.start()
    with client(hosting) as session:
        session.ehlo()
        assert session.esmtp_features["size"] == "10000"
        assert session.mail(SENDER, ["size=10001"])[0] == 552
        assert session.mail(SENDER, ["size=100"])[0] == 250
        assert session.rcpt(partner.mail_address)[0] == 250
        assert session.data(mail(b"x" * 20_000))[0] == 552
        session.sendmail(SENDER, [partner.mail_address], mail())
    assert len(kept(partner)) == 1


def test_an_address_is_changed_without_a_gap_and_ends(
    hosting: Hosting, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = rotate_login(hosting.ledger, "acme-mailed", "tests", overlap=timedelta(days=14), by_mail=True)
    hosting.refresh()
    addresses = [partner.mail_address, f"{new.address}@{MAIL_DOMAIN}"]
    with client(hosting) as session:
        for address in addresses:
            session.sendmail(SENDER, [address], mail())
    assert len(kept(partner)) == 2
    hosting.activity("mail.received")
    assert [each.uses for each in hosted_logins.all_secrets(hosting.ledger)] == [1, 1]
    retire_login(hosting.ledger, "acme-mailed", "tests")
    hosting.refresh()
    monkeypatch.setattr("data_connections.gateway.failed_logins.FIRST_PAUSE", 0.001)
    with client(hosting) as session, pytest.raises(smtplib.SMTPRecipientsRefused):
        session.sendmail(SENDER, addresses, mail())


def test_a_client_that_goes_away_in_the_middle_leaves_nothing(hosting: Hosting, partner: Partner) -> None:
    with client(hosting) as session:
        session.ehlo()
        session.mail(SENDER)
        session.rcpt(partner.mail_address)
        assert session.docmd("DATA")[0] == 354
        session.sock.sendall(mail()[:200])
        session.sock.shutdown(socket.SHUT_RDWR)
        session.close()
    asyncio.run(until(lambda: not hosting.gateway.reception.sessions()))
    assert (kept(partner), list(partner.incoming.glob("*"))) == ([], [])
    assert hosting.gateway.reception.transfers() == 0


SMUGGLED = b"MAIL FROM:<evil@evil.test>\r\nRCPT TO:<%s>\r\nDATA\r\nsmuggled\r\n.\r\n"


ENDS = (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n\0.\r\n")


def test_nothing_but_the_one_right_ending_ends_a_mail(hosting: Hosting, partner: Partner) -> None:
    """What a lenient server would take for a second mail is a part of the first."""
    hidden = SMUGGLED % partner.mail_address.encode()
    with client(hosting) as session:
        session.ehlo()
        for end in ENDS:
            session.mail(SENDER)
            session.rcpt(partner.mail_address)
            session.docmd("DATA")
            session.send(b"Subject: first\r\n\r\ntext" + end + hidden)
            assert session.getreply()[0] == (550 if b"\n" in end.replace(b"\r\n", b"") else 250)
            assert session.noop()[0] == 250
    found = kept(partner)
    assert len(found) == 4
    assert all(b"Return-Path: <files@acme.test>" in whole and b"evil@evil.test" in whole for whole in found)


def test_what_was_sent_before_tls_is_forgotten(hosting: Hosting, partner: Partner) -> None:
    with client(hosting, tls=False) as session:
        session.ehlo()
        session.send(b"STARTTLS\r\nMAIL FROM:<evil@evil.test>\r\n")
        assert session.getreply()[0] == 220
        context = ssl.create_default_context(cafile=str(gateway_certificate(hosting.configuration)))
        session.sock = context.wrap_socket(session.sock, server_hostname="localhost")
        session.file = None
        session.ehlo()
        assert session.docmd("RCPT", f"TO:<{partner.mail_address}>")[0] == 503


def test_nobody_writes_headers_of_ours(hosting: Hosting, partner: Partner) -> None:
    forged = b"Authentication-Results: connections-gateway; dkim=pass header.d=acme.test\r\n"
    with client(hosting) as session:
        session.send(b"EHLO mx\r" + forged)
        assert session.getreply()[0] == 250
        session.docmd("MAIL", "FROM:<files@acme.test>")
        session.rcpt(partner.mail_address)
        session.docmd("DATA")
        session.send(b" " + forged + forged + mail() + b"\r\n.\r\n")
        assert session.getreply()[0] == 250
    (file,) = asyncio.run(HostedMailbox(partner.mails).list("/"))
    assert file.results[0] == "connections-gateway; none"
    assert kept(partner)[0].count(b"\rAuthentication-Results") == 0


def test_mails_have_a_mailbox_of_their_own_size(hosting: Hosting) -> None:
    partner = hosting.host(changed(MAILED, details={"quota_files": 2}))
    with client(hosting) as session:
        for _ in range(2):
            session.sendmail(SENDER, [partner.mail_address], mail())
        with pytest.raises(smtplib.SMTPDataError, match="2 files, as many as are agreed"):
            session.sendmail(SENDER, [partner.mail_address], mail())
    (entry,) = hosting.activity("mail.turned_away")
    assert entry["subject"] == "acme-mailed"


def test_a_flood_of_clients_takes_no_place_from_others(hosting: Hosting, partner: Partner) -> None:
    idle = [socket.create_connection(("127.0.0.1", hosting.smtp_port)) for _ in range(30)]
    greetings = [each.recv(100)[:3] for each in idle]
    assert (greetings.count(b"220"), greetings.count(b"421")) == (20, 10)
    for each in idle:
        each.close()
    asyncio.run(until(lambda: not hosting.gateway.reception.sessions()))
    with client(hosting) as session:
        session.sendmail(SENDER, [partner.mail_address], mail())


def test_a_client_that_is_too_slow_is_left(hosting: Hosting, partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_connections.gateway.smtp_server.DATA_WITHIN", 0.3)
    with client(hosting) as session:
        session.ehlo()
        session.mail(SENDER)
        session.rcpt(partner.mail_address)
        session.docmd("DATA")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            begin_and_wait(session)
    assert kept(partner) == []


def begin_and_wait(session: smtplib.SMTP) -> None:
    """Send the beginning of a mail, where the server still listens, and wait for its answer."""
    session.send(b"Subject: never ends\r\n")
    session.getreply()


def test_a_stop_lets_a_mail_come_to_its_end(hosting: Hosting, partner: Partner) -> None:
    with client(hosting) as session:
        session.ehlo()
        session.mail(SENDER)
        session.rcpt(partner.mail_address)
        session.docmd("DATA")
        session.send(b"Subject: slow\r\n\r\n")
        asyncio.run(until(hosting.gateway.reception.transfers))
        hosting.begin_stop()
        asyncio.run(until(lambda: hosting.gateway.reception.closing))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", hosting.smtp_port))
        session.send(b"the end\r\n.\r\n")
        assert session.getreply()[0] == 250
    hosting.stop()
    assert b"the end" in kept(partner)[0]


def test_a_full_disk_is_said_and_nothing_is_kept(
    hosting: Hosting, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with client(hosting) as session:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(smtplib.SMTPDataError, match="could not be kept") as refused:
            session.sendmail(SENDER, [partner.mail_address], mail())
        assert refused.value.smtp_code == 452
        monkeypatch.undo()
        assert (kept(partner), list(partner.incoming.glob("*"))) == ([], [])
        session.sendmail(SENDER, [partner.mail_address], mail())
    assert len(kept(partner)) == 1
