"""Many requests on the way at once, answers in order: what makes SFTP as fast as the line."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

BLOCKS_AHEAD = 32
SMALLEST_BLOCK = 32 * 1024
LARGEST_BLOCK = 255 * 1024
PROMPT = 1 / 20

T = TypeVar("T")


class RemoteHandle(Protocol):
    """An open remote file; a read answers with up to ``size`` bytes, none at the end."""

    def read(self, size: int, offset: int) -> Awaitable[bytes]:
        """Ask for up to ``size`` bytes."""

    def write(self, data: bytes, offset: int) -> Awaitable[int]:
        """Write ``data`` and return its length."""


def block_size(server_limit: int) -> int:
    """Return the bytes of one request for a server that takes at most ``server_limit``; 32 kB always works."""
    return max(SMALLEST_BLOCK, min(server_limit, LARGEST_BLOCK))


class Window:
    """Requests under way, oldest first; raises ``TimeoutError`` when none was answered for ``stall`` seconds."""

    def __init__(self, stall: float) -> None:
        self._stall = stall
        self._tasks: deque[asyncio.Task[Any]] = deque()
        self._answered = time.monotonic()

    def __len__(self) -> int:
        return len(self._tasks)

    def send(self, request: Callable[..., Coroutine[Any, Any, Any]], *args: object) -> None:
        """Start one more request."""
        self._tasks.append(asyncio.create_task(self._noted(request, args)))

    async def _noted(self, request: Callable[..., Coroutine[Any, Any, T]], args: tuple[object, ...]) -> T:
        answer = await request(*args)
        self._answered = time.monotonic()
        return answer

    async def oldest(self) -> Any:
        """Return the answer of the oldest request."""
        task = self._tasks[0]
        while not task.done():
            left = self._answered + self._stall - time.monotonic()
            if left <= 0:
                raise TimeoutError("no progress")
            await asyncio.wait({task}, timeout=left)
        return self._tasks.popleft().result()

    def rest(self) -> None:
        """Begin to wait anew, after a pause that was our own."""
        self._answered = time.monotonic()

    async def cancel(self) -> None:
        """Give up everything that is still under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()


async def read_in_order(
    handle: RemoteHandle, start: int, size_hint: int, block: int, stall: float
) -> AsyncIterator[bytes]:
    """Yield everything from ``start`` on; the end is where the server says so, not where ``size_hint`` guesses it.

    Requests begin small and grow up to ``block`` while answers come promptly: on a slow line a large one would take so
    long that the line looked frozen.
    """
    window = Window(stall)
    position, size = start, min(SMALLEST_BLOCK, block)
    asked: deque[int] = deque()
    try:
        while True:
            while len(window) < BLOCKS_AHEAD and (position < size_hint or not len(window)):
                window.send(_read_block, handle, position, size)
                asked.append(size)
                position += size
            waited_since = time.monotonic()
            data = await window.oldest()
            prompt = time.monotonic() - waited_since < stall * PROMPT
            size = min(size * 2, block) if prompt else max(size // 2, min(SMALLEST_BLOCK, block))
            if data:
                yield data
                window.rest()
            if len(data) < asked.popleft():
                return
    finally:
        await window.cancel()


async def _read_block(handle: RemoteHandle, offset: int, size: int) -> bytes:
    data = await handle.read(size, offset)
    while data and len(data) < size:
        more = await handle.read(size - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


async def write_in_order(handle: RemoteHandle, blocks: AsyncIterator[bytes], block: int, stall: float) -> int:
    """Write ``blocks`` one after the other from offset 0 and return the number of bytes."""
    window = Window(stall)
    position = 0
    try:
        async for data in blocks:
            window.rest()
            for start in range(0, len(data), block):
                if len(window) >= BLOCKS_AHEAD:
                    await window.oldest()
                piece = data[start : start + block]
                window.send(_write_block, handle, piece, position)
                position += len(piece)
        while len(window):
            await window.oldest()
    finally:
        await window.cancel()
    return position


async def _write_block(handle: RemoteHandle, data: bytes, offset: int) -> int:
    return await handle.write(data, offset)
