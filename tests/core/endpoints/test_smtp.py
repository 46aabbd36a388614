"""Mails of ours go out: encrypted, to everybody or to nobody, always the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from data_connections.endpoints.contract import Credentials, Timeouts
from data_connections.endpoints.mail_message import read_mail
from data_connections.endpoints.mail_writing import AttachedFile, Letter
from data_connections.endpoints.smtp import MailServer
from data_connections.errors import FatalEndpointError, RetriableEndpointError
from fixtures.fault_proxy import FaultProxy
from fixtures.mail_servers import DOMAIN, Mailbox, MailServers
from fixtures.servers import free_port

QUICK = Timeouts(connect=30, login=60, operation=60, stall=60, close=0.5)
LETTER = Letter(
    "delivery.1",
    f"us@{DOMAIN}",
    ("box1@example.test",),
    "Report für\r\nBcc: evil@x.test",
    ("Grüße.", "Zoë"),
    datetime(2026, 11, 24, 6, 0, tzinfo=UTC),
    (AttachedFile("Zoë größer.csv", bytes(range(256)) * 40), AttachedFile("b.csv", b"")),
)


def by_postfix(servers: MailServers, **changes: Any) -> MailServer:
    trust = Credentials("", certificates=(servers.tls.fingerprint,))
    return replace(
        MailServer("127.0.0.1", servers.smtp_port, "starttls", f"us@{DOMAIN}", trust, QUICK, "smtp_default"), **changes
    )


def test_the_same_letter_is_the_same_bytes_and_survives_the_way(mailbox: Mailbox) -> None:
    letter = replace(LETTER, to=(mailbox.address,))
    assert letter.as_bytes() == replace(letter).as_bytes()
    assert letter.as_bytes().isascii()
    by_postfix(mailbox.servers).send(letter.as_bytes(), letter.recipients)
    mailbox.wait_for(1)
    (raw,) = [path.read_bytes() for path in mailbox.maildir.glob("new/*")]
    mail = read_mail(raw)
    assert b"\nMessage-ID: <delivery.1@example.test>\n" in raw.replace(b"\r\n", b"\n")
    assert b"\nBcc" not in raw
    assert (mail.subject, mail.sender) == ("Report für Bcc: evil@x.test", f"us@{DOMAIN}")
    assert [(each.name, each.content) for each in mail.attachments] == [
        ("Zoë größer.csv", bytes(range(256)) * 40),
        ("b.csv", b""),
    ]


def test_where_one_recipient_is_refused_nobody_gets_it(mailbox: Mailbox) -> None:
    server = by_postfix(mailbox.servers)
    with pytest.raises(FatalEndpointError, match=r"does not take mails to you@elsewhere\.test \(554.*nobody got it"):
        server.send(LETTER.as_bytes(), (mailbox.address, "you@elsewhere.test"))
    server.check((mailbox.address,))
    assert not mailbox.maildir.exists() or not list(mailbox.maildir.glob("new/*"))


def test_certificates_are_checked(mail_servers: MailServers) -> None:
    with pytest.raises(FatalEndpointError, match="not the pinned one"):
        by_postfix(mail_servers, credentials=Credentials("", certificates=("sha256:" + "0" * 64,))).check(())
    with pytest.raises(FatalEndpointError, match=r"not trusted \(self-signed"):
        by_postfix(mail_servers, credentials=Credentials("")).check(())
    with pytest.raises(FatalEndpointError, match="does not speak TLS"):
        by_postfix(mail_servers, tls="implicit").check(())


def test_a_mail_above_the_servers_limit_is_not_begun(mail_servers: MailServers) -> None:
    with pytest.raises(FatalEndpointError, match=r"takes 52,428,800\. Lower the connection's details\.attach_up_to"):
        by_postfix(mail_servers).send(b"x" * 52_428_801, ("box1@example.test",))


class Handler:
    """Takes mails, or answers what a test wants."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer = answer
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(envelope.content)
        return self.answer


@contextmanager
def plain_server(handler: Handler) -> Iterator[MailServer]:
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), ready_timeout=60)
    controller.start()
    try:
        yield MailServer("127.0.0.1", controller.port, "none", f"us@{DOMAIN}", timeouts=QUICK, name="smtp_default")
    finally:
        controller.stop()


def test_nothing_is_sent_readable_unless_the_credentials_say_so_and_a_login_never() -> None:
    handler = Handler()
    with plain_server(handler) as server:
        with pytest.raises(FatalEndpointError, match="offers no TLS"):
            replace(server, tls="starttls").send(b"x", ("you@partner.test",))
        with pytest.raises(FatalEndpointError, match="a login is not sent readable"):
            replace(server, credentials=Credentials("us", "secret")).send(b"x", ("you@partner.test",))
        server.send(b"Subject: x\r\n\r\n.hello\r\n..\r\n", ("you@partner.test",))
    assert handler.mails == [b"Subject: x\r\n\r\n.hello\r\n..\r\n"]


@pytest.mark.parametrize(("answer", "kind"), [("451 later", RetriableEndpointError), ("554 no", FatalEndpointError)])
def test_what_the_server_says_decides_whether_it_is_tried_again(answer: str, kind: type[Exception]) -> None:
    with plain_server(Handler(answer)) as server, pytest.raises(kind, match=answer):
        server.send(b"x", ("you@partner.test",))


@pytest.mark.parametrize("mode", ["freeze", "fin", "cut", "blackhole"])
def test_a_server_that_fails_ends_in_time(fault_proxy: Callable[[int], FaultProxy], mode: Any) -> None:
    with plain_server(Handler()) as server:
        proxy = fault_proxy(server.port)
        proxy.set(mode, 150)
        quick = replace(QUICK, login=0.4, operation=0.4, stall=0.4)
        with pytest.raises(RetriableEndpointError):
            replace(server, port=proxy.port, timeouts=quick).send(b"x", ("you@partner.test",))


def test_addresses_inside_are_not_reached_unless_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTIONS_ALLOW_ADDRESSES", "")
    with pytest.raises(FatalEndpointError, match="CONNECTIONS_ALLOW_ADDRESSES=127"):
        MailServer("127.0.0.1", 25, "starttls", "us@example.test").send(b"x", ("you@partner.test",))
