"""Whatever can be sent, as one stream of blocks."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import BinaryIO

from data_connections.endpoints.contract import Source

BLOCK = 1024 * 1024


class SourceFailed(Exception):
    """The thing to be sent could not be read; the cause says why. Keeps our own disk apart from the network."""


async def blocks_of(source: Source) -> AsyncIterator[bytes]:
    """Yield the bytes of ``source``.

    Raises:
        SourceFailed: ``source`` raised; its error is the cause.
    """
    if isinstance(source, AsyncIterable):
        stream = aiter(source)
        while True:
            try:
                block = await anext(stream)
            except StopAsyncIteration:
                return
            except SourceFailed:
                raise
            except Exception as error:
                raise SourceFailed from error
            yield block
    else:
        for block in _caught(source):
            yield block


def _caught(source: bytes | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from _plain(source)
    except Exception as error:
        raise SourceFailed from error


def _plain(source: bytes | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
    elif read := getattr(source, "read", None):
        while block := read(BLOCK):
            yield block
    else:
        yield from source
