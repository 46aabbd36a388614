"""What is FTP's own: certificates, TLS or none, listings of every kind, servers that end early."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.exceptions import AuthenticationFailed
from pyftpdlib.handlers import DTPHandler, TLS_DTPHandler

from data_connections.endpoints.certificates import tls_context
from data_connections.endpoints.contract import Credentials, RemoteFile, Timeouts
from data_connections.endpoints.fetch import fetch_file
from data_connections.endpoints.ftp import FtpsEndpoint, ImplicitFtpsEndpoint, PlainFtpEndpoint
from data_connections.endpoints.ftp_certificate import fetch_certificate
from data_connections.endpoints.ftp_listing import lines_of, parse_list, parse_mlsd, parse_nlst, parse_time
from data_connections.endpoints.names import is_safe_name
from data_connections.errors import FatalEndpointError, RetriableEndpointError
from fixtures.ftp_servers import PASSWORD, FtpServer, make_certificate, pyftpdlib, vsftpd

from .conftest import QUICK, Served, served_by_ftp

OLD = 1_700_000_000


def endpoint_of(server: FtpServer, **changes: object) -> FtpsEndpoint:
    place = served_by_ftp(server)
    return FtpsEndpoint("127.0.0.1", server.port, replace(place.credentials, **changes), QUICK)


@contextmanager
def odd_server(**habits: object) -> Iterator[tuple[FtpServer, PlainFtpEndpoint]]:
    """A plain FTP server with habits of its own, and an endpoint for it."""
    with pyftpdlib(tls=False, **habits) as server:
        yield server, PlainFtpEndpoint("127.0.0.1", server.port, Credentials(server.login, PASSWORD), QUICK)


async def test_another_certificate_than_the_pinned_one_is_refused(ftp_served: Served, tmp_path: Path) -> None:
    other = make_certificate(tmp_path).fingerprint
    credentials = replace(ftp_served.credentials, certificates=(other,))
    with pytest.raises(FatalEndpointError, match="not the pinned one") as refused:
        await FtpsEndpoint("127.0.0.1", ftp_served.port, credentials, QUICK).connect()
    assert ftp_served.credentials.certificates[0] in str(refused.value)
    assert other in str(refused.value)


async def test_two_certificates_are_good_while_a_partner_changes(ftp_served: Served, tmp_path: Path) -> None:
    both = (make_certificate(tmp_path).fingerprint, *ftp_served.credentials.certificates)
    async with FtpsEndpoint("127.0.0.1", ftp_served.port, replace(ftp_served.credentials, certificates=both), QUICK):
        pass


async def test_a_certificate_is_trusted_through_an_authority_or_not_at_all(pyftpdlib_server: FtpServer) -> None:
    with pytest.raises(FatalEndpointError, match=r"not trusted \(self-signed certificate\).*--fetch-certificate"):
        await endpoint_of(pyftpdlib_server, certificates=()).connect()
    authority = pyftpdlib_server.tls.certificate.read_text()
    async with endpoint_of(pyftpdlib_server, certificates=(), authorities=authority) as endpoint:
        assert await endpoint.list(".") == []


async def test_the_certificate_can_be_fetched_and_shown(ftp_served: Served) -> None:
    shown = await fetch_certificate("127.0.0.1", ftp_served.port, "explicit", QUICK)
    assert shown.fingerprint == ftp_served.credentials.certificates[0]
    assert shown.subject == shown.issuer == "CN=localhost"
    assert shown.valid_until > datetime.now(UTC)


async def test_a_wrong_password_is_said_without_the_password(pyftpdlib_server: FtpServer) -> None:
    with pytest.raises(FatalEndpointError, match="refused the login 'partner'") as refused:
        await endpoint_of(pyftpdlib_server, password="wrong horse").connect()
    assert "horse" not in str(refused.value)


async def test_an_expired_password_is_said_so() -> None:
    class Expired(DummyAuthorizer):
        def validate_authentication(self, *of_login: object) -> None:
            raise AuthenticationFailed("Password has expired, change it.")

    with pyftpdlib(authorizer=Expired()) as server:
        credentials = Credentials(server.login, PASSWORD, certificates=(server.tls.fingerprint,))
        endpoint = FtpsEndpoint("127.0.0.1", server.port, credentials, QUICK)
        with pytest.raises(FatalEndpointError, match=r"has expired .*Ask the partner for a new one") as refused:
            await endpoint.connect()
        assert PASSWORD not in str(refused.value)


async def test_nothing_is_sent_readable_unless_the_connection_says_so() -> None:
    with odd_server() as (server, plain):
        with pytest.raises(FatalEndpointError, match="offers no TLS"):
            await FtpsEndpoint("127.0.0.1", server.port, Credentials(server.login, PASSWORD), QUICK).connect()
        (server.folder / "a.csv").write_bytes(b"abc")
        async with plain:
            assert [file.size for file in await plain.list(".")] == [3]
        assert plain.address.startswith("ftp://")


async def test_a_server_that_wants_tls_says_so(pyftpdlib_server: FtpServer) -> None:
    plain = PlainFtpEndpoint("127.0.0.1", pyftpdlib_server.port, Credentials("partner", PASSWORD), QUICK)
    with pytest.raises(FatalEndpointError, match="tls: explicit"):
        await plain.connect()


async def test_implicit_tls_with_a_session_that_data_connections_go_on_with() -> None:
    with vsftpd("implicit_ssl=YES") as server:
        credentials = served_by_ftp(server).credentials
        async with ImplicitFtpsEndpoint("127.0.0.1", server.port, credentials, QUICK) as endpoint:
            assert await endpoint.upload("a.csv", b"abc") == 3
            assert (await fetch_file(endpoint, await endpoint.stat("a.csv"), lambda block: None)).size == 3


async def test_tls_on_a_port_that_has_none_ends_with_the_reason() -> None:
    with odd_server() as (server, _), pytest.raises(FatalEndpointError, match="does not speak TLS"):
        await ImplicitFtpsEndpoint("127.0.0.1", server.port, Credentials("x", "y"), QUICK).connect()


async def test_a_server_that_ends_early_and_says_success_is_not_believed() -> None:
    def cut(self: object, path: str) -> object:
        from pyftpdlib.handlers import FTPHandler

        short = Path(path).with_name(".short")
        short.write_bytes(Path(path).read_bytes()[:50_000])
        return FTPHandler.ftp_RETR(self, str(short))

    with odd_server(ftp_RETR=cut) as (server, endpoint):
        (server.folder / "a.csv").write_bytes(os.urandom(100_000))
        async with endpoint:
            file = await endpoint.stat("a.csv")
            with pytest.raises(
                RetriableEndpointError, match=r"ended after 50,000 of 100,000 bytes and called it compl"
            ):
                await fetch_file(endpoint, file, lambda block: None, tries=1)


def breaks_off(answer: str, *, tls: bool) -> type:
    """A handler of data connections that resets each at its first bytes, and gives the reason on the other one."""
    from pyftpdlib.handlers import DTPHandler, TLS_DTPHandler

    class Breaking(TLS_DTPHandler if tls else DTPHandler):
        def handle_read_event(self) -> None:
            if getattr(self, "_ssl_accepting", False):
                super().handle_read_event()
            else:
                self.break_off()

        def break_off(self, *data: object) -> None:
            self.cmd_channel.respond(answer)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close()

        push = push_with_producer = break_off

    return Breaking


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ("452 Disk full.", RetriableEndpointError, r"the server is full \(452 Disk full"),
        ("552 Quota exceeded.", RetriableEndpointError, r"the server is full \(552 Quota"),
        ("451 Failure writing to local file.", RetriableEndpointError, r"451 Failure .*disk may be full"),
        ("426 Broken pipe.", RetriableEndpointError, r"gave up \(426 Broken pipe"),
        ("550 Not for you.", FatalEndpointError, r"does not allow it \(550 Not for you"),
    ],
)
@pytest.mark.parametrize("tls", [True, False])
async def test_why_a_transfer_breaks_is_what_the_server_says(
    answer: str, error: type[Exception], message: str, tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_connections.endpoints.ftp_client._REASON_WITHIN", 60)
    with pyftpdlib(tls=tls, dtp_handler=breaks_off(answer, tls=tls)) as server:
        (server.folder / "a.csv").write_bytes(os.urandom(100_000))
        credentials = Credentials(server.login, PASSWORD, certificates=(server.tls.fingerprint,) if tls else ())
        kind = FtpsEndpoint if tls else PlainFtpEndpoint
        async with kind("127.0.0.1", server.port, credentials, QUICK) as endpoint:
            file = RemoteFile("a.csv", "a.csv", 100_000, (await endpoint.stat("a.csv")).mtime)
            with pytest.raises(error, match=f"uploading 'new.csv': .*{message}"):
                await endpoint.upload("new.csv", os.urandom(8_000_000))
            with pytest.raises(error, match=f"reading 'a.csv': .*{message}"):
                await fetch_file(endpoint, file, lambda block: None, tries=1)
            with pytest.raises(error, match=f"listing the folder '.': .*{message}"):
                await endpoint.list(".")


class NeverEndsTls(TLS_DTPHandler):
    """Data connections that old servers close without having ended TLS."""

    def _do_ssl_shutdown(self) -> None:
        DTPHandler.close(self)


async def test_a_listing_of_a_server_that_never_ends_tls_is_taken_where_the_connection_says_so() -> None:
    with pyftpdlib(dtp_handler=NeverEndsTls) as server:
        (server.folder / "a.csv").write_bytes(b"12345")
        credentials = served_by_ftp(server).credentials
        async with FtpsEndpoint("127.0.0.1", server.port, credentials, QUICK) as endpoint:
            with pytest.raises(RetriableEndpointError, match="before the server ended TLS"):
                await endpoint.list(".")
            assert (await fetch_file(endpoint, await endpoint.stat("a.csv"), lambda block: None)).size == 5
        async with FtpsEndpoint("127.0.0.1", server.port, credentials, QUICK, ends_tls=False) as endpoint:
            assert [file.size for file in await endpoint.list(".")] == [5]


async def test_listings_of_such_a_server_have_to_agree() -> None:
    lines = count()

    def another_each_time(self: object, path: str) -> None:
        listed = f"type=file;size=1;modify=20261124165935; {next(lines)}.csv\r\n"
        self.push_dtp_data(listed.encode(), isproducer=False, cmd="MLSD")

    with pyftpdlib(dtp_handler=NeverEndsTls, ftp_MLSD=another_each_time) as server:
        credentials = served_by_ftp(server).credentials
        async with FtpsEndpoint("127.0.0.1", server.port, credentials, QUICK, ends_tls=False) as endpoint:
            with pytest.raises(RetriableEndpointError, match="4 listings in a row differ"):
                await endpoint.list(".")


@pytest.mark.parametrize("command", ["MLSD", "LIST", "NLST"])
async def test_a_listing_that_ends_within_a_line_is_not_taken(command: str) -> None:
    known = {"LIST": b"a line of no known form\r\n", "MLSD": b"type=file;size=1;modify=20261124165935; a.csv\r\n"}

    def short(self: object, path: str) -> None:
        self.push_dtp_data(known.get(command, b"a.csv\r\n") + b"orders_2026.cs", isproducer=False, cmd=command)

    def unreadable(self: object, path: str) -> None:
        self.push_dtp_data(known["LIST"], isproducer=False, cmd="LIST")

    habits = {"ftp_LIST": unreadable, f"ftp_{command}": short}
    with odd_server(**habits, proto_cmds=without(*(("MLST", "MLSD") if command != "MLSD" else ()))) as (_, endpoint):
        async with endpoint:
            with pytest.raises(RetriableEndpointError, match="ended within a line"):
                await endpoint.list(".")


def test_a_connection_that_was_reset_before_it_is_encrypted_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()
        with suppress(ConnectionResetError):
            client.recv(1)
    number = client.fileno()
    with pytest.raises(ConnectionResetError):
        tls_context(Credentials("a", "b")).wrap_socket(client, server_hostname="localhost")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


async def test_an_answer_that_trickles_in_for_ever_ends_in_time() -> None:
    left = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(b"220 ")
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        left.set()

    impatient = Timeouts(connect=5, login=0.4, operation=5, stall=5, close=1)
    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(RetriableEndpointError, match="no answer in time"):
            await PlainFtpEndpoint("127.0.0.1", port, Credentials("a", "b"), impatient).connect()
        await left.wait()


async def test_data_connections_go_to_the_host_of_the_login_whatever_the_server_says() -> None:
    with odd_server(masquerade_address="10.9.8.7") as (server, endpoint):
        (server.folder / "a.csv").write_bytes(b"abc")
        async with endpoint:
            assert [file.size for file in await endpoint.list(".")] == [3]
            assert await endpoint.upload("b.csv", b"abcd") == 4


@pytest.mark.parametrize(
    "answer",
    [
        "227 Entering passive mode (127,0,0,1,999,999).",
        "227 Entering passive mode (127,0,0,1,0,0).",
        "227 Entering passive mode.",
    ],
)
async def test_an_answer_to_pasv_that_names_no_port_is_no_crash(answer: str) -> None:
    def passive(self: object, line: str) -> None:
        self.respond(answer)

    with odd_server(ftp_PASV=passive) as (_, endpoint):
        async with endpoint:
            with pytest.raises(RetriableEndpointError, match="listing the folder"):
                await endpoint.list(".")


def without(*commands: str) -> dict[str, object]:
    from pyftpdlib.handlers import FTPHandler

    return {name: facts for name, facts in FTPHandler.proto_cmds.items() if name not in commands}


async def test_times_are_asked_for_once_where_a_listing_does_not_tell_them() -> None:
    asked: list[str] = []

    def mdtm(self: object, path: str) -> object:
        from pyftpdlib.handlers import FTPHandler

        asked.append(Path(path).name)
        return FTPHandler.ftp_MDTM(self, path)

    with odd_server(proto_cmds=without("MLST", "MLSD"), ftp_MDTM=mdtm) as (server, endpoint):
        for name in ("old.csv", "changed.csv", "new.csv"):
            (server.folder / name).write_bytes(b"abc")
            os.utime(server.folder / name, (OLD, OLD))
        (server.folder / "new.csv").touch()
        async with endpoint:
            first = await endpoint.list(".")
            assert sorted(asked) == ["changed.csv", "new.csv", "old.csv"]
            os.utime(server.folder / "changed.csv", (OLD + 200_000, OLD + 200_000))
            asked.clear()
            second = {file.name: file.mtime for file in await endpoint.list(".")}
    assert sorted(asked) == ["changed.csv", "new.csv"]
    assert second["old.csv"] == datetime.fromtimestamp(OLD, UTC)
    assert second["changed.csv"] == datetime.fromtimestamp(OLD + 200_000, UTC)
    assert {file.name: file.mtime for file in first}["changed.csv"] == datetime.fromtimestamp(OLD, UTC)


@pytest.mark.parametrize("prefix", ["", "/in/"])
async def test_a_listing_of_no_known_form_goes_by_the_names(prefix: str) -> None:
    def unreadable(self: object, path: str) -> None:
        self.push_dtp_data(b"+i8388621.48594,m825718503,r,s280,\ta.csv\r\n", isproducer=False, cmd="LIST")

    def names(self: object, path: str) -> None:
        listed = "".join(f"{prefix}{name}\r\n" for name in (".", "..", "a.csv", "sub"))
        self.push_dtp_data(listed.encode(), isproducer=False, cmd="NLST")

    with odd_server(proto_cmds=without("MLST", "MLSD"), ftp_LIST=unreadable, ftp_NLST=names) as (server, endpoint):
        (server.folder / "in").mkdir()
        (server.folder / "in" / "sub").mkdir()
        (server.folder / "in" / "a.csv").write_bytes(b"12345")
        async with endpoint:
            (file,) = await endpoint.list("/in")
    assert (file.path, file.size) == ("/in/a.csv", 5)


async def test_a_name_with_a_line_break_is_seen_and_never_safe(ftp_served: Served) -> None:
    if ftp_served.kind == "pure-ftpd":
        pytest.skip("pure-ftpd does not list such a file")
    (ftp_served.folder / "new\nline.csv").write_bytes(b"abc")
    async with ftp_served.endpoint() as endpoint:
        (file,) = await endpoint.list(".")
    assert file.size == 3
    assert not is_safe_name(file.name)


@pytest.mark.parametrize(
    ("line", "name", "kind", "size"),
    [
        (b"-rw-r--r--    1 0        0               3 Nov 24 16:59 a.csv", b"a.csv", "file", 3),
        (b"-rw-r--r--    1 0        0               3 Nov 14  2023  two  blanks.csv", b" two  blanks.csv", "file", 3),
        (b"-rw-rw-r--+   1 ftp ftp 12345678901 Jan  1 2024 x -> y", b"x -> y", "file", 12345678901),
        (b"-rw-r--r--    1 nogroup         3 24 Nov 16:59 a.csv", b"a.csv", "file", 3),
        (b"drwxr-xr-x    2 0        0            4096 Nov 24 16:59 d", b"d", "folder", 4096),
        (b"lrwxrwxrwx    1 0        0               5 Nov 24 16:59 l -> a.csv", b"l", "link", 5),
        (b"prw-r--r--    1 0        0               0 Nov 24 16:59 pipe", b"pipe", "other", 0),
        (b"11-24-26  04:59PM                  280 a b.csv", b"a b.csv", "file", 280),
        (b"11-24-2026  16:59       <DIR>          sub", b"sub", "folder", None),
    ],
)
def test_both_common_forms_of_list_are_read(line: bytes, name: bytes, kind: str, size: int | None) -> None:
    (entry,) = parse_list([b"total 12", line]) or []
    assert (entry.name, entry.kind, entry.size, entry.mtime) == (name, kind, size, None)


@pytest.mark.parametrize("line", [b"-rw-r--r--  1 0 0 3 Mai. 24 16:59 a.csv", b"Permission denied", b"a.csv"])
def test_a_line_of_another_form_is_not_guessed_at(line: bytes) -> None:
    assert parse_list([line]) is None


def test_facts_of_mlsd_are_read_whatever_their_case_and_order() -> None:
    lines = lines_of(
        b"Type=cdir;Modify=20261124165935; .\r\nmodify=20261124165935.250;Size=5;type=file;UNIX.mode=0644; a; b.csv\r\n"
        b"type=OS.unix=slink:/x;modify=20261124165935; l\r\ntype=dir;modify=20261124165935; d\r\nno facts\r\n"
    )
    entries = parse_mlsd(lines)
    assert [(entry.name, entry.kind, entry.size) for entry in entries] == [
        (b"a; b.csv", "file", 5),
        (b"l", "link", None),
        (b"d", "folder", None),
    ]
    assert entries[0].mtime == datetime(2026, 11, 24, 16, 59, 35, tzinfo=UTC)


def test_times_that_are_none_are_not_made_up() -> None:
    assert parse_time(b"20261324165935") is None
    assert parse_time(b"19126112416593") is None
    assert parse_time(b"") is None


def test_names_come_with_or_without_their_folder_and_once() -> None:
    names = parse_nlst([b"/in/a.csv", b"a.csv", b"/in/.", b"..", b"b.csv"])
    assert [entry.name for entry in names] == [b"a.csv", b"b.csv"]
