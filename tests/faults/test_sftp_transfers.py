"""What goes wrong between an SFTP server and us, and that no part of a file is ever taken for the whole."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import asyncssh
import pytest

from data_connections.endpoints.blocking import open_endpoint
from data_connections.endpoints.contract import Credentials, RemoteFile, Timeouts
from data_connections.endpoints.fetch import FetchedFile, fetch_file
from data_connections.endpoints.host_keys import HostKey, fetch_host_keys
from data_connections.endpoints.publish import publish
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.errors import (
    EndpointError,
    EndpointFileMissing,
    FatalEndpointError,
    FileChanged,
    RetriableEndpointError,
)
from fixtures.fault_proxy import FaultProxy, Mode
from fixtures.servers import OpenSsh
from local_stack.partner_sftp import PartnerServer, prepare_partner

SIZE = 6_000_000
SHORT = Timeouts(connect=2, login=3, operation=2, stall=2, close=0.5)
FOR_EVER = Timeouts(connect=600, login=600, operation=600, stall=600, close=1)
PATIENT = Timeouts(connect=5, login=10, operation=10, stall=10, close=1)
# A frozen read, its polite close, and one more try to look at the file; far below the 40 s and more seen elsewhere.
IN_TIME = 20


class Line:
    """A partner with one file, and a proxy in front of it."""

    def __init__(self, server: PartnerServer, proxy: FaultProxy) -> None:
        self.server = server
        self.proxy = proxy
        self.data = os.urandom(SIZE)
        self.path = server.files / "in" / "big.csv"
        self.path.write_bytes(self.data)

    def endpoint(self, timeouts: Timeouts = PATIENT, **changed: object) -> SftpEndpoint:
        login = self.server.login
        known = {"login": login.login, "password": login.password, "host_keys": (login.host_key,), **changed}
        return SftpEndpoint("127.0.0.1", self.proxy.port, Credentials(**known), timeouts)  # type: ignore[arg-type]

    async def fetch(
        self, timeouts: Timeouts = PATIENT, tries: int = 4, sink: Callable[[bytes], object] | None = None
    ) -> FetchedFile:
        async with self.endpoint(timeouts) as endpoint:
            file = await endpoint.stat("in/big.csv")
            return await fetch_file(endpoint, file, sink or (lambda block: None), tries=tries, pause=0.01)


@pytest.fixture
def line(sftp_partner: PartnerServer, fault_proxy: Callable[[int], FaultProxy]) -> Line:
    return Line(sftp_partner, fault_proxy(sftp_partner.port))


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
    async with SftpEndpoint("127.0.0.1", proxy.port, credentials, SHORT) as endpoint:
        file = await endpoint.stat("big.csv")
        proxy.set(mode, after=20_000 + part * SIZE // 10, times=1)
        await fetch_file(endpoint, file, taken.append, pause=0.01)
    assert b"".join(taken) == data


async def test_a_server_that_takes_no_more_logins_may_be_tried_again() -> None:
    async def exceeded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Exceeded MaxStartups\r\n")
        writer.close()

    key = HostKey.of(asyncssh.generate_private_key("ssh-ed25519")).public
    async with await asyncio.start_server(exceeded, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(RetriableEndpointError, match="MaxStartups"):
            await SftpEndpoint("127.0.0.1", port, Credentials("a", "b", host_keys=(key,)), SHORT).connect()


async def test_a_frozen_transfer_goes_on_over_a_new_connection(line: Line) -> None:
    line.proxy.set("freeze", after=SIZE // 2, times=1)
    fetched = await line.fetch(SHORT)
    assert fetched.sha256 == hashlib.sha256(line.data).hexdigest()


async def test_a_server_that_stays_frozen_ends_in_time(line: Line) -> None:
    endpoint = line.endpoint(SHORT)
    await endpoint.connect()
    file = await endpoint.stat("in/big.csv")
    line.proxy.set("freeze")
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
    try:
        with open_endpoint(lambda: line.endpoint(FOR_EVER)) as endpoint:
            file = endpoint.stat("in/big.csv")
            alarm.start()
            with pytest.raises(_TimeIsUp):
                endpoint.fetch(file, lambda block: None)
    finally:
        alarm.cancel()
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("mode", ["freeze", "blackhole"])
async def test_a_server_that_never_says_a_word_ends_in_time(line: Line, mode: Mode) -> None:
    line.proxy.set(mode)
    async with asyncio.timeout(IN_TIME):
        with pytest.raises(RetriableEndpointError, match=f"127.0.0.1:{line.proxy.port}.*no answer in time"):
            await line.endpoint(SHORT).connect()


async def test_leaving_a_frozen_server_ends_in_time(line: Line) -> None:
    endpoint = line.endpoint(SHORT)
    await endpoint.connect()
    line.proxy.set("freeze")
    async with asyncio.timeout(IN_TIME):
        await endpoint.close()


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
    endpoint = line.endpoint(SHORT)
    await endpoint.connect()
    line.proxy.set("freeze")
    async with asyncio.timeout(IN_TIME):
        with pytest.raises(RetriableEndpointError, match="no answer in time"):
            await ask(endpoint)  # type: ignore[misc]
        await endpoint.close()


async def test_a_slow_line_is_not_a_frozen_one(line: Line) -> None:
    line.path.write_bytes(line.data[:400_000])
    line.proxy.set("slow", after=20_000)
    fetched = await line.fetch(Timeouts(connect=5, login=10, operation=10, stall=5, close=1))
    assert (fetched.size, fetched.resumed) == (400_000, 0)


async def test_tries_are_bounded(line: Line) -> None:
    async with line.endpoint() as endpoint:
        file = await endpoint.stat("in/big.csv")
        line.proxy.set("cut", after=5_000)
        before = line.proxy.connections
        with pytest.raises(RetriableEndpointError, match="connection was lost"):
            await fetch_file(endpoint, file, lambda block: None, tries=3, pause=0.01)
    assert line.proxy.connections - before <= 3


async def test_a_server_that_is_down_can_be_tried_again(line: Line) -> None:
    line.server.stop()
    with pytest.raises(RetriableEndpointError, match="connection"):
        await line.endpoint().connect()
    line.server.start()
    assert (await line.fetch()).size == SIZE


async def test_a_restarted_server_is_met_again_by_the_same_endpoint(line: Line) -> None:
    async with line.endpoint() as endpoint:
        await endpoint.stat("in/big.csv")
        line.server.stop()
        line.server.start()
        found = 0
        for _ in range(2):
            try:
                found = (await endpoint.stat("in/big.csv")).size
            except RetriableEndpointError:
                continue
        assert found == SIZE


async def test_a_wrong_password_is_final(line: Line) -> None:
    with pytest.raises(FatalEndpointError, match="refused the login 'partner'") as caught:
        await line.endpoint(password="not-the-password").connect()
    assert "not-the-password" not in str(caught.value)
    assert line.proxy.connections == 1


async def test_a_changed_host_key_is_final_and_shows_both_fingerprints(line: Line) -> None:
    other = HostKey.of(asyncssh.generate_private_key("ecdsa-sha2-nistp256"))
    real = HostKey.of(asyncssh.import_public_key(line.server.login.host_key))
    with pytest.raises(FatalEndpointError, match="not the pinned one") as caught:
        await line.endpoint(host_keys=(other.public,)).connect()
    assert other.fingerprint in str(caught.value)
    assert real.fingerprint in str(caught.value)
    assert line.proxy.connections == 1


async def test_two_host_keys_are_valid_while_a_partner_rotates(line: Line) -> None:
    other = HostKey.of(asyncssh.generate_private_key("ssh-ed25519")).public
    async with line.endpoint(host_keys=(other, line.server.login.host_key)) as endpoint:
        assert await endpoint.list("in")


async def test_without_a_pinned_host_key_nothing_is_connected(line: Line) -> None:
    with pytest.raises(FatalEndpointError, match="no host key is pinned"):
        await line.endpoint(host_keys=()).connect()
    assert line.proxy.connections == 0


async def test_the_host_key_can_be_fetched_for_approval(line: Line) -> None:
    (key,) = await fetch_host_keys("127.0.0.1", line.proxy.port, PATIENT)
    assert key.public == line.server.login.host_key
    assert key.fingerprint.startswith("SHA256:")


async def test_fetching_the_host_key_of_a_silent_server_ends_in_time(line: Line) -> None:
    line.proxy.set("blackhole")
    async with asyncio.timeout(IN_TIME):
        with pytest.raises(RetriableEndpointError, match="no answer in time"):
            await fetch_host_keys("127.0.0.1", line.proxy.port, SHORT)


async def test_an_encrypted_key_needs_its_passphrase(line: Line) -> None:
    key = asyncssh.import_private_key(line.server.login.private_key)
    text = key.export_private_key(passphrase="open sesame").decode()
    async with line.endpoint(password=None, private_key=text, passphrase="open sesame") as endpoint:
        assert await endpoint.list("in")
    for wrong in (None, "open"):
        with pytest.raises(FatalEndpointError, match="passphrase is missing or wrong") as caught:
            await line.endpoint(password=None, private_key=text, passphrase=wrong).connect()
        assert "PRIVATE KEY" not in str(caught.value)


class _ExpiredServer(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        raise asyncssh.PasswordChangeRequired("Your password has expired")


async def test_an_expired_password_is_final_and_said_so(tmp_path: Path) -> None:
    login = prepare_partner(tmp_path)
    keys = [str(tmp_path / "host_key")]
    async with await asyncssh.listen("127.0.0.1", 0, server_host_keys=keys, server_factory=_ExpiredServer) as server:
        endpoint = SftpEndpoint(
            "127.0.0.1", server.get_port(), Credentials("partner", "old", host_keys=(login.host_key,)), PATIENT
        )
        with pytest.raises(FatalEndpointError, match="has expired"):
            await endpoint.connect()


def _grow(line: Line) -> None:
    with line.path.open("ab") as stream:
        stream.write(b"more")


def _truncate(line: Line) -> None:
    os.truncate(line.path, SIZE // 2)


def _replace(line: Line) -> None:
    new = line.path.with_suffix(".new")
    new.write_bytes(os.urandom(SIZE))
    os.utime(new, (1, 1))
    new.rename(line.path)


def _touch(line: Line) -> None:
    os.utime(line.path, (1, 1))


@pytest.mark.parametrize("change", [_grow, _truncate, _replace, _touch])
async def test_a_file_that_changes_while_it_is_read_is_not_taken(line: Line, change: Callable[[Line], None]) -> None:
    blocks = 0

    def sink(block: bytes) -> None:
        nonlocal blocks
        blocks += 1
        if blocks == 5:
            change(line)

    with pytest.raises(FileChanged, match=r"big\.csv"):
        await line.fetch(sink=sink)


async def test_a_file_that_vanishes_while_it_is_read_is_missing(line: Line) -> None:
    with pytest.raises(EndpointFileMissing, match=r"big\.csv"):
        await line.fetch(sink=lambda block: line.path.unlink(missing_ok=True))


async def test_a_file_replaced_during_a_cut_is_not_stitched_together(line: Line) -> None:
    state = line.path.stat()
    line.proxy.set("slow", after=SIZE // 4)
    taken = bytearray()

    def sink(block: bytes) -> None:
        taken.extend(block)
        if line.proxy.fault.mode == "slow":
            line.path.write_bytes(bytes(SIZE))
            os.utime(line.path, ns=(state.st_atime_ns, state.st_mtime_ns))
            line.proxy.set("cut", times=1)

    # Where all of it was on its way before the first block was taken, the old file is read whole, which is as good.
    with suppress(FileChanged):
        await line.fetch(sink=sink)
        assert bytes(taken) == line.data
    assert not any(line.path.read_bytes())


async def test_a_listing_that_lies_about_the_size_is_found_out(line: Line) -> None:
    async with line.endpoint() as endpoint:
        real = await endpoint.stat("in/big.csv")
        for size in (0, SIZE - 1, SIZE + 1):
            with pytest.raises(FileChanged):
                await fetch_file(endpoint, RemoteFile(real.path, real.name, size, real.mtime), lambda block: None)


@pytest.mark.parametrize("mode", ["cut", "fin", "freeze", "flip"])
async def test_an_upload_that_breaks_leaves_no_final_name(line: Line, mode: Mode) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield line.data
        line.proxy.set(mode)
        for _ in range(40):
            yield line.data

    async with line.endpoint(SHORT) as endpoint:
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


async def test_errors_tell_the_place_and_keep_secrets(line: Line) -> None:
    secret = line.server.login.password
    line.server.stop()
    with pytest.raises(EndpointError) as caught:
        await line.endpoint().connect()
    assert f"127.0.0.1:{line.proxy.port}" in str(caught.value)
    assert secret not in str(caught.value)
    assert secret not in repr(line.endpoint().credentials)
