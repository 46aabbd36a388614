"""Blocks of a file, read in a thread of their own while the ones before are checked."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from data_connections.formats import RowBlock


def read_ahead(blocks: Iterator[RowBlock]) -> Iterator[RowBlock]:
    """Yield the same blocks, each read while the one before it is worked on; errors come at their place."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reading:
        following = reading.submit(next, blocks, None)
        while (block := following.result()) is not None:
            following = reading.submit(next, blocks, None)
            yield block
