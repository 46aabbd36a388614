"""FTP over a network that cuts, closes, freezes and swallows: whole files or none, and never without an end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import Literal

import pytest

from data_connections.endpoints.contract import Credentials, Timeouts
from data_connections.endpoints.fetch import fetch_file
from data_connections.endpoints.ftp import PlainFtpEndpoint
from data_connections.endpoints.publish import publish
from data_connections.errors import FileChanged, RetriableEndpointError
from fixtures.fault_proxy import Fault
from fixtures.ftp_fault_proxy import FtpFaultProxy
from fixtures.ftp_servers import PASSWORD, FtpServer, pyftpdlib
from fixtures.servers import free_ports

pytestmark = pytest.mark.closes_everything
PATIENT = Timeouts(connect=20, login=60, operation=60, stall=60, close=1)
# For a transfer that freezes and a server that goes on.
STALLING = Timeouts(connect=20, login=60, operation=60, stall=2, close=0.5)
# For a server that is silent from now on: how short the wait is decides nothing but how long the test takes.
SHORT = Timeouts(connect=0.5, login=0.5, operation=0.5, stall=0.5, close=0.5)
SILENT = ("freeze", "blackhole")
SIZE = 3_000_000


@pytest.fixture(scope="module")
def running() -> Iterator[FtpServer]:
    with pyftpdlib(tls=False, passive_ports=free_ports()) as server:
        yield server


@pytest.fixture
def server(running: FtpServer) -> Iterator[FtpServer]:
    yield running
    for path in running.folder.iterdir():
        path.unlink()


@pytest.fixture
def proxy(server: FtpServer, ftp_fault_proxy: Callable[..., FtpFaultProxy]) -> FtpFaultProxy:
    return ftp_fault_proxy(server.port, server.passive_ports)


Login = Callable[[Timeouts], PlainFtpEndpoint]


@pytest.fixture
def login(server: FtpServer, proxy: FtpFaultProxy) -> Login:
    return lambda timeouts: PlainFtpEndpoint(proxy.host, proxy.port, Credentials(server.login, PASSWORD), timeouts)


@pytest.fixture
def endpoint(login: Login) -> PlainFtpEndpoint:
    return login(PATIENT)


def wait_as(endpoint: PlainFtpEndpoint, timeouts: Timeouts) -> None:
    """Let other limits hold from the next command on."""
    endpoint._sessions._timeouts = timeouts


@pytest.mark.parametrize(
    ("mode", "after"),
    [*product(("cut", "fin"), (0, 1, 1_500_000, SIZE - 1)), ("freeze", 0), ("freeze", SIZE - 1)],
)
async def test_a_transfer_that_breaks_goes_on_and_the_file_is_whole(
    server: FtpServer,
    proxy: FtpFaultProxy,
    login: Login,
    mode: Literal["cut", "fin", "freeze"],
    after: int,
) -> None:
    data = os.urandom(SIZE)
    (server.folder / "a.bin").write_bytes(data)
    taken: list[bytes] = []
    async with login(STALLING if mode == "freeze" else PATIENT) as endpoint:
        file = await endpoint.stat("a.bin")
        proxy.data_fault = Fault(mode, after, times=1)
        fetched = await fetch_file(endpoint, file, taken.append, pause=0.01)
    assert b"".join(taken) == data
    assert fetched.resumed == 1


async def test_a_transfer_that_always_breaks_ends_and_says_so(
    server: FtpServer, proxy: FtpFaultProxy, login: Login
) -> None:
    (server.folder / "a.bin").write_bytes(os.urandom(100_000))
    async with login(replace(PATIENT, stall=0.5)) as endpoint:
        file = await endpoint.stat("a.bin")
        proxy.data_fault = Fault("freeze", 0)
        with pytest.raises(RetriableEndpointError, match="no answer in time"):
            await fetch_file(endpoint, file, lambda block: None, tries=2, pause=0.01)
    assert proxy.data_connections == 2


async def test_a_file_that_is_replaced_while_the_line_is_cut_is_not_stitched_together(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: PlainFtpEndpoint
) -> None:
    path = server.folder / "a.bin"
    path.write_bytes(b"a" * SIZE)
    file_time = path.stat().st_mtime
    taken = bytearray()

    def replace_it(block: bytes) -> None:
        taken.extend(block)
        if path.read_bytes()[:1] == b"a":
            # By a rename: the transfer that goes on reads the old file to where it is cut.
            other = path.with_suffix(".new")
            other.write_bytes(b"b" * SIZE)
            os.utime(other, (file_time, file_time))
            other.replace(path)

    async with endpoint:
        file = await endpoint.stat("a.bin")
        proxy.data_fault = Fault("cut", 2_000_000, times=1)
        # Where the line was cut before a block got through, the old file is read whole, which is as good.
        with suppress(FileChanged):
            await fetch_file(endpoint, file, replace_it, pause=0.01)
            assert bytes(taken) == b"a" * SIZE
    assert path.read_bytes() == b"b" * SIZE


@pytest.mark.parametrize("mode", ["cut", "fin", "freeze", "blackhole"])
async def test_a_login_that_breaks_ends(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: PlainFtpEndpoint, mode: Literal["cut", "fin", "freeze"]
) -> None:
    wait_as(endpoint, SHORT if mode in SILENT else PATIENT)
    proxy.set(mode, after=10)
    with pytest.raises(RetriableEndpointError):
        await endpoint.connect()
    proxy.set("pass")
    wait_as(endpoint, PATIENT)
    async with endpoint:
        assert await endpoint.list(".") == []


@pytest.mark.parametrize("mode", ["cut", "freeze"])
async def test_a_control_connection_that_is_lost_at_rest_is_opened_again(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: PlainFtpEndpoint, mode: Literal["cut", "freeze"]
) -> None:
    (server.folder / "a.csv").write_bytes(b"abc")
    async with endpoint:
        wait_as(endpoint, SHORT if mode in SILENT else PATIENT)
        proxy.set(mode, after=0)
        with pytest.raises(RetriableEndpointError):
            await endpoint.stat("a.csv")
        proxy.set("pass")
        wait_as(endpoint, PATIENT)
        assert (await endpoint.stat("a.csv")).size == 3


@pytest.mark.parametrize("mode", ["cut", "freeze"])
async def test_an_upload_that_breaks_leaves_nothing_under_the_final_name(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: PlainFtpEndpoint, mode: Literal["cut", "freeze"]
) -> None:
    async with endpoint:
        wait_as(endpoint, SHORT if mode in SILENT else PATIENT)
        proxy.set(mode, after=0)
        with pytest.raises(RetriableEndpointError):
            await publish(endpoint, "report.csv", os.urandom(SIZE))
        assert not (server.folder / "report.csv").exists()
        proxy.set("pass")
        wait_as(endpoint, PATIENT)
        published = await publish(endpoint, "report.csv", b"whole")
    assert published.size == 5
    assert (server.folder / "report.csv").read_bytes() == b"whole"
