"""The word that a file has arrived at the gateway, from there to whoever waits for it, through PostgreSQL's NOTIFY."""

from __future__ import annotations

import asyncio
import contextlib
from weakref import WeakKeyDictionary

import psycopg

from data_connections.ledger.database import Ledger

CHANNEL = "connections_arrival"
NOTIFY = f"select pg_notify('{CHANNEL}', %s)"
"""Query that tells of an arrival; its parameter is the connection's id as text."""

TRY_AGAIN = 5.0


class ArrivalNotices:
    """Everybody in one event loop who waits for arrivals, on one connection to the ledger.

    It is only a hint: whoever waits looks by itself now and then too, so a notice that is lost costs time alone.

    Args:
        ledger: The ledger.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._url = ledger.url
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._listening: asyncio.Task[None] | None = None

    async def wait(self, connection_id: int, patience: float) -> bool:
        """Wait at most ``patience`` seconds for an arrival of one connection; returns whether there was one."""
        event = asyncio.Event()
        waiting = self._waiting.setdefault(str(connection_id), set())
        waiting.add(event)
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        try:
            async with asyncio.timeout(patience):
                await event.wait()
        except TimeoutError:
            return False
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop(str(connection_id), None)
        return True

    async def _listen(self) -> None:
        while self._waiting:
            with contextlib.suppress(psycopg.Error):
                await self._hear()
            await asyncio.sleep(TRY_AGAIN)

    async def _hear(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=10, application_name="connections", keepalives_idle=30
        )
        async with connection:
            await connection.execute(f"listen {CHANNEL}".encode())
            while self._waiting:
                async for notice in connection.notifies(timeout=60):
                    for event in self._waiting.get(notice.payload, ()):
                        event.set()


_NOTICES: WeakKeyDictionary[asyncio.AbstractEventLoop, ArrivalNotices] = WeakKeyDictionary()


def shared_notices(ledger: Ledger) -> ArrivalNotices:
    """Return the notices of the running event loop, the same for every trigger in it."""
    return _NOTICES.setdefault(asyncio.get_running_loop(), ArrivalNotices(ledger))
