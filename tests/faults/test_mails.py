"""Mail servers that freeze, cut, close early or turn bits: no file is taken for whole, and every wait ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from data_connections.endpoints.contract import Credentials, Timeouts
from data_connections.endpoints.fetch import fetch_file
from data_connections.endpoints.imap import ImapEndpoint
from data_connections.errors import EndpointError, FatalEndpointError, RetriableEndpointError
from fixtures.fault_proxy import FaultProxy, Mode
from fixtures.imap_server import LOGIN, PASSWORD, ImapServer, imap_server
from fixtures.mail_servers import Mailbox
from fixtures.sftp_line import IN_TIME

pytestmark = pytest.mark.closes_everything
PATIENT = Timeouts(connect=20, login=60, operation=60, stall=60, close=1)
# For a server that is silent from now on: how short the wait is decides nothing but how long the test takes.
SHORT = Timeouts(connect=0.5, login=0.5, operation=0.5, stall=0.5, close=0.2)
CONTENT = bytes(range(256)) * 8000
MAIL = (
    b"From: files@partner.test\r\nContent-Type: application/octet-stream; name=a.bin\r\n"
    b"Content-Transfer-Encoding: binary\r\n\r\n" + CONTENT
)


@contextmanager
def behind(proxy: Callable[[int], FaultProxy]) -> Iterator[tuple[FaultProxy, ImapEndpoint]]:
    with imap_server(ImapServer()) as server:
        server.deliver(MAIL)
        faulty = proxy(server.port)
        yield faulty, ImapEndpoint("127.0.0.1", faulty.port, Credentials(LOGIN, PASSWORD), PATIENT, tls="none")


@pytest.mark.parametrize("mode", ["cut", "fin", "freeze", "blackhole"])
@pytest.mark.parametrize("after", [30, 400, 1_500_000])
async def test_whatever_happens_while_a_mailbox_is_read_the_next_look_finds_all(
    fault_proxy: Callable[[int], FaultProxy], mode: Mode, after: int
) -> None:
    with behind(fault_proxy) as (proxy, endpoint):
        proxy.set(mode, after, times=1)
        endpoint._timeouts = SHORT if mode in ("freeze", "blackhole") else PATIENT
        begun = time.monotonic()
        with pytest.raises(RetriableEndpointError):
            await endpoint.list("INBOX")
        assert time.monotonic() - begun < IN_TIME
        endpoint._timeouts = PATIENT
        async with endpoint:
            (file,) = await endpoint.list("INBOX")
            kept: list[bytes] = []
            await fetch_file(endpoint, file, kept.append)
        assert b"".join(kept) == CONTENT


async def test_a_fetch_that_is_cut_begins_again_and_is_whole(fault_proxy: Callable[[int], FaultProxy]) -> None:
    with behind(fault_proxy) as (lister_proxy, lister):
        async with lister:
            (file,) = await lister.list("INBOX")
        proxy = fault_proxy(lister_proxy.target)
        proxy.set("cut", 1_200_000, times=2)
        kept: list[bytes] = []
        fresh = ImapEndpoint("127.0.0.1", proxy.port, Credentials(LOGIN, PASSWORD), PATIENT, tls="none")
        fetched = await fetch_file(fresh, file, kept.append, pause=0.01)
        await fresh.close()
    assert (b"".join(kept), fetched.resumed) == (CONTENT, 2)


async def test_a_login_to_a_silent_server_ends_in_time(
    fault_proxy: Callable[[int], FaultProxy], mailbox: Mailbox
) -> None:
    for tls, port in (("implicit", mailbox.servers.imaps_port), ("starttls", mailbox.servers.imap_port)):
        proxy = fault_proxy(port)
        proxy.set("freeze", 60)
        begun = time.monotonic()
        with pytest.raises(RetriableEndpointError, match="no answer in time"):
            await ImapEndpoint("127.0.0.1", proxy.port, mailbox.credentials, SHORT, tls=tls).connect()
        assert time.monotonic() - begun < IN_TIME


async def test_bits_that_turn_under_tls_are_noticed(fault_proxy: Callable[[int], FaultProxy], mailbox: Mailbox) -> None:
    mailbox.put(MAIL)
    proxy = fault_proxy(mailbox.servers.imaps_port)
    proxy.set("flip", 500_000, times=1)
    async with ImapEndpoint("127.0.0.1", proxy.port, mailbox.credentials, PATIENT) as endpoint:
        with pytest.raises(EndpointError) as noticed:
            await endpoint.list("INBOX")
        assert not isinstance(noticed.value, FatalEndpointError)
        (file,) = await endpoint.list("INBOX")
        assert (await fetch_file(endpoint, file, lambda block: None)).size >= len(CONTENT)
