"""Bytes on their way to where they are kept: written and hashed in a thread while the next ones arrive."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

OVERLAP = 16 * 1024
AT_ONCE = 1024 * 1024
"""Bytes that are handed to the thread together; a file with fewer needs none."""


class Taken:
    """What was read so far; its last bytes are kept to see after a cut that it is still the same file.

    Args:
        sink: Takes the blocks in order, each call after the one before has ended; mostly in a thread of its own.
    """

    def __init__(self, sink: Callable[[bytes], object]) -> None:
        self.size = 0
        self.tail = b""
        self._sink = sink
        self._digest = hashlib.sha256()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="taking")
        self._under_way: asyncio.Future[None] | None = None
        self._waiting: list[bytes] = []
        self._waiting_size = 0

    @property
    def sha256(self) -> str:
        """Hexadecimal hash of what the sink has; call ``settle`` before."""
        return self._digest.hexdigest()

    async def add(self, block: bytes) -> None:
        """Take the next block; at most twice ``AT_ONCE`` bytes wait for the sink, whose errors come out here."""
        self.size += len(block)
        self.tail = (self.tail + block)[-OVERLAP:] if len(block) < OVERLAP else block[-OVERLAP:]
        self._waiting.append(block)
        self._waiting_size += len(block)
        if self._waiting_size >= AT_ONCE:
            await self._ended()
            self._under_way = asyncio.get_running_loop().run_in_executor(self._thread, self._take, self._handed())

    async def settle(self) -> None:
        """Wait until the sink has everything."""
        await self._ended()
        self._take(self._handed())

    def close(self) -> None:
        """Let the sink end the call that it is in; what waits is forgotten."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _ended(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            await under_way

    def _handed(self) -> list[bytes]:
        blocks, self._waiting, self._waiting_size = self._waiting, [], 0
        return blocks

    def _take(self, blocks: Sequence[bytes]) -> None:
        for block in blocks:
            self._sink(block)
            self._digest.update(block)
