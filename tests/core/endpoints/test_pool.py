"""Many waiting connections share logins and listings, and leave a host alone that is down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from data_connections.endpoints.contract import Credentials, Endpoint, Timeouts
from data_connections.endpoints.pool import Account, EndpointPool, PoolLimits, shared_pool
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.errors import FatalEndpointError, RetriableEndpointError
from fixtures.fault_proxy import FaultProxy
from local_stack.partner_sftp import PartnerServer


def impatient(host: str, port: int, credentials: Credentials) -> Endpoint:
    return SftpEndpoint(host, port, credentials, Timeouts(connect=1, login=2, operation=2, stall=2, close=1))


@pytest.fixture
def proxy(sftp_partner: PartnerServer, fault_proxy: Callable[[int], FaultProxy]) -> FaultProxy:
    (sftp_partner.files / "in" / "a.csv").write_bytes(b"abc")
    return fault_proxy(sftp_partner.port)


@pytest.fixture
def account(sftp_partner: PartnerServer, proxy: FaultProxy) -> Account:
    login = sftp_partner.login
    credentials = Credentials(login.login, password=login.password, host_keys=(login.host_key,))
    return Account("127.0.0.1", proxy.port, credentials, impatient)


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
    pool = EndpointPool()
    watches = [pool.watch(replace(account, make=_Counting), "in", every=1) for _ in range(20)]
    for looks in (1, 2, 3):
        await asyncio.gather(*(watch.look() for watch in watches))
        assert made[0].listed == ["in"] * looks
    assert len(made) == 1
    await pool.close()


async def test_no_watcher_is_told_the_same_listing_twice(sftp_partner: PartnerServer, account: Account) -> None:
    pool = EndpointPool()
    first, second = (pool.watch(account, "in", every=0.5) for _ in range(2))
    assert [file.size for file in await first.look()] == [3]
    (sftp_partner.files / "in" / "a.csv").write_bytes(b"abcdef")
    assert [file.size for file in await second.look()] == [3]
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
    pool = EndpointPool(PoolLimits(first_pause=0.2))
    watch = pool.watch(account, "in", every=0.01)
    proxy.set("cut")
    with pytest.raises(RetriableEndpointError):
        await watch.look()
    proxy.set("pass")
    await asyncio.sleep(0.3)
    assert len(await watch.look()) == 1
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
        asyncio.create_task(pool.watch(replace(account, port=frozen.port), "in", every=60).look()) for _ in range(50)
    ]
    async with asyncio.timeout(15):
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
    pool = EndpointPool(PoolLimits(idle=0.2))
    await pool.watch(replace(account, make=_Counting), "in", every=60).look()
    assert made[0]._session is not None
    async with asyncio.timeout(10):
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
