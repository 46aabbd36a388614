"""Fetching a file whole or not at all: the same before and after, and every byte in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import aclosing, closing
from dataclasses import dataclass

from data_connections.endpoints.contract import Endpoint, RemoteFile
from data_connections.endpoints.names import shown
from data_connections.endpoints.taking import Taken
from data_connections.errors import FileChanged, RetriableEndpointError


@dataclass(frozen=True)
class FetchedFile:
    """A file that was read whole.

    Attributes:
        file: Its state at the endpoint, the same before and after.
        size: Bytes read; equals ``file.size``.
        sha256: Hexadecimal hash of the bytes.
        resumed: How often the transfer was cut and went on.
    """

    file: RemoteFile
    size: int
    sha256: str
    resumed: int


async def fetch_file(
    endpoint: Endpoint,
    file: RemoteFile,
    sink: Callable[[bytes], object],
    *,
    tries: int = 4,
    pause: float = 1.0,
) -> FetchedFile:
    """Read ``file`` into ``sink`` block by block; after a cut it goes on where it stopped.

    Args:
        endpoint: Where it lies.
        file: As it was listed or claimed; it has to be in that state still.
        sink: Takes the blocks in order, a large file's in a thread; its errors pass through. Keep nothing of it when
            this raises.
        tries: How often a transfer that makes no progress is begun before giving up.
        pause: Seconds before the second try, doubled each time, with jitter.

    Raises:
        FileChanged: Size or time differ before, in between or after: it grew, shrank or was replaced.
        EndpointFileMissing: It is gone.
        RetriableEndpointError: The connection was lost ``tries`` times without a byte of progress in between.
    """
    with closing(Taken(sink)) as taken:
        resumed = await _fetch_into(taken, endpoint, file, tries, pause)
        return FetchedFile(file, taken.size, taken.sha256, resumed)


async def _fetch_into(taken: Taken, endpoint: Endpoint, file: RemoteFile, tries: int, pause: float) -> int:
    """Read the file whole, and return how often the transfer was cut and went on."""
    resumed = failed = 0
    while True:
        before = taken.size
        try:
            _same(endpoint, file, await endpoint.stat(file.path))
            await _read_on(endpoint, file, taken)
            await taken.settle()
            _same(endpoint, file, await endpoint.stat(file.path))
            return resumed
        except FileChanged:
            raise
        except RetriableEndpointError:
            failed = 1 if taken.size > before else failed + 1
            if failed >= tries:
                raise
        resumed += 1
        await asyncio.sleep(pause * 2 ** (failed - 1) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret


async def _read_on(endpoint: Endpoint, file: RemoteFile, taken: Taken) -> None:
    overlap = len(taken.tail)
    known, again = taken.tail, b""
    async with aclosing(endpoint.read(file.path, taken.size - overlap)) as blocks:  # type: ignore[type-var]
        async for block in blocks:
            data = block
            if len(again) < overlap:
                again, data = again + block[: overlap - len(again)], block[overlap - len(again) :]
                if not known.startswith(again):
                    raise _changed(endpoint, file, "the part that was read before the cut has other bytes now")
            if data:
                await taken.add(data)
            if taken.size > file.size:
                raise _changed(endpoint, file, f"it is longer than the {file.size:,} bytes listed")
    if taken.size != file.size:
        raise _changed(endpoint, file, f"it ended after {taken.size:,} of {file.size:,} bytes")


def _same(endpoint: Endpoint, file: RemoteFile, now: RemoteFile) -> None:
    if not file.same_state(now):
        raise _changed(
            endpoint,
            file,
            f"listed with {file.size:,} bytes of {file.mtime.isoformat()}, now {now.size:,} bytes of "
            f"{now.mtime.isoformat()}",
        )


def _changed(endpoint: Endpoint, file: RemoteFile, what: str) -> FileChanged:
    return FileChanged(
        f"{endpoint.address}: {shown(file.path)!r} changed while it was read: {what}. Nothing of it was taken; it is "
        "taken when it rests. Ask the partner to upload under a temporary name and rename."
    )
