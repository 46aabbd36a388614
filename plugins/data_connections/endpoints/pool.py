"""Many waiting connections on few hosts: one login per account, one listing per folder and look, patience when down."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from data_connections.endpoints.contract import Credentials, Endpoint, RemoteFile
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.errors import FatalEndpointError, RetriableEndpointError


@dataclass(frozen=True)
class Account:
    """Who logs in where.

    Attributes:
        host: Name or address.
        port: TCP port.
        credentials: The login; other credentials are another account.
        make: Makes the endpoint, SFTP by default; see ``opening.maker_of``.
    """

    host: str
    port: int
    credentials: Credentials
    make: Callable[[str, int, Credentials], Endpoint] = SftpEndpoint


@dataclass(frozen=True)
class PoolLimits:
    """How much the pool asks of a host, and how patient it is.

    Attributes:
        logins_at_once: Logins that may be under way at one host at the same time; OpenSSH refuses more than 10.
        listings_at_once: Listings under way on one login.
        idle: Seconds after which an unused login is left and an unused listing forgotten.
        first_pause: Seconds that a host is left alone after a failure, doubled each time, with jitter.
        longest_pause: The most that it is left alone.
        refusal_pause: Seconds that an account is left alone after its login was refused, so that it is not locked.
    """

    logins_at_once: int = 4
    listings_at_once: int = 4
    idle: float = 300.0
    first_pause: float = 5.0
    longest_pause: float = 600.0
    refusal_pause: float = 300.0


@dataclass(frozen=True)
class Listing:
    """The files of one folder.

    Attributes:
        files: As ``Endpoint.list`` gives them.
        begun: When the server was asked, in seconds of the event loop's clock.
    """

    files: tuple[RemoteFile, ...]
    begun: float


@dataclass
class _Pause:
    """Until when something is left alone, and the error that is told until then."""

    until: float = 0.0
    problem: Exception | None = None
    failures: int = 0

    def check(self, now: float) -> None:
        if self.problem is not None and now < self.until:
            kind = FatalEndpointError if isinstance(self.problem, FatalEndpointError) else RetriableEndpointError
            raise kind(f"{self.problem} (Seen lately; tried again in {self.until - now:.0f} s.)")

    def begin(self, problem: Exception, until: float) -> None:
        self.problem, self.until, self.failures = problem, until, self.failures + 1

    def end(self) -> None:
        self.problem, self.failures = None, 0


class _Host:
    def __init__(self, limits: PoolLimits) -> None:
        self.pause = _Pause()
        self.logging_in = asyncio.Semaphore(limits.logins_at_once)


@dataclass
class _Folder:
    used: float
    listing: Listing | None = None
    asking: asyncio.Task[Listing] | None = None


@dataclass
class _Login:
    endpoint: Endpoint
    host: _Host
    listing: asyncio.Semaphore
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    refused: _Pause = field(default_factory=_Pause)
    folders: dict[str, _Folder] = field(default_factory=dict)
    greeted: bool = False


class EndpointPool:
    """Shares logins and listings among everything that waits in one event loop.

    Args:
        limits: How much it asks of a host.
        clock: Seconds by which it is patient; by default the event loop's.
    """

    def __init__(self, limits: PoolLimits | None = None, clock: Callable[[], float] | None = None) -> None:
        self.limits = limits or PoolLimits()
        self.now = clock or _now
        self._hosts: dict[tuple[str, int], _Host] = {}
        self._logins: dict[Account, _Login] = {}
        self._sweeping: asyncio.Task[None] | None = None

    def watch(self, account: Account, folder: str, every: float) -> FolderWatch:
        """Return the view of one waiting connection on a folder that it looks at every ``every`` seconds."""
        return FolderWatch(self, account, folder, every)

    async def listing(self, account: Account, folder: str, newer_than: float) -> Listing:
        """Return a listing that was begun after ``newer_than``, shared where there is one or one is under way.

        Raises:
            RetriableEndpointError: The host does not answer, or is left alone for a while because it did not.
            FatalEndpointError: The login was refused, now or lately, or there is no such folder.
        """
        login = self._login(account)
        shared = login.folders.setdefault(folder, _Folder(self.now()))
        shared.used = self.now()
        if shared.listing is not None and shared.listing.begun > newer_than:
            return shared.listing
        if shared.asking is None or shared.asking.done():
            login.refused.check(self.now())
            login.host.pause.check(self.now())
            shared.asking = asyncio.create_task(self._ask(login, folder))
            shared.asking.add_done_callback(_retrieve)
        shared.listing = await asyncio.shield(shared.asking)
        return shared.listing

    async def read(self, account: Account, path: str, most: int) -> bytes:
        """Return the bytes of a small file, ``most`` of them at most.

        Raises:
            RetriableEndpointError: The host does not answer.
            EndpointFileMissing: It is gone.
        """
        login = self._login(account)
        await self._connect(login)
        content = b""
        async with login.listing, aclosing(login.endpoint.read(path)) as blocks:  # type: ignore[type-var]
            async for block in blocks:
                content += block
                if len(content) >= most:
                    break
        return content[:most]

    def _login(self, account: Account) -> _Login:
        login = self._logins.get(account)
        if login is None:
            host = self._hosts.setdefault((account.host, account.port), _Host(self.limits))
            endpoint = account.make(account.host, account.port, account.credentials)
            login = _Login(endpoint, host, asyncio.Semaphore(self.limits.listings_at_once))
            self._logins[account] = login
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.create_task(self._sweep())
        return login

    async def _ask(self, login: _Login, folder: str) -> Listing:
        rested, login.greeted = login.greeted, False
        try:
            try:
                return await self._list(login, folder)
            except RetriableEndpointError:
                # A connection may be dropped while it rests between two looks; that alone is no trouble.
                if not rested:
                    raise
                return await self._list(login, folder)
        except RetriableEndpointError as problem:
            self._leave_alone(login.host.pause, problem)
            raise

    async def _list(self, login: _Login, folder: str) -> Listing:
        async with login.listing:
            login.host.pause.check(self.now())
            await self._connect(login)
            begun = self.now()
            listing = Listing(tuple(await login.endpoint.list(folder)), begun)
        login.greeted = True
        login.host.pause.end()
        return listing

    async def _connect(self, login: _Login) -> None:
        async with login.connecting, login.host.logging_in:
            login.host.pause.check(self.now())
            login.refused.check(self.now())
            try:
                await login.endpoint.connect()
            except FatalEndpointError as problem:
                login.refused.begin(problem, self.now() + self.limits.refusal_pause)
                raise

    def _leave_alone(self, pause: _Pause, problem: Exception) -> None:
        if self.now() < pause.until:
            return
        longest = min(self.limits.longest_pause, self.limits.first_pause * 2.0**pause.failures)
        jittered = longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
        pause.begin(problem, self.now() + jittered)

    async def _sweep(self) -> None:
        while self._logins:
            await asyncio.sleep(self.limits.idle / 2)
            oldest = self.now() - self.limits.idle
            for account, login in list(self._logins.items()):
                for name, folder in list(login.folders.items()):
                    if folder.used < oldest and (folder.asking is None or folder.asking.done()):
                        del login.folders[name]
                if not login.folders:
                    del self._logins[account]
                    await login.endpoint.close()

    async def close(self) -> None:
        """Leave every login."""
        logins, self._logins = list(self._logins.values()), {}
        if self._sweeping is not None:
            self._sweeping.cancel()
        await asyncio.gather(*(login.endpoint.close() for login in logins))


class FolderWatch:
    """What one waiting connection sees of a folder: each look gives a later listing than the one before."""

    def __init__(self, pool: EndpointPool, account: Account, folder: str, every: float) -> None:
        self._pool = pool
        self._account = account
        self._folder = folder
        self._gap = every / 2
        self._seen: Listing | None = None

    async def look(self) -> list[RemoteFile]:
        """Return the folder's files, begun at least half of ``every`` seconds after those of the last look.

        The first listing may be that old; errors as in ``EndpointPool.listing``.
        """
        if self._seen is not None:
            newer_than = self._seen.begun + self._gap
            await asyncio.sleep(max(0.0, newer_than - self._pool.now()))
        else:
            newer_than = self._pool.now() - self._gap
        self._seen = await self._pool.listing(self._account, self._folder, newer_than)
        return list(self._seen.files)

    async def read(self, path: str, most: int) -> bytes:
        """Return a small file of the folder; errors as in ``EndpointPool.read``."""
        return await self._pool.read(self._account, path, most)

    async def rest(self, seconds: float) -> None:
        """Wait until the next look is due."""
        await asyncio.sleep(seconds)


def _retrieve(task: asyncio.Task[Listing]) -> None:
    """Take note of an error that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


def _now() -> float:
    return asyncio.get_running_loop().time()


_POOLS: WeakKeyDictionary[asyncio.AbstractEventLoop, EndpointPool] = WeakKeyDictionary()


def shared_pool() -> EndpointPool:
    """Return the pool of the running event loop, the same for every trigger in it."""
    return _POOLS.setdefault(asyncio.get_running_loop(), EndpointPool())
