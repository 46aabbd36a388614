"""What every endpoint has to do, against real servers."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from data_connections.endpoints.after_read import claim_by_rename, claimed_path, move_after_read
from data_connections.endpoints.blocking import open_endpoint
from data_connections.endpoints.blocking import run as run_with
from data_connections.endpoints.contract import Endpoint, RemoteFile
from data_connections.endpoints.fetch import fetch_file
from data_connections.endpoints.publish import publish
from data_connections.errors import (
    EndpointFileExists,
    EndpointFileMissing,
    FatalEndpointError,
    FileChanged,
)
from local_stack.partner_sftp import PartnerServer

from .conftest import Served, served_by_asyncssh

BREAK = b"new\nline.csv"
UNSENDABLE = {
    "vsftpd": {BREAK},
    "pure-ftpd": {BREAK, b"back\\slash.csv"},
    "pyftpdlib": {BREAK, b"not utf-8 \xff\xfe.csv"},
}
"""Names that a server, or FTP as such, has no way to say."""


async def read_all(endpoint: Endpoint, path: str, offset: int = 0) -> bytes:
    async with aclosing(endpoint.read(path, offset)) as blocks:
        return b"".join([block async for block in blocks])


def names(files: list[RemoteFile]) -> set[str]:
    return {file.name for file in files}


async def test_a_listing_tells_files_with_size_and_time_in_utc(served: Served) -> None:
    (served.folder / "a.csv").write_bytes(b"12345")
    (served.folder / "empty.csv").touch()
    (served.folder / "sub").mkdir()
    os.utime(served.folder / "a.csv", (1_700_000_000, 1_700_000_000))
    async with served.endpoint() as endpoint:
        files = {file.name: file for file in await endpoint.list(".")}
    assert "sub" not in files
    assert files["empty.csv"].size == 0
    assert files["a.csv"] == RemoteFile("a.csv", "a.csv", 5, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC))


async def test_times_do_not_depend_on_the_zone_of_this_machine(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    (served.folder / "a.csv").touch()
    os.utime(served.folder / "a.csv", (1_700_000_000, 1_700_000_000))
    seen = set()
    for zone in ("UTC", "America/New_York", "Asia/Kolkata"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        async with served.endpoint() as endpoint:
            seen.add((await endpoint.stat("a.csv")).mtime)
    monkeypatch.undo()
    time.tzset()
    assert seen == {datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)}


async def test_links_to_files_are_files_and_other_links_are_not(served: Served) -> None:
    (served.folder / "a.csv").write_bytes(b"12345")
    (served.folder / "link.csv").symlink_to("a.csv")
    (served.folder / "broken.csv").symlink_to("nothing")
    (served.folder / "here").symlink_to(".")
    if served.kind != "pyftpdlib":  # its MLSD calls a pipe a file
        os.mkfifo(served.folder / "pipe.csv")
    async with served.endpoint() as endpoint:
        files = {file.name: file.size for file in await endpoint.list(".")}
    assert files == ({"a.csv": 5, "link.csv": 5} if served.follows_links else {"a.csv": 5})


async def test_thousands_of_files_are_listed_once_each(served: Served) -> None:
    names = [f"file_{number:05}.csv" for number in range(10_000 if served.kind == "asyncssh" else 2_000)]
    for name in names:
        (served.folder / name).touch()
    async with served.endpoint() as endpoint:
        files = await endpoint.list(".")
    assert sorted(file.name for file in files) == names


@pytest.mark.parametrize(
    "raw",
    [
        BREAK,
        b"..csv",
        b"a..b.csv",
        b" blank .csv",
        b"-rf",
        "emoji \N{MONEY BAG}.csv".encode(),
        "right\N{RIGHT-TO-LEFT OVERRIDE}to left.csv".encode(),
        b"not utf-8 \xff\xfe.csv",
        "quote \N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}FF.csv".encode(),
        b"back\\slash.csv",
        b"n" * 255,
    ],
)
async def test_any_name_is_data(served: Served, raw: bytes) -> None:
    if raw in UNSENDABLE.get(served.kind, ()):
        pytest.skip(f"{served.kind} cannot serve a file of this name")
    (served.folder / os.fsdecode(raw)).write_bytes(b"content")
    async with served.endpoint() as endpoint:
        (file,) = [file for file in await endpoint.list(".") if file.size == 7]
        assert file.name.encode()
        assert file.shown.isprintable()
        assert (await endpoint.stat(file.path)) == file
        assert await read_all(endpoint, file.path) == b"content"
        await endpoint.make_folder("done")
        await endpoint.move(file.path, f"done/{file.name}")
        assert [os.fsencode(path.name) for path in (served.folder / "done").iterdir()] == [raw]
        await endpoint.delete(f"done/{file.name}")
    assert not list((served.folder / "done").iterdir())


@pytest.mark.parametrize("size", [0, 1, 32 * 1024, 256 * 1024, 256 * 1024 + 1, 20_000_003])
async def test_a_file_is_read_whole(served: Served, size: int) -> None:
    data = os.urandom(size)
    (served.folder / "a.bin").write_bytes(data)
    taken: list[bytes] = []
    async with served.endpoint() as endpoint:
        fetched = await fetch_file(endpoint, await endpoint.stat("a.bin"), taken.append)
    assert b"".join(taken) == data
    assert (fetched.size, fetched.sha256, fetched.resumed) == (size, hashlib.sha256(data).hexdigest(), 0)


async def test_reading_from_an_offset_gives_the_rest(served: Served) -> None:
    data = os.urandom(1_000_000)
    (served.folder / "a.bin").write_bytes(data)
    async with served.endpoint() as endpoint:
        assert await read_all(endpoint, "a.bin", 999_000) == data[999_000:]
        assert await read_all(endpoint, "a.bin", 1_000_000) == b""


async def test_a_sink_that_fails_keeps_its_own_error_and_the_connection_goes_on(served: Served) -> None:
    (served.folder / "a.bin").write_bytes(os.urandom(1_000_000))

    def full_disk(block: bytes) -> None:
        raise OSError(28, "No space left on device")

    async with served.endpoint() as endpoint:
        file = await endpoint.stat("a.bin")
        with pytest.raises(OSError, match="No space left"):
            await fetch_file(endpoint, file, full_disk)
        assert (await fetch_file(endpoint, file, lambda block: None)).size == 1_000_000


@pytest.mark.parametrize("size", [0, 1, 1_000_000, 9_000_001])
async def test_a_file_is_published_whole(served: Served, size: int) -> None:
    data = os.urandom(size)
    async with served.endpoint() as endpoint:
        published = await publish(endpoint, "report.csv", io.BytesIO(data))
    assert [path.name for path in served.folder.iterdir() if path.is_file()] == ["report.csv"]
    assert (served.folder / "report.csv").read_bytes() == data
    assert (published.size, published.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert published.read_back == (size <= 1024 * 1024)


async def test_every_kind_of_source_can_be_sent(served: Served) -> None:
    async def blocks() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    async with served.endpoint() as endpoint:
        for source in (b"abc", io.BytesIO(b"abc"), iter([b"a", b"bc"]), blocks()):
            await publish(endpoint, "x", source, replace=True)
            assert (served.folder / "x").read_bytes() == b"abc"


async def test_nothing_is_overwritten_unasked(served: Served) -> None:
    (served.folder / "report.csv").write_bytes(b"old")
    (served.folder / "other.csv").write_bytes(b"other")
    async with served.endpoint() as endpoint:
        with pytest.raises(EndpointFileExists, match=r"report\.csv"):
            await publish(endpoint, "report.csv", b"new")
        with pytest.raises(EndpointFileExists, match=r"other\.csv"):
            await endpoint.move("report.csv", "other.csv")
    assert (served.folder / "report.csv").read_bytes() == b"old"
    assert (served.folder / "other.csv").read_bytes() == b"other"
    assert not list(served.folder.glob(".*.part"))


async def test_a_source_that_fails_leaves_nothing_behind(served: Served) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"a" * 100_000
        raise OSError(5, "Input/output error")

    async with served.endpoint() as endpoint:
        with pytest.raises(OSError, match="Input/output"):
            await publish(endpoint, "out.csv", failing())
        assert not [file for file in await endpoint.list(".") if "out.csv" in file.name]


def test_a_polling_reader_sees_the_old_or_the_new_file_and_never_a_part(served: Served) -> None:
    contents = [bytes([65 + turn]) * 300_000 for turn in range(2)]
    target = served.folder / "daily.csv"
    target.write_bytes(contents[0])
    seen: set[bytes] = set()
    stop = threading.Event()

    def poll() -> None:
        while not stop.is_set():
            seen.add(target.read_bytes())

    poller = threading.Thread(target=poll)
    poller.start()
    try:
        with open_endpoint(served.endpoint) as endpoint:
            for turn in range(1, 11):
                endpoint.write("daily.csv", contents[turn % 2], replace=True)
    finally:
        stop.set()
        poller.join()
    assert seen == set(contents)


async def test_a_missing_file_is_missing(served: Served) -> None:
    (served.folder / "a.csv").touch()
    async with served.endpoint() as endpoint:
        for attempt in (endpoint.stat("no.csv"), endpoint.delete("no.csv"), endpoint.move("no.csv", "other.csv")):
            with pytest.raises(EndpointFileMissing, match=r"no\.csv"):
                await attempt
        with pytest.raises(EndpointFileMissing, match=r"no\.csv"):
            await read_all(endpoint, "no.csv")


async def test_a_missing_folder_is_said_so_and_not_tried_again(served: Served) -> None:
    (served.folder / "a.csv").touch()
    async with served.endpoint() as endpoint:
        with pytest.raises(FatalEndpointError, match="no folder 'nowhere'"):
            await endpoint.list("nowhere")
        with pytest.raises(FatalEndpointError, match="no such folder"):
            await endpoint.move("a.csv", "nowhere/a.csv")
    assert (served.folder / "a.csv").exists()


async def test_folders_are_made_with_those_above_them(served: Served) -> None:
    async with served.endpoint() as endpoint:
        await endpoint.make_folder("a/b/c")
        await endpoint.make_folder("a/b/c")
    assert (served.folder / "a/b/c").is_dir()


async def test_a_claim_has_one_winner(served: Served) -> None:
    async with served.endpoint() as first, served.endpoint() as second:
        for turn in range(20):
            (served.folder / "a.csv").write_bytes(b"x" * turn)
            file = await first.stat("a.csv")
            outcomes = []
            for endpoint, token in ((first, f"one{turn}"), (second, f"two{turn}")):
                try:
                    outcomes.append((await claim_by_rename(endpoint, file, token)).path)
                except EndpointFileMissing:
                    outcomes.append(None)
            assert outcomes == [claimed_path("a.csv", f"one{turn}"), None]


async def test_a_claim_is_found_again_by_its_token(served: Served) -> None:
    (served.folder / "a.csv").write_bytes(b"x")
    async with served.endpoint() as endpoint:
        file = await endpoint.stat("a.csv")
        claimed = await claim_by_rename(endpoint, file, "7")
        assert await claim_by_rename(endpoint, file, "7") == claimed


async def test_another_file_of_that_name_is_left_alone(served: Served) -> None:
    path = served.folder / "a.csv"
    path.write_bytes(b"first")
    async with served.endpoint() as endpoint:
        file = await endpoint.stat("a.csv")
        path.write_bytes(b"second one")
        with pytest.raises(FileChanged, match="next look"):
            await claim_by_rename(endpoint, file, "7")
    assert path.read_bytes() == b"second one"


async def test_a_claim_that_was_written_to_is_put_back(served: Served) -> None:
    path = served.folder / "a.csv"
    path.write_bytes(b"first")
    async with served.endpoint() as endpoint:
        file = await endpoint.stat("a.csv")
        claimed = await claim_by_rename(endpoint, file, "7")
        (served.folder / claimed.path).write_bytes(b"written to while claimed")
        with pytest.raises(FileChanged):
            await claim_by_rename(endpoint, file, "7")
    assert path.read_bytes() == b"written to while claimed"


async def test_moving_to_the_done_folder_never_replaces(served: Served) -> None:
    done = served.folder / "done"
    async with served.endpoint() as endpoint:
        for turn in range(4):
            (served.folder / "a.csv").write_bytes(b"x" * turn)
            os.utime(served.folder / "a.csv", (1_700_000_000, 1_700_000_000))
            await move_after_read(endpoint, await endpoint.stat("a.csv"), str(turn), "done")
    assert {path.name: path.stat().st_size for path in done.iterdir()} == {
        "a.csv": 0,
        "a_20231114T221320Z.csv": 1,
        "a_20231114T221320Z_2.csv": 2,
        "a_20231114T221320Z_3.csv": 3,
    }


def test_the_waiting_facade_does_the_same(served: Served) -> None:
    (served.folder / "a.csv").write_bytes(b"abc")
    taken: list[bytes] = []
    with open_endpoint(served.endpoint) as endpoint:
        (file,) = [file for file in endpoint.list(".") if file.name == "a.csv"]
        assert endpoint.fetch(file, taken.append).sha256 == hashlib.sha256(b"abc").hexdigest()
        endpoint.make_folder("sub")
        endpoint.move("a.csv", "sub/b.csv")
        endpoint.delete("sub/b.csv")
        endpoint.write("c.csv", b"c")
    assert taken == [b"abc"]
    assert (served.folder / "c.csv").read_bytes() == b"c"
    assert run_with(served.endpoint, lambda endpoint: endpoint.stat("c.csv")).size == 1


async def test_an_endpoint_connects_again_by_itself(served: Served) -> None:
    (served.folder / "a.csv").touch()
    endpoint = served.endpoint()
    try:
        await endpoint.stat("a.csv")
        await endpoint.close()
        assert "a.csv" in names(await endpoint.list("."))
    finally:
        await endpoint.close()


def test_the_partner_never_lets_a_login_out_of_its_folder(sftp_partner: PartnerServer) -> None:
    assert (sftp_partner.folder / "login.json").exists()
    with open_endpoint(served_by_asyncssh(sftp_partner).endpoint) as endpoint:
        for path in ("../login.json", "/../login.json", "in/../../login.json"):
            with pytest.raises(EndpointFileMissing):
                endpoint.stat(path)


async def test_folders_may_be_named_from_the_root_or_from_where_the_login_starts(sftp_partner: PartnerServer) -> None:
    (sftp_partner.files / "in" / "a.csv").write_bytes(b"abc")
    (sftp_partner.files / "b.csv").write_bytes(b"abc")
    async with served_by_asyncssh(sftp_partner).endpoint() as endpoint:
        for folder, path in (("/in", "/in/a.csv"), ("/in/", "/in/a.csv"), ("in", "in/a.csv"), ("./in", "./in/a.csv")):
            (file,) = await endpoint.list(folder)
            assert file.path == path
            assert await read_all(endpoint, file.path) == b"abc"
        for root, path in (("/", "/b.csv"), (".", "b.csv"), ("", "b.csv")):
            assert [file.path for file in await endpoint.list(root)] == [path]
