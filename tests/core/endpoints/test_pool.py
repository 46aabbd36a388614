"""Many waiting connections share logins and listings, and leave a host alone that is down."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from data_connections.endpoints.contract import Credentials, Endpoint, Timeouts
from data_connections.endpoints.ftp import FtpsEndpoint
from data_connections.endpoints.host_threads import THREADS
from data_connections.endpoints.pool import Account, EndpointPool, PoolLimits, shared_pool
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.errors import FatalEndpointError, RetriableEndpointError
from fixtures.fault_proxy import FaultProxy
from fixtures.ftp_servers import FtpServer
from fixtures.hosting import until
from local_stack.partner_sftp import PartnerServer

from .conftest import QUICK, served_by_ftp


def impatient(host: str, port: int, credentials: Credentials) -> Endpoint:
    """For a host that is silent."""
    return SftpEndpoint(host, port, credentials, Timeouts(connect=1, login=2, operation=2, stall=2, close=1))


def impatient_ftps(host: str, port: int, credentials: Credentials) -> Endpoint:
    return FtpsEndpoint(host, port, credentials, Timeouts(connect=2, login=2, operation=10, stall=2, close=1))


def patient(host: str, port: int, credentials: Credentials) -> Endpoint:
    return SftpEndpoint(host, port, credentials, QUICK)


def patient_ftps(host: str, port: int, credentials: Credentials) -> Endpoint:
    return FtpsEndpoint(host, port, credentials, QUICK)


@dataclass
class Clock:
    """Seconds that a test turns on by hand."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def proxy(sftp_partner: PartnerServer, fault_proxy: Callable[[int], FaultProxy]) -> FaultProxy:
    (sftp_partner.files / "in" / "a.csv").write_bytes(b"abc")
    return fault_proxy(sftp_partner.port)


@pytest.fixture
def account(sftp_partner: PartnerServer, proxy: FaultProxy) -> Account:
    login = sftp_partner.login
    credentials = Credentials(login.login, password=login.password, host_keys=(login.host_key,))
    return Account("127.0.0.1", proxy.port, credentials, patient)


async def test_many_watchers_of_one_host_cost_one_login(account: Account, proxy: FaultProxy) -> None:
    pool = EndpointPool()
    watches = [pool.watch(account, folder, every=0.2) for folder in ("in", "out", "results") for _ in range(20)]
    for _ in range(2):
        listings = await asyncio.gather(*(watch.look() for watch in watches))
    assert [file.name for file in listings[0]] == ["a.csv"]
    assert proxy.connections == 1
    await pool.close()


class _Counting(SftpEndpoint):
    def __init__(self, host: str, port: int, credentials: Credentials) -> None:
        super().__init__(host, port, credentials)
        self.listed: list[str] = []
        made.append(self)

    async def list(self, folder: str):
        self.listed.append(folder)
        return await super().list(folder)


made: list[_Counting] = []


async def test_watchers_of_one_folder_share_its_listing(account: Account) -> None:
    made.clear()
    clock = Clock()
    pool = EndpointPool(clock=clock)
    watches = [pool.watch(replace(account, make=_Counting), "in", every=1) for _ in range(20)]
    for looks in (1, 2, 3):
        clock.seconds += 1
        await asyncio.gather(*(watch.look() for watch in watches))
        assert made[0].listed == ["in"] * looks
    assert len(made) == 1
    await pool.close()


async def test_no_watcher_is_told_the_same_listing_twice(sftp_partner: PartnerServer, account: Account) -> None:
    clock = Clock()
    pool = EndpointPool(clock=clock)
    first, second = (pool.watch(account, "in", every=0.5) for _ in range(2))
    assert [file.size for file in await first.look()] == [3]
    (sftp_partner.files / "in" / "a.csv").write_bytes(b"abcdef")
    assert [file.size for file in await second.look()] == [3]
    clock.seconds += 0.5
    assert [file.size for file in await first.look()] == [6]
    assert [file.size for file in await second.look()] == [6]
    await pool.close()


async def test_a_host_that_is_down_is_left_alone_for_a_while(
    sftp_partner: PartnerServer, account: Account, proxy: FaultProxy
) -> None:
    pool = EndpointPool(PoolLimits(first_pause=60))
    proxy.set("cut")
    watches = [pool.watch(account, "in", every=0.01) for _ in range(10)]
    outcomes = await asyncio.gather(*(watch.look() for watch in watches), return_exceptions=True)
    assert all(isinstance(outcome, RetriableEndpointError) for outcome in outcomes)
    tried = proxy.connections
    assert tried == 1
    for watch in watches:
        with pytest.raises(RetriableEndpointError, match="Seen lately"):
            await watch.look()
    assert proxy.connections == tried
    await pool.close()


async def test_a_host_that_was_down_is_asked_again_after_a_while(
    sftp_partner: PartnerServer, account: Account, proxy: FaultProxy
) -> None:
    clock = Clock()
    pool = EndpointPool(PoolLimits(first_pause=20), clock)
    watch = pool.watch(account, "in", every=0.01)
    proxy.set("cut")
    with pytest.raises(RetriableEndpointError):
        await watch.look()
    proxy.set("pass")
    with pytest.raises(RetriableEndpointError, match="Seen lately"):
        await watch.look()
    clock.seconds += 20
    assert len(await watch.look()) == 1
    await pool.close()


async def attempts(account: Account, proxy: FaultProxy, seconds: int) -> list[int]:
    """Returns in which seconds a pool tried a host that is down and that one connection looks at every second."""
    clock = Clock()
    pool = EndpointPool(PoolLimits(first_pause=8, longest_pause=100), clock)
    tried = []
    for second in range(seconds):
        clock.seconds, before = float(second), proxy.connections
        with pytest.raises(RetriableEndpointError):
            await pool.listing(account, "in", newer_than=second - 0.5)
        if proxy.connections > before:
            tried.append(second)
    await pool.close()
    return tried


async def test_pauses_double_up_to_the_longest_and_no_two_hosts_keep_step(account: Account, proxy: FaultProxy) -> None:
    proxy.set("cut")
    courses = [await attempts(account, proxy, 600) for _ in range(3)]
    for tried in courses:
        pauses = [later - earlier for earlier, later in pairwise(tried)]
        for number, pause in enumerate(pauses):
            longest = min(100, 8 * 2**number)
            assert longest / 2 <= pause <= longest + 1
    assert len({tuple(tried) for tried in courses}) > 1


async def test_a_frozen_ftp_host_holds_few_threads_and_takes_nobody_elses_turn(
    pyftpdlib_server: FtpServer, fault_proxy: Callable[[int], FaultProxy]
) -> None:
    frozen = fault_proxy(pyftpdlib_server.port)
    frozen.set("blackhole")
    others = set(threading.enumerate())  # pools of other tests may not be closed yet
    pool = EndpointPool()
    good = served_by_ftp(pyftpdlib_server).credentials

    def account(port: int, number: int) -> Account:
        make = impatient_ftps if port == frozen.port else patient_ftps
        return Account("127.0.0.1", port, replace(good, passphrase=str(number)), make)

    stuck = [asyncio.create_task(pool.watch(account(frozen.port, number), "", every=60).look()) for number in range(50)]
    await until(lambda: frozen.connections > 0)
    async with asyncio.timeout(60):
        await pool.watch(account(pyftpdlib_server.port, 0), "", every=60).look()
        held = [each for each in threading.enumerate() if each.name.startswith("host-127.0.0.1") and each not in others]
        outcomes = await asyncio.gather(*stuck, return_exceptions=True)
    assert len(held) <= 2 * THREADS
    assert all(isinstance(outcome, RetriableEndpointError) for outcome in outcomes)
    assert frozen.connections <= PoolLimits().logins_at_once
    await pool.close()


async def test_a_refused_login_is_not_tried_for_every_connection(account: Account, proxy: FaultProxy) -> None:
    pool = EndpointPool()
    wrong = replace(account, credentials=replace(account.credentials, password="wrong"))
    watches = [pool.watch(wrong, folder, every=0.01) for folder in ("in", "out", "results") for _ in range(10)]
    for _ in range(2):
        outcomes = await asyncio.gather(*(watch.look() for watch in watches), return_exceptions=True)
        assert all(isinstance(outcome, FatalEndpointError) for outcome in outcomes)
    assert proxy.connections == 1
    assert len(await pool.watch(account, "in", every=60).look()) == 1
    await pool.close()


async def test_a_missing_folder_troubles_only_its_own_connection(account: Account, proxy: FaultProxy) -> None:
    pool = EndpointPool()
    with pytest.raises(FatalEndpointError, match="no folder 'nowhere'"):
        await pool.watch(account, "nowhere", every=60).look()
    assert len(await pool.watch(account, "in", every=60).look()) == 1
    assert proxy.connections == 1
    await pool.close()


async def test_a_connection_dropped_between_two_looks_is_no_trouble(
    sftp_partner: PartnerServer, account: Account
) -> None:
    pool = EndpointPool()
    watch = pool.watch(account, "in", every=0.1)
    await watch.look()
    sftp_partner.stop()
    sftp_partner.start()
    assert len(await watch.look()) == 1
    await pool.close()


async def test_a_frozen_host_ends_in_time_and_leaves_others_alone(
    sftp_partner: PartnerServer, account: Account, proxy: FaultProxy, fault_proxy: Callable[[int], FaultProxy]
) -> None:
    pool = EndpointPool()
    frozen = fault_proxy(sftp_partner.port)
    frozen.set("blackhole")
    stuck = [
        asyncio.create_task(pool.watch(replace(account, port=frozen.port, make=impatient), "in", every=60).look())
        for _ in range(50)
    ]
    async with asyncio.timeout(30):
        assert len(await pool.watch(account, "in", every=60).look()) == 1
        outcomes = await asyncio.gather(*stuck, return_exceptions=True)
    assert all(isinstance(outcome, RetriableEndpointError) for outcome in outcomes)
    await pool.close()


async def test_one_that_stops_waiting_does_not_stop_the_others(account: Account) -> None:
    pool = EndpointPool()
    one, other = (asyncio.create_task(pool.watch(account, "in", every=60).look()) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    assert len(await other) == 1
    await pool.close()


async def test_logins_that_nobody_uses_are_left(sftp_partner: PartnerServer, account: Account) -> None:
    made.clear()
    clock = Clock()
    pool = EndpointPool(PoolLimits(idle=0.2), clock)
    await pool.watch(replace(account, make=_Counting), "in", every=60).look()
    assert made[0]._session is not None
    clock.seconds += 1
    async with asyncio.timeout(60):
        while made[0]._session is not None:  # noqa: ASYNC110 - it is left in its own time
            await asyncio.sleep(0.05)
    assert not pool._logins
    assert len(await pool.watch(account, "in", every=60).look()) == 1
    await pool.close()


async def test_there_is_one_pool_per_event_loop() -> None:
    assert shared_pool() is shared_pool()
    other = await asyncio.to_thread(lambda: asyncio.run(_own_pool()))
    assert other is not shared_pool()


async def _own_pool() -> EndpointPool:
    return shared_pool()
