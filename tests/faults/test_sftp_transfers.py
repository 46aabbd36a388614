"""What goes wrong on the way between an SFTP server and us, and that no part of a file is ever taken for the whole."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from data_connections.endpoints.blocking import open_endpoint
from data_connections.endpoints.contract import Credentials
from data_connections.endpoints.fetch import fetch_file
from data_connections.endpoints.publish import publish
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.errors import EndpointFileMissing, RetriableEndpointError
from fixtures.fault_proxy import FaultProxy, Mode
from fixtures.servers import OpenSsh
from fixtures.sftp_line import FOR_EVER, IN_TIME, PATIENT, SHORT, SIZE, STALLING, Line

pytestmark = pytest.mark.closes_everything


@pytest.mark.parametrize("mode", ["cut", "fin", "flip"])
@pytest.mark.parametrize("part", range(10))
async def test_a_transfer_that_breaks_goes_on_and_ends_with_the_right_bytes(line: Line, mode: Mode, part: int) -> None:
    line.proxy.set(mode, after=20_000 + part * SIZE // 10, times=1)
    taken: list[bytes] = []
    fetched = await line.fetch(sink=taken.append)
    assert b"".join(taken) == line.data
    assert fetched.sha256 == hashlib.sha256(line.data).hexdigest()
    assert fetched.resumed == 1


@pytest.mark.parametrize("mode", ["cut", "fin", "flip", "freeze"])
@pytest.mark.parametrize("part", [0, 4, 9])
async def test_the_same_with_openssh(
    openssh_server: OpenSsh, fault_proxy: Callable[[int], FaultProxy], mode: Mode, part: int
) -> None:
    data = os.urandom(SIZE)
    (openssh_server.folder / "big.csv").write_bytes(data)
    key = openssh_server.private_key.read_text()
    credentials = Credentials(openssh_server.user, private_key=key, host_keys=(openssh_server.host_key,))
    proxy = fault_proxy(openssh_server.port)
    taken: list[bytes] = []
    async with SftpEndpoint("127.0.0.1", proxy.port, credentials, STALLING) as endpoint:
        file = await endpoint.stat("big.csv")
        proxy.set(mode, after=20_000 + part * SIZE // 10, times=1)
        await fetch_file(endpoint, file, taken.append, pause=0.01)
    assert b"".join(taken) == data


async def test_a_frozen_transfer_goes_on_over_a_new_connection(line: Line) -> None:
    line.proxy.set("freeze", after=SIZE // 2, times=1)
    fetched = await line.fetch(STALLING)
    assert fetched.sha256 == hashlib.sha256(line.data).hexdigest()


async def test_a_server_that_stays_frozen_ends_in_time(line: Line) -> None:
    async with line.endpoint() as other:
        file = await other.stat("in/big.csv")
    endpoint = await line.frozen()
    async with asyncio.timeout(IN_TIME):
        with pytest.raises(RetriableEndpointError, match="no answer in time"):
            await fetch_file(endpoint, file, lambda block: None, tries=2, pause=0.01)
        await endpoint.close()


class _TimeIsUp(Exception):
    """What a task's own time limit raises, from a signal, wherever the task is just then."""


@pytest.mark.timeout(60)
def test_a_time_limit_from_outside_ends_a_frozen_transfer(line: Line) -> None:
    def raise_it(number: int, frame: object) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGUSR1, raise_it)
    line.proxy.set("freeze", after=SIZE // 2)
    alarm = threading.Timer(1, os.kill, (os.getpid(), signal.SIGUSR1))
    begin = iter([alarm.start])
    try:
        with open_endpoint(lambda: line.endpoint(FOR_EVER)) as endpoint:
            file = endpoint.stat("in/big.csv")
            with pytest.raises(_TimeIsUp):
                endpoint.fetch(file, lambda block: next(begin, lambda: None)())
    finally:
        alarm.cancel()
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize(
    "ask",
    [
        lambda endpoint: endpoint.list("in"),
        lambda endpoint: endpoint.stat("in/big.csv"),
        lambda endpoint: endpoint.move("in/big.csv", "in/other.csv"),
        lambda endpoint: endpoint.delete("in/big.csv"),
        lambda endpoint: endpoint.make_folder("in/sub"),
        lambda endpoint: publish(endpoint, "out/x.csv", b"x"),
    ],
    ids=["list", "stat", "move", "delete", "make_folder", "publish"],
)
async def test_every_question_to_a_frozen_server_ends_in_time(
    line: Line, ask: Callable[[SftpEndpoint], AsyncIterator[object]]
) -> None:
    endpoint = await line.frozen()
    async with asyncio.timeout(IN_TIME):
        with pytest.raises(RetriableEndpointError, match="no answer in time"):
            await ask(endpoint)  # type: ignore[misc]
        await endpoint.close()


async def test_a_slow_line_is_not_a_frozen_one(line: Line) -> None:
    line.path.write_bytes(line.data[:300_000])
    line.proxy.set("slow", after=20_000)
    fetched = await line.fetch(replace(PATIENT, stall=4))
    assert (fetched.size, fetched.resumed) == (300_000, 0)


async def test_tries_are_bounded(line: Line) -> None:
    async with line.endpoint() as endpoint:
        file = await endpoint.stat("in/big.csv")
        line.proxy.set("cut", after=5_000)
        before = line.proxy.connections
        with pytest.raises(RetriableEndpointError, match="connection was lost"):
            await fetch_file(endpoint, file, lambda block: None, tries=3, pause=0.01)
    assert line.proxy.connections - before <= 3


@pytest.mark.parametrize("mode", ["cut", "fin", "freeze", "flip"])
async def test_an_upload_that_breaks_leaves_no_final_name(line: Line, mode: Mode) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield line.data
        line.proxy.set(mode)
        endpoint.timeouts = SHORT  # for the login of whoever would clear up
        for _ in range(40):
            yield line.data

    async with line.endpoint(STALLING if mode == "freeze" else PATIENT) as endpoint:
        with pytest.raises(RetriableEndpointError):
            await publish(endpoint, "out/report.csv", source())
    assert not (line.server.files / "out" / "report.csv").exists()


async def test_after_a_short_break_the_part_is_cleaned_up(line: Line) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield line.data
        line.proxy.set("cut", times=1)
        for _ in range(10):
            yield line.data

    async with line.endpoint() as endpoint:
        with pytest.raises(RetriableEndpointError):
            await publish(endpoint, "out/report.csv", source())
    assert not list((line.server.files / "out").iterdir())


async def test_a_rename_whose_answer_is_lost_counts_as_done(line: Line) -> None:
    async with line.endpoint() as endpoint:
        await endpoint.stat("in/big.csv")
        with pytest.raises(EndpointFileMissing):
            await endpoint.stat("in/moved.csv")
        line.proxy.set("cut", times=1)
        await endpoint._rename_settled("in/big.csv", "in/moved.csv", replace=False)
    assert (line.server.files / "in" / "moved.csv").stat().st_size == SIZE
