"""FTPS over a network that cuts, closes, freezes and turns bits, inside TLS of both connections, with three makers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from pyftpdlib.handlers import TLS_FTPHandler

from data_connections.endpoints.contract import Credentials, Timeouts
from data_connections.endpoints.fetch import fetch_file
from data_connections.endpoints.ftp import FtpsEndpoint, ImplicitFtpsEndpoint
from data_connections.endpoints.publish import publish
from data_connections.errors import RetriableEndpointError
from fixtures.fault_proxy import Fault, Mode
from fixtures.ftp_fault_proxy import FtpFaultProxy
from fixtures.ftp_servers import PASSWORD, FtpServer, pure_ftpd, pyftpdlib, vsftpd
from fixtures.servers import free_ports

pytestmark = pytest.mark.closes_everything
PATIENT = Timeouts(connect=20, login=60, operation=60, stall=60, close=0.5)
# For what freezes once: a server that goes on has seconds for each of its answers.
STALLING = Timeouts(connect=3, login=60, operation=3, stall=2, close=0.5)
SIZE = 2_000_000
HALF = SIZE // 2

IMPLICIT = {
    "handle": lambda handler: handler.secure_connection(handler.ssl_context),
    "handle_ssl_established": TLS_FTPHandler.handle,
}
SERVERS: dict[str, Callable[[range], AbstractContextManager[FtpServer]]] = {
    "vsftpd": lambda ports: vsftpd(passive_ports=ports),
    "vsftpd implicit": lambda ports: vsftpd("implicit_ssl=YES", passive_ports=ports),
    "pure-ftpd": lambda ports: pure_ftpd(passive_ports=ports),
    "pyftpdlib": lambda ports: pyftpdlib(passive_ports=ports),
    "pyftpdlib implicit": lambda ports: pyftpdlib(passive_ports=ports, **IMPLICIT),
}

OF_ONE_MAKER = pytest.mark.parametrize("running", ["vsftpd"], indirect=True)
"""What needs seconds is left to the server that asks most of a client."""


@pytest.fixture(scope="module", params=SERVERS)
def running(request: pytest.FixtureRequest) -> Iterator[tuple[FtpServer, type[FtpsEndpoint]]]:
    with SERVERS[request.param](free_ports()) as server:
        yield server, ImplicitFtpsEndpoint if "implicit" in request.param else FtpsEndpoint


@pytest.fixture
def server(running: tuple[FtpServer, type[FtpsEndpoint]]) -> Iterator[FtpServer]:
    yield running[0]
    for path in running[0].folder.iterdir():
        path.unlink()


@pytest.fixture
def proxy(server: FtpServer, ftp_fault_proxy: Callable[..., FtpFaultProxy]) -> FtpFaultProxy:
    return ftp_fault_proxy(server.port, server.passive_ports)


@pytest.fixture
def endpoint(
    request: pytest.FixtureRequest,
    running: tuple[FtpServer, type[FtpsEndpoint]],
    server: FtpServer,
    proxy: FtpFaultProxy,
) -> FtpsEndpoint:
    """An endpoint that waits for as long as a busy server takes, unless the test is of one that freezes."""
    parameters = request.node.callspec.params
    timeouts = STALLING if parameters.get("mode") == "freeze" else PATIENT
    credentials = Credentials(server.login, PASSWORD, certificates=(server.tls.fingerprint,))
    return running[1](proxy.host, proxy.port, credentials, timeouts)


async def fetch_through(server: FtpServer, proxy: FtpFaultProxy, endpoint: FtpsEndpoint, fault: Fault) -> int:
    """Fetch a file through one fault, compare it, and return how often the transfer went on."""
    data = os.urandom(SIZE)
    (server.folder / "a.bin").write_bytes(data)
    taken: list[bytes] = []
    async with endpoint:
        file = await endpoint.stat("a.bin")
        proxy.data_fault = fault
        fetched = await fetch_file(endpoint, file, taken.append, pause=0.01)
    assert b"".join(taken) == data
    return fetched.resumed


@pytest.mark.parametrize("mode", ["cut", "fin", "flip"])
async def test_a_transfer_that_breaks_goes_on_and_the_file_is_whole(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: FtpsEndpoint, mode: Mode
) -> None:
    assert await fetch_through(server, proxy, endpoint, Fault(mode, HALF, times=1)) >= 1
    assert proxy.data_fault.hits == 1


@OF_ONE_MAKER
@pytest.mark.parametrize(("mode", "after"), [("cut", 0), ("fin", 0), ("freeze", 0), ("freeze", HALF)])
async def test_so_does_one_that_breaks_in_its_handshake_or_freezes(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: FtpsEndpoint, mode: Mode, after: int
) -> None:
    assert await fetch_through(server, proxy, endpoint, Fault(mode, after, times=1)) >= 1


async def test_a_slow_line_is_not_a_frozen_one(server: FtpServer, proxy: FtpFaultProxy, endpoint: FtpsEndpoint) -> None:
    assert await fetch_through(server, proxy, endpoint, Fault("slow", SIZE - 5_000)) == 0


@OF_ONE_MAKER
@pytest.mark.parametrize("mode", ["cut", "freeze"])
async def test_a_control_connection_that_is_lost_in_a_transfer_is_opened_again(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: FtpsEndpoint, mode: Mode
) -> None:
    data = os.urandom(SIZE)
    (server.folder / "a.bin").write_bytes(data)
    taken = bytearray()

    def lose(block: bytes) -> None:
        if not taken:
            proxy.set(mode, times=1)
        taken.extend(block)

    async with endpoint:
        file = await endpoint.stat("a.bin")
        await fetch_file(endpoint, file, lose, pause=0.01)
    assert taken == data


@OF_ONE_MAKER
@pytest.mark.parametrize("mode", ["cut", "fin", "freeze"])
async def test_a_listing_that_breaks_in_its_handshake_is_no_empty_folder(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: FtpsEndpoint, mode: Mode
) -> None:
    (server.folder / "a.csv").write_bytes(b"abc")
    async with endpoint:
        proxy.data_fault = Fault(mode, times=1)
        with pytest.raises(RetriableEndpointError, match="listing the folder"):
            await endpoint.list(".")
        assert [file.name for file in await endpoint.list(".")] == ["a.csv"]


async def test_a_listing_of_which_only_a_part_came_is_not_taken_whatever_the_server_says(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: FtpsEndpoint
) -> None:
    for number in range(300):
        (server.folder / f"orders_{number:03}.csv").touch()
    async with endpoint:
        proxy.data_fault = Fault("clip", 8_000, times=1)
        with pytest.raises(RetriableEndpointError, match=r"before the server ended TLS.*say `ends_tls: false`"):
            await endpoint.list(".")
        assert len(await endpoint.list(".")) == 300


async def test_a_file_of_which_only_a_part_came_is_read_on_whatever_the_server_says(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: FtpsEndpoint
) -> None:
    assert await fetch_through(server, proxy, endpoint, Fault("clip", HALF, times=1)) == 1


@pytest.mark.parametrize("mode", ["cut", "fin"])
async def test_an_upload_that_breaks_leaves_nothing_under_the_final_name(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: FtpsEndpoint, mode: Mode
) -> None:
    async with endpoint:
        proxy.data_fault = Fault(mode, HALF, times=1, towards="server")
        with pytest.raises(RetriableEndpointError, match=r"uploading|bytes were sent"):
            await publish(endpoint, "report.csv", os.urandom(8 * SIZE))
        assert not (server.folder / "report.csv").exists()
        assert (await publish(endpoint, "report.csv", b"whole")).size == 5
    assert (server.folder / "report.csv").read_bytes() == b"whole"


async def test_an_upload_whose_answer_is_lost_is_not_taken_for_done(
    server: FtpServer, proxy: FtpFaultProxy, endpoint: FtpsEndpoint
) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"a" * 100_000
        proxy.set("cut", times=1)
        yield b"b" * 100_000

    async with endpoint:
        with pytest.raises(RetriableEndpointError, match="uploading"):
            await publish(endpoint, "report.csv", blocks())
    assert not (server.folder / "report.csv").exists()
