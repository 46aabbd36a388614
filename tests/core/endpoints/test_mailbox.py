"""Mailboxes by IMAP: at Dovecot, and at a small server of ours with habits that can be chosen."""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data_connections.endpoints import mail
from data_connections.endpoints.arrival import Reason
from data_connections.endpoints.contract import Credentials
from data_connections.endpoints.fetch import fetch_file
from data_connections.endpoints.imap import ImapEndpoint
from data_connections.endpoints.mail import Farewell, MailId
from data_connections.endpoints.mail_certificate import Protocol, fetch_mail_certificate
from data_connections.endpoints.mail_rules import MailFile
from data_connections.endpoints.smtp import MailServer
from data_connections.errors import (
    EndpointError,
    EndpointFileMissing,
    EndpointFolderMissing,
    FatalEndpointError,
    RetriableEndpointError,
)
from fixtures.ftp_servers import make_certificate
from fixtures.imap_server import LOGIN, PASSWORD, ImapServer, imap_server
from fixtures.mail_servers import Mailbox, MailServers

from .conftest import QUICK
from .test_mail_message import CSV, HEAD, TEXT, mixed, part

WITH_FILE = mixed(TEXT, part(CSV))
WITHOUT_TO = WITH_FILE.replace(b"To: us@example.test\r\n", b"")
HERE = Credentials(LOGIN, PASSWORD)


@dataclass(frozen=True)
class Box:
    """A mailbox: how mails get into it, and an endpoint for it."""

    put: Callable[[bytes], Any]
    endpoint: Callable[[], ImapEndpoint]


def at(server: ImapServer, credentials: Credentials = HERE, **options: Any) -> ImapEndpoint:
    return ImapEndpoint("127.0.0.1", server.port, credentials, QUICK, **{"tls": "none", **options})


def at_dovecot(box: Mailbox, tls: str = "implicit", **changes: Any) -> ImapEndpoint:
    port = box.servers.imaps_port if tls == "implicit" else box.servers.imap_port
    return ImapEndpoint("127.0.0.1", port, replace(box.credentials, **changes), QUICK, tls=tls)


@pytest.fixture
def server() -> Iterator[ImapServer]:
    """The small server."""
    with imap_server(ImapServer()) as running:
        yield running


@pytest.fixture(params=["small", "dovecot"])
def box(request: pytest.FixtureRequest) -> Box:
    """An empty mailbox at one server after the other."""
    if request.param == "small":
        running = request.getfixturevalue("server")
        return Box(running.deliver, lambda: at(running))
    mailbox = request.getfixturevalue("mailbox")
    return Box(mailbox.put, lambda: at_dovecot(mailbox))


async def test_files_in_mails_are_listed_and_fetched_whole(box: Box) -> None:
    box.put(mixed(TEXT, part(CSV), part(b"\xff\xfe\x80" * 700_000, name=b"large.bin", encoding=b"binary")))
    box.put(HEAD + b"Subject: =?utf-8?Q?Nur_Text=21?=\r\n\r\nhello\r\n")
    async with box.endpoint() as endpoint:
        small, large, nothing = await endpoint.list("INBOX")
        assert (small.name, small.size, small.sender) == ("orders.csv", len(CSV), "files@partner.test")
        assert (nothing.name, nothing.problem) == ("Nur Text!", Reason.NO_FILE)
        assert abs(datetime.now(UTC) - small.mtime) < timedelta(minutes=5)
    async with box.endpoint() as endpoint:
        kept: list[bytes] = []
        assert (await fetch_file(endpoint, small, kept.append)).size == len(CSV)
        assert b"".join(kept) == CSV
        assert (await fetch_file(endpoint, large, lambda block: None)).size == 2_100_000


async def test_our_address_may_stand_in_to_in_cc_or_nowhere(mailbox: Mailbox) -> None:
    trust = Credentials("", certificates=(mailbox.servers.tls.fingerprint,))
    server = MailServer("127.0.0.1", mailbox.servers.smtp_port, "starttls", "files@partner.test", trust, QUICK)
    for header in (
        f"To: {mailbox.address}",
        f"To: boss@partner.test\r\nCc: x@y.test, <{mailbox.address}>",
        "To: a@b.test",
    ):
        await asyncio.to_thread(server.send, header.encode() + b"\r\n" + WITHOUT_TO, [mailbox.address])
    mailbox.wait_for(3)
    async with at_dovecot(mailbox) as endpoint:
        files = await endpoint.list("INBOX")
        assert [(file.name, file.sender) for file in files] == [("orders.csv", "files@partner.test")] * 3
        for file in files:
            assert (await fetch_file(endpoint, file, lambda block: None)).size == len(CSV)


async def test_looking_and_fetching_marks_nothing_as_read(mailbox: Mailbox) -> None:
    mailbox.put(WITH_FILE)
    async with at_dovecot(mailbox) as endpoint:
        (file,) = await endpoint.list("INBOX")
        await fetch_file(endpoint, file, lambda block: None)
    assert flags_at(mailbox) == {1: set()}


@contextmanager
def logged_in(box: Mailbox) -> Iterator[imaplib.IMAP4_SSL]:
    """A bare client of the mailbox."""
    context = ssl._create_unverified_context()
    with imaplib.IMAP4_SSL("127.0.0.1", box.servers.imaps_port, ssl_context=context) as client:
        client.login(box.address, "correct horse")
        yield client


def flags_at(box: Mailbox, folder: str = "INBOX") -> dict[int, set[bytes]]:
    with logged_in(box) as client:
        client.select(folder, readonly=True)
        _, found = client.uid("FETCH", "1:*", "(FLAGS)")
    lines = [line for line in found if line]
    numbered = {int(line.split(b"UID ")[1].split(b" ")[0].rstrip(b")")): line for line in lines}
    return {uid: {flag for flag in imaplib.ParseFlags(line) if flag != b"\\Recent"} for uid, line in numbered.items()}


async def test_what_happens_to_a_mail_afterwards(mailbox: Mailbox) -> None:
    for _ in range(4):
        mailbox.put(WITH_FILE)
    async with at_dovecot(mailbox) as endpoint:
        first, second, third, _ = [MailId.of(file.path)[0] for file in await endpoint.list("INBOX")]
        await endpoint.finish(first, Farewell("flag"))
        await endpoint.finish(first, Farewell("flag"))
        await endpoint.finish(second, Farewell("keep", mark_read=True))
        await endpoint.finish(third, Farewell("move", "Erledigt-\u00e4"))
        with pytest.raises(EndpointFileMissing, match="is gone"):
            await endpoint.finish(third, Farewell("move", "done"))
        fourth = replace(first, uid=4)
        await endpoint.finish(fourth, Farewell("delete"))
        assert [MailId.of(file.path)[0].uid for file in await endpoint.list("INBOX")] == [1, 2]
        assert len(await endpoint.list("Erledigt-\u00e4")) == 1
    assert flags_at(mailbox) == {1: {b"\\Flagged"}, 2: {b"\\Seen"}}


async def test_a_server_without_move_and_one_that_cannot_delete_single_mails() -> None:
    with imap_server(ImapServer(capabilities="IMAP4rev1")) as server:
        server.deliver(WITH_FILE)
        server.deliver(WITH_FILE, flags={"\\Deleted"})
        async with at(server) as endpoint:
            (file,) = await endpoint.list("INBOX")
            await endpoint.finish(MailId.of(file.path)[0], Farewell("move", "done"))
            assert await endpoint.list("INBOX") == []
        assert len(server.folders["done"].mails) == 1
        assert len(server.inbox.mails) == 2, "somebody else's mail must not be expunged"


async def test_a_mailbox_made_anew_means_other_mails(server: ImapServer) -> None:
    server.deliver(WITH_FILE)
    async with at(server) as endpoint:
        (before,) = await endpoint.list("INBOX")
        other = server.inbox.mails.copy()
        server.inbox.validity += 1
        server.inbox.mails = {1: replace(other[1], raw=mixed(part(b"other")))}
        (after,) = await endpoint.list("INBOX")
        assert (before.path, after.size) != (after.path, before.size)
        with pytest.raises(EndpointFileMissing, match="made anew"):
            await fetch_file(endpoint, before, lambda block: None)
        with pytest.raises(EndpointFileMissing, match="made anew"):
            await endpoint.finish(MailId.of(before.path)[0], Farewell("delete"))
    assert len(server.inbox.mails) == 1


async def test_a_mailbox_made_anew_at_dovecot(mailbox: Mailbox) -> None:
    with logged_in(mailbox) as client:
        client.create("Orders")
        client.append("Orders", "", None, WITH_FILE)
        async with at_dovecot(mailbox) as endpoint:
            (before,) = await endpoint.list("Orders")
            client.delete("Orders")
            client.create("Orders")
            client.append("Orders", "", None, WITH_FILE)
            (after,) = await endpoint.list("Orders")
            assert (MailId.of(after.path)[0].uid, after.size) == (1, before.size)
            assert after.path != before.path
            with pytest.raises(EndpointFileMissing, match="made anew"):
                await endpoint.stat(before.path)


async def test_mails_that_poison_do_not_block_the_others(server: ImapServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "MOST_BYTES", 100_000)
    server.unreadable.add(server.deliver(WITH_FILE))
    deadly = server.deliver(WITH_FILE)
    server.deadly.add(deadly)
    server.odd_dates.add(server.deliver(WITH_FILE))
    server.deliver(HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 50)
    server.deliver(b"x" * 100_001)
    server.deliver(WITH_FILE)
    async with at(server) as endpoint:
        for _ in range(mail.PATIENCE - 1):
            with pytest.raises(RetriableEndpointError, match="connection was lost"):
                await endpoint.list("INBOX")
        found = await endpoint.list("INBOX")
    assert [file.problem for file in found if isinstance(file, MailFile)] == [
        Reason.UNREADABLE_MAIL,
        Reason.UNREADABLE_MAIL,
        Reason.UNREADABLE_MAIL,
        Reason.UNREADABLE_MAIL,
        Reason.LARGE_MAIL,
        None,
    ]


async def test_a_mail_is_read_once_however_often_is_looked(server: ImapServer) -> None:
    for _ in range(3):
        server.deliver(WITH_FILE)
    async with at(server) as endpoint:
        await endpoint.list("INBOX")
        before = len(server.commands)
        server.deliver(WITH_FILE)
        assert len(await endpoint.list("INBOX")) == 4
    assert server.commands[before:].count("UID FETCH") <= 4


async def test_old_mails_are_left_alone(server: ImapServer) -> None:
    server.deliver(WITH_FILE, received_at=datetime.now(UTC) - timedelta(days=31))
    server.deliver(WITH_FILE)
    async with at(server) as endpoint:
        assert [MailId.of(file.path)[0].uid for file in await endpoint.list("INBOX")] == [2]
    async with at(server, newer_than=timedelta(days=40)) as endpoint:
        assert len(await endpoint.list("INBOX")) == 2


async def test_starttls_and_the_pinned_certificate(mailbox: Mailbox, tmp_path: Path) -> None:
    async with at_dovecot(mailbox, "starttls") as endpoint:
        assert await endpoint.list("INBOX") == []
    other = make_certificate(tmp_path).fingerprint
    for tls in ("implicit", "starttls"):
        with pytest.raises(FatalEndpointError, match="not the pinned one"):
            await at_dovecot(mailbox, tls, certificates=(other,)).connect()
        with pytest.raises(FatalEndpointError, match=r"not trusted \(self-signed"):
            await at_dovecot(mailbox, tls, certificates=()).connect()
        authority = mailbox.servers.tls.certificate.read_text()
        async with at_dovecot(mailbox, tls, certificates=(), authorities=authority):
            pass


async def test_nothing_is_sent_readable_unless_the_connection_says_so(server: ImapServer) -> None:
    with pytest.raises(FatalEndpointError, match="offers no TLS"):
        await at(server, tls="starttls").connect()
    with pytest.raises(FatalEndpointError, match="does not speak TLS"):
        await at(server, tls="implicit").connect()
    server.capabilities += " LOGINDISABLED"
    with pytest.raises(FatalEndpointError, match="without TLS"):
        await at(server).connect()
    assert "LOGIN" not in server.commands


@pytest.mark.parametrize(
    "answer", ["NO [EXPIRED] Password expired", "NO [AUTHENTICATIONFAILED] Authentication failed."]
)
async def test_a_wrong_or_expired_password(answer: str) -> None:
    with imap_server(ImapServer(password="another", login_answer=answer)) as server:
        with pytest.raises(FatalEndpointError, match=r"refused the login.*wrong or expired") as refused:
            await at(server).connect()
        assert "horse" not in str(refused.value)
        server.login_answer = "NO [UNAVAILABLE] Temporary failure"
        with pytest.raises(RetriableEndpointError, match="does not let us in now"):
            await at(server).connect()


@pytest.mark.parametrize(("protocol", "starttls"), [("imap", True), ("imap", False), ("smtp", True)])
async def test_the_certificate_can_be_fetched_and_shown(
    mail_servers: MailServers, protocol: Protocol, starttls: bool
) -> None:
    port = {"imap": mail_servers.imap_port if starttls else mail_servers.imaps_port, "smtp": mail_servers.smtp_port}
    shown = await fetch_mail_certificate("127.0.0.1", port[protocol], protocol, starttls=starttls, timeouts=QUICK)
    assert shown.fingerprint == mail_servers.tls.fingerprint


async def test_a_server_without_tls_has_no_certificate(server: ImapServer) -> None:
    with pytest.raises(EndpointError, match="no TLS"):
        await fetch_mail_certificate("127.0.0.1", server.port, "imap", starttls=True, timeouts=QUICK)


async def test_a_folder_that_is_not_there(box: Box) -> None:
    async with box.endpoint() as endpoint:
        with pytest.raises(EndpointFolderMissing, match="no folder 'Orders'"):
            await endpoint.list("Orders")
        assert await endpoint.list("INBOX") == []


async def test_addresses_inside_are_not_reached_unless_allowed(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTIONS_ALLOW_ADDRESSES", "")
    with pytest.raises(FatalEndpointError, match=r"CONNECTIONS_ALLOW_ADDRESSES=127\.0\.0\.1"):
        await at(server).connect()
