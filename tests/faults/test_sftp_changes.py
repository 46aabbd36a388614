"""Files at an SFTP server that change while they are read, and listings that say something else: never taken."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256

import pytest

from data_connections.endpoints.contract import RemoteFile
from data_connections.endpoints.fetch import fetch_file
from data_connections.errors import EndpointFileMissing, FileChanged
from fixtures.sftp_line import SIZE, Line

pytestmark = pytest.mark.closes_everything


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
            # Nothing that is read from now on arrives, so that what arrived is of the old file alone.
            line.proxy.set("freeze")
            line.path.write_bytes(bytes(SIZE))
            os.utime(line.path, ns=(state.st_atime_ns, state.st_mtime_ns))
            line.proxy.cut()

    # Where all of it was on its way before the first block was taken, the old file is read whole, which is as good.
    with suppress(FileChanged):
        await line.fetch(sink=sink)
        assert sha256(taken).digest() == sha256(line.data).digest()
    assert not any(line.path.read_bytes())


async def test_a_listing_that_lies_about_the_size_is_found_out(line: Line) -> None:
    async with line.endpoint() as endpoint:
        real = await endpoint.stat("in/big.csv")
        for size in (0, SIZE - 1, SIZE + 1):
            with pytest.raises(FileChanged):
                await fetch_file(endpoint, RemoteFile(real.path, real.name, size, real.mtime), lambda block: None)
