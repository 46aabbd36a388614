"""SFTP servers that do less than they should, or other things than they say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from data_connections.endpoints.arrival import ArrivalRules, Reason, look
from data_connections.endpoints.contract import Credentials
from data_connections.endpoints.fetch import fetch_file
from data_connections.endpoints.publish import publish
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.errors import (
    EndpointFileMissing,
    FatalEndpointError,
    FileChanged,
    RetriableEndpointError,
)
from local_stack.partner_sftp import prepare_partner

from .conftest import QUICK


class _Open(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return False


@asynccontextmanager
async def served_by(folder: Path, kind: type[asyncssh.SFTPServer] | None) -> AsyncIterator[SftpEndpoint]:
    """An endpoint at a server of this kind over ``folder``; anybody may log in."""
    login = prepare_partner(folder.parent / "keys")

    def chrooted(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        assert kind is not None
        return kind(channel, chroot=str(folder).encode())

    async with (
        await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[str(folder.parent / "keys" / "host_key")],
            server_factory=_Open,
            sftp_factory=chrooted if kind else None,
        ) as server,
        SftpEndpoint(
            "127.0.0.1", server.get_port(), Credentials("any", host_keys=(login.host_key,)), QUICK
        ) as endpoint,
    ):
        yield endpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class NoPosixRename(asyncssh.SFTPServer):
    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPOpUnsupported("no posix-rename here")


async def test_replacing_works_without_posix_rename(folder: Path) -> None:
    async with served_by(folder, NoPosixRename) as endpoint:
        for content in (b"first", b"second"):
            await publish(endpoint, "daily.csv", content, replace=True)
    assert contents(folder) == {"daily.csv": b"second"}


class DropBox(asyncssh.SFTPServer):
    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags & asyncssh.FXF_READ:
            raise asyncssh.SFTPPermissionDenied("write only")
        return super().open(path, pflags, attrs)


async def test_a_drop_box_takes_files_that_cannot_be_read_back(folder: Path) -> None:
    async with served_by(folder, DropBox) as endpoint:
        published = await publish(endpoint, "report.csv", b"abc")
    assert not published.read_back
    assert (folder / "report.csv").read_bytes() == b"abc"


class ReadOnly(asyncssh.SFTPServer):
    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags & asyncssh.FXF_WRITE:
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        return super().open(path, pflags, attrs)


async def test_no_right_to_write_is_said_so_and_not_tried_again(folder: Path) -> None:
    async with served_by(folder, ReadOnly) as endpoint:
        with pytest.raises(FatalEndpointError, match="does not allow it"):
            await publish(endpoint, "report.csv", b"x")


class LosesTheEnd(asyncssh.SFTPServer):
    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        super().write(file_obj, offset, data[:-1])
        return len(data)


class ChangesBytes(asyncssh.SFTPServer):
    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        return int(super().write(file_obj, offset, data.replace(b"\n", b"\r")))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "message"), [(LosesTheEnd, "6 bytes were sent, 5 arrived"), (ChangesBytes, "other bytes than were sent")]
)
async def test_a_server_that_stores_something_else_is_found_out(
    folder: Path, kind: type[asyncssh.SFTPServer], message: str
) -> None:
    async with served_by(folder, kind) as endpoint:
        with pytest.raises(RetriableEndpointError, match=message):
            await publish(endpoint, "report.csv", b"a\nb\nc\n")
    assert not contents(folder)


class TakesFilesAway(asyncssh.SFTPServer):
    def close(self, file_obj: object) -> None:
        super().close(file_obj)
        for path in Path(self._chroot.decode()).glob(".*.part"):  # type: ignore[union-attr]
            path.unlink()


async def test_a_server_that_takes_temporary_files_away_is_said_so(folder: Path) -> None:
    async with served_by(folder, TakesFilesAway) as endpoint:
        with pytest.raises(RetriableEndpointError, match="vanished right after the upload"):
            await publish(endpoint, "report.csv", b"abc")


class EndsEarly(asyncssh.SFTPServer):
    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        data = super().read(file_obj, offset, size)
        assert isinstance(data, bytes)
        return data[: max(0, 50_000 - offset)]


async def test_a_file_that_ends_early_without_an_error_is_not_taken(folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"x" * 100_000)
    async with served_by(folder, EndsEarly) as endpoint:
        with pytest.raises(FileChanged, match="ended after 50,000 of 100,000"):
            await fetch_file(endpoint, await endpoint.stat("a.csv"), lambda block: None)


class ShortAnswers(asyncssh.SFTPServer):
    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        data = super().read(file_obj, offset, min(size, 1000))
        assert isinstance(data, bytes)
        return data


async def test_short_answers_are_put_together(folder: Path) -> None:
    data = bytes(range(256)) * 1000
    (folder / "a.csv").write_bytes(data)
    taken: list[bytes] = []
    async with served_by(folder, ShortAnswers) as endpoint:
        await fetch_file(endpoint, await endpoint.stat("a.csv"), taken.append)
    assert b"".join(taken) == data


class MadeUpNames(asyncssh.SFTPServer):
    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        async for entry in super().scandir(path):
            if entry.filename == b"a.csv":
                for name in (b"../../etc/passwd", b"/etc/shadow.csv", b"sub/b.csv"):
                    yield asyncssh.SFTPName(name, attrs=entry.attrs)
            yield entry


async def test_made_up_names_lead_nowhere(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "b.csv").write_bytes(b"secret")
    (folder / "a.csv").write_bytes(b"x")
    async with served_by(folder, MadeUpNames) as endpoint:
        listing = await endpoint.list(".")
        assert len(listing) == 4
        arrivals = look(listing, listing, ArrivalRules.of("*"))
        assert [file.name for file in arrivals.taken] == ["a.csv"]
        assert {each.reason for each in arrivals.not_taken} == {Reason.UNSAFE_NAME}
        for each in arrivals.not_taken:
            with pytest.raises(EndpointFileMissing):
                async with aclosing(endpoint.read(each.file.path)) as blocks:  # type: ignore[type-var]
                    await anext(blocks)


class NoTimes(asyncssh.SFTPServer):
    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        yield asyncssh.SFTPName(b"a.csv", attrs=asyncssh.SFTPAttrs(size=1, permissions=0o100644))


async def test_a_server_without_times_is_said_so(folder: Path) -> None:
    async with served_by(folder, NoTimes) as endpoint:
        with pytest.raises(FatalEndpointError, match=r"no size or time for 'a\.csv'"):
            await endpoint.list(".")


class Full(asyncssh.SFTPServer):
    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        raise asyncssh.SFTPFailure("No space left on device")


async def test_a_full_server_may_be_tried_again(folder: Path) -> None:
    async with served_by(folder, Full) as endpoint:
        with pytest.raises(RetriableEndpointError, match="disk may be full"):
            await publish(endpoint, "report.csv", b"abc")
    assert not contents(folder)


async def test_a_server_without_sftp_is_said_so(folder: Path) -> None:
    with pytest.raises(FatalEndpointError, match="opens no SFTP session"):
        async with served_by(folder, None):
            pass
