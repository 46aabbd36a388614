"""The gateway as partners meet it by SFTP."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import asyncssh
import pytest

from data_connections.endpoints.publish import publish
from data_connections.errors import ConfigurationError, RetriableEndpointError
from data_connections.gateway.public_keys import read_public_key
from data_connections.ledger import Ledger
from fixtures.catalog import apply_to, changed
from fixtures.hosting import COLLECTED, PUSHED, Hosting, Partner, until


@pytest.fixture
def partner(hosting: Hosting) -> Partner:
    return hosting.host(PUSHED)


async def names(client: asyncssh.SFTPClient, folder: str = "/") -> set[str]:
    return {name for name in await client.listdir(folder) if name not in (".", "..")}


async def test_a_file_appears_under_its_name_when_it_is_closed(hosting: Hosting, partner: Partner) -> None:
    async with partner.connect() as connection, connection.start_sftp_client() as client:
        handle = await client.open("/orders.csv", "wb")
        await handle.write(b"first half,")
        assert await names(client) == {"results", "test"}
        assert not (partner.files / "orders.csv").exists()
        await handle.write(b"second half")
        await handle.close()
        assert await names(client) == {"results", "test", "orders.csv"}
    assert (partner.files / "orders.csv").read_bytes() == b"first half,second half"
    assert list(partner.incoming.iterdir()) == []
    (entry,) = hosting.activity("file.uploaded")
    assert entry == {"who": "login acme-pushed", "subject": "/orders.csv", "details": {"size": 22}}


@pytest.mark.parametrize("how", ["abort", "close"])
async def test_a_file_whose_connection_ends_early_is_not_kept(hosting: Hosting, partner: Partner, how: str) -> None:
    async with partner.connect() as connection:
        client = await connection.start_sftp_client()
        handle = await client.open("/orders.csv", "wb")
        await handle.write(b"only the beginning")
        getattr(connection, how)()
        await connection.wait_closed()
    await until(lambda: not list(partner.incoming.iterdir()))
    assert {path.name for path in partner.files.iterdir()} == {"results", "test"}
    (entry,) = hosting.activity("file.refused")
    assert "ended after 18 bytes; nothing is kept" in entry["details"]["why"]


async def test_a_file_that_is_sent_again_is_replaced_in_one_stroke(partner: Partner) -> None:
    async with partner.connect() as connection, connection.start_sftp_client() as client:
        async with client.open("/a.csv", "wb") as handle:
            await handle.write(b"old")
        handle = await client.open("/a.csv", "wb")
        await handle.write(b"new content")
        assert (partner.files / "a.csv").read_bytes() == b"old"
        await handle.close()
        assert (partner.files / "a.csv").read_bytes() == b"new content"
        with pytest.raises(asyncssh.SFTPPermissionDenied, match="send it whole"):
            await client.open("/a.csv", "ab")


async def test_parts_that_were_never_sent_make_a_file_incomplete(partner: Partner) -> None:
    async with partner.connect() as connection, connection.start_sftp_client() as client:
        handle = await client.open("/holes.csv", "wb")
        await handle.write(b"beginning", 0)
        await handle.write(b"end", 1000)
        with pytest.raises(asyncssh.SFTPFailure, match="never sent"):
            await handle.close()
    assert not (partner.files / "holes.csv").exists()
    assert list(partner.incoming.iterdir()) == []


async def test_no_path_leads_outside(partner: Partner) -> None:
    paths = ("../o.csv", "/../../o.csv", "/test/../../../o.csv", "//..//..//o.csv", "/./.././o.csv", "/test/../o.csv")
    async with partner.connect() as connection, connection.start_sftp_client() as client:
        for path in paths:
            async with client.open(path, "wb") as handle:
                await handle.write(b"inside")
            assert await client.realpath(path) == "/o.csv"
            assert list(partner.hosting.folder.rglob("o.csv")) == [partner.files / "o.csv"]


async def test_files_go_nowhere_but_into_the_two_folders(partner: Partner) -> None:
    async with partner.connect() as connection, connection.start_sftp_client() as client:
        for path in ("/etc/passwd", "/new/x.csv", "/test/deep/x.csv", "/test", "/", "..", "/x\n/y.csv"):
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await client.open(path, "wb")
        for asked in ("/etc/passwd", "../../../../etc/passwd", "/proc/self/environ", "/incoming", "../incoming"):
            for look in (client.stat, client.open):
                with pytest.raises(asyncssh.SFTPNoSuchFile):
                    await look(asked)


async def test_links_are_neither_made_nor_followed(partner: Partner, tmp_path: Path) -> None:
    """Whoever could make one on our disk all the same, such as a restore, opens no door by it."""
    secret = tmp_path / "secret.txt"
    secret.write_text("of another partner")
    async with partner.connect() as connection, connection.start_sftp_client() as client:
        async with client.open("/own.csv", "wb") as handle:
            await handle.write(b"mine")
        for make in (client.symlink, client.link):
            for target in ("/etc/passwd", "/own.csv"):
                with pytest.raises(asyncssh.SFTPPermissionDenied, match="No links"):
                    await make(target, "/link.csv")
        (partner.files / "file.csv").symlink_to(secret)
        (partner.files / "folder").symlink_to(tmp_path)
        os.mkfifo(partner.files / "pipe.csv")
        assert await names(client) == {"results", "test", "own.csv"}
        for path in ("/file.csv", "/folder/secret.txt", "/folder", "/pipe.csv"):
            for look in (client.stat, client.lstat, client.open, client.remove):
                with pytest.raises(asyncssh.SFTPNoSuchFile):
                    await look(path)
        for path in ("/file.csv", "/folder", "/folder/secret.txt"):
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await client.open(path, "wb")
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await client.posix_rename("/own.csv", path)
    assert secret.read_text() == "of another partner"


async def test_each_login_sees_its_own_folder(hosting: Hosting, partner: Partner) -> None:
    other = hosting.host(changed(PUSHED, name="globex-pushed"))
    async with other.endpoint() as endpoint:
        await endpoint.upload("/theirs.csv", b"theirs")
    async with partner.connect() as connection, connection.start_sftp_client() as client:
        assert await names(client) == {"results", "test"}
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await client.open(f"/../../{other.connection_id}/files/theirs.csv", "rb")


async def test_nothing_but_sftp_is_offered(partner: Partner) -> None:
    async with partner.connect() as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", 22)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 22)
        for command in (None, "id", "scp -t /"):
            answer = await connection.run(command, check=False)
            assert (answer.exit_status, answer.stdout) == (1, "")
            assert "SFTP only" in str(answer.stderr)


async def test_any_name_is_taken_as_it_is(partner: Partner) -> None:
    raw_names = [b"new\nline.csv", b"not \xff.csv", "\N{MONEY BAG}.csv".encode(), b"n" * 255, b"-rf", b"a\\b", b"..csv"]
    async with partner.connect() as connection, connection.start_sftp_client(path_encoding=None) as client:
        for raw in raw_names:
            async with client.open(b"/" + raw, "wb") as handle:
                await handle.write(b"x")
        assert {*raw_names, b"results", b"test", b".", b".."} == set(await client.listdir(b"/"))
        for raw in (b"n" * 256, b"nul\0.csv", b".orders.csv.token.claimed"):
            with pytest.raises(asyncssh.SFTPError):
                await client.open(b"/" + raw, "wb")
    assert {os.fsencode(path.name) for path in partner.files.iterdir()} == {*raw_names, b"results", b"test"}


async def test_a_login_that_collects_puts_nothing(hosting: Hosting) -> None:
    partner = hosting.host(COLLECTED)
    partner.files.mkdir(parents=True)
    (partner.files / "report.csv").write_bytes(b"day,clicks\n" * 1000)
    async with partner.connect() as connection, connection.start_sftp_client() as client:
        for path in ("/x.csv", "/test/x.csv", "/report.csv"):
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await client.open(path, "wb")
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await client.rename("/report.csv", "/mine.csv")
        async with client.open("/report.csv", "rb") as handle:
            await handle.read(100)
    assert hosting.activity("file.downloaded") == []
    async with partner.endpoint() as endpoint:
        (file,) = await endpoint.list("/")
        assert len(b"".join([block async for block in endpoint.read(file.path)])) == 11_000
    (entry,) = hosting.activity("file.downloaded")
    assert (entry["subject"], entry["details"]) == ("/report.csv", {"size": 11_000})


async def test_sizes_and_quotas_hold(hosting: Hosting) -> None:
    spec = changed(PUSHED, limits={"max_bytes": 100_000}, details={"quota_bytes": 150_000, "quota_files": 9})
    partner = hosting.host(spec)
    async with partner.connect() as connection, connection.start_sftp_client() as client:
        handle = await client.open("/large.csv", "wb")
        with pytest.raises(asyncssh.SFTPFailure, match="larger than the 100,000 bytes"):
            await handle.write(b"x" * 100_001)
        with pytest.raises(asyncssh.SFTPFailure, match="larger than"):
            await handle.close()
        handle = await client.open("/far.csv", "wb")
        with pytest.raises(asyncssh.SFTPFailure, match="larger than"):
            await handle.write(b"x", 10**13)
        async with client.open("/one.csv", "wb") as handle:
            await handle.write(b"x" * 90_000)
        handle = await client.open("/two.csv", "wb")
        with pytest.raises(asyncssh.SFTPFailure, match="folder is full"):
            await handle.write(b"x" * 90_000)
        with pytest.raises(asyncssh.SFTPFailure, match="folder is full"):
            await handle.close()
    await until(lambda: not list(partner.incoming.iterdir()))
    assert {path.name for path in partner.files.iterdir()} == {"results", "test", "one.csv"}


async def test_too_many_files_are_refused(hosting: Hosting) -> None:
    partner = hosting.host(changed(PUSHED, details={"quota_files": 2}))
    async with partner.endpoint() as endpoint:
        for name in ("a.csv", "b.csv"):
            await endpoint.upload(name, b"x")
        with pytest.raises(RetriableEndpointError, match="2 files, as many as are agreed"):
            await endpoint.upload("c.csv", b"x")


async def test_a_new_revision_holds_from_the_next_login_on(hosting: Hosting, partner: Partner) -> None:
    apply_to(hosting.ledger, changed(PUSHED, limits={"max_bytes": 10}))
    hosting.refresh()
    async with partner.endpoint() as endpoint:
        with pytest.raises(RetriableEndpointError, match="larger than the 10 bytes"):
            await endpoint.upload("a.csv", b"x" * 11)


async def test_our_own_way_of_publishing_works_with_it(partner: Partner) -> None:
    async with partner.endpoint() as endpoint:
        published = await publish(endpoint, "/orders.csv", b"content" * 100_000)
        assert published.size == 700_000
        await publish(endpoint, "/test/trial.csv", b"trial")
    assert (partner.files / "orders.csv").stat().st_size == 700_000
    assert (partner.files / "test" / "trial.csv").read_bytes() == b"trial"


def test_the_openssh_client_puts_gets_renames_and_deletes(hosting: Hosting, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "them", "-f", str(key)], check=True)
    partner = hosting.host(PUSHED, key=read_public_key(key.with_suffix(".pub").read_text()))
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{hosting.port} {partner.host_keys[0]}\n")
    (tmp_path / "orders.csv").write_bytes(b"content\n" * 50_000)
    commands = "put -p orders.csv\nput orders.csv test/\nls -l\nget orders.csv back.csv\nrename orders.csv new.csv\n"
    commands += "rm test/orders.csv\npwd\nbye\n"
    options = ["-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"]
    address = ["-P", str(hosting.port), f"{partner.secret.login}@127.0.0.1"]
    done = subprocess.run(
        ["sftp", "-b", "-", "-i", str(key), *options, *address],
        input=commands,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "back.csv").read_bytes() == (tmp_path / "orders.csv").read_bytes()
    assert [path.name for path in partner.files.rglob("*") if path.is_file()] == ["new.csv"]
    (use,) = hosting.activity("login.used")
    assert use["details"]["label"] == "them"


async def test_a_clean_stop_lets_transfers_finish_and_takes_no_new_ones(hosting: Hosting, partner: Partner) -> None:
    async with partner.connect() as connection, connection.start_sftp_client() as client:
        handle = await client.open("/slow.csv", "wb")
        await handle.write(b"first,")
        hosting.begin_stop()
        await until(lambda: hosting.gateway.reception.closing)
        with pytest.raises(asyncssh.SFTPPermissionDenied, match="about to restart"):
            await client.open("/late.csv", "wb")
        await until(lambda: hosting.gateway._acceptor is None)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", hosting.port)
        await handle.write(b"last")
        await handle.close()
    await asyncio.to_thread(hosting.stop)
    assert (partner.files / "slow.csv").read_bytes() == b"first,last"
    assert hosting.ledger.one("select count(*) as n from activity where what = 'file.uploaded'") == {"n": 1}


async def test_what_a_killed_gateway_left_is_cleared_away(hosting: Hosting, partner: Partner) -> None:
    async with partner.endpoint():
        pass
    await asyncio.to_thread(hosting.stop)
    (partner.incoming / "left").write_bytes(b"half of a file")
    await asyncio.to_thread(hosting.start)
    assert list(partner.incoming.iterdir()) == []


def test_two_gateways_do_not_share_folders(hosting: Hosting) -> None:
    with pytest.raises(ConfigurationError, match="Another gateway"):
        Hosting(hosting.ledger, hosting.folder).start()


async def test_a_part_that_fails_is_told_of(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("data_connections.gateway.trials.Trials.check_on", fail)
    hosting = Hosting(ledger, tmp_path / "home").start()
    await until(hosting.gateway.broken.done)
    assert "the disk is gone" in str(hosting.gateway.broken.exception())
    await asyncio.to_thread(hosting.stop)
