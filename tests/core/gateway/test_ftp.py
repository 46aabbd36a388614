"""The gateway as partners meet it by FTPS and FTP."""

from __future__ import annotations

import asyncio
import contextlib
import ftplib
import io
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from data_connections.gateway.certificate import fingerprint_of, gateway_certificate
from data_connections.ledger import Ledger
from fixtures.catalog import changed
from fixtures.hosting import COLLECTED, PUSHED, Hosting, Partner, until

BY_FTP = changed(PUSHED, method="ftp")


@pytest.fixture
def partner(hosting: Hosting) -> Partner:
    return hosting.host(BY_FTP)


@contextmanager
def logged_in(partner: Partner, password: str | None = None) -> Iterator[ftplib.FTP_TLS]:
    """A client that speaks TLS on both connections and trusts the gateway's own certificate alone."""
    context = ssl.create_default_context(cafile=str(gateway_certificate(partner.hosting.configuration)))
    with ftplib.FTP_TLS(timeout=60, context=context) as client:
        client.connect("127.0.0.1", partner.hosting.ftp_port)
        client.host = "localhost"
        client.login(partner.secret.login, password or partner.secret.password)
        client.prot_p()
        yield client


def test_a_file_is_put_listed_fetched_renamed_and_deleted(hosting: Hosting, partner: Partner) -> None:
    content = b"order,amount\n" * 20_000
    with logged_in(partner) as client:
        client.storbinary("STOR orders.csv", io.BytesIO(content))
        client.storbinary("STOR /test/trial.txt", io.BytesIO(b"trial"))
        assert sorted(name for name, _ in client.mlsd("/")) == ["orders.csv", "results", "test"]
        client.voidcmd("TYPE I")
        assert client.size("orders.csv") == len(content)
        back = io.BytesIO()
        client.retrbinary("RETR orders.csv", back.write)
        assert back.getvalue() == content
        lines: list[str] = []
        client.retrlines("LIST", lines.append)
        assert any("acme-pushed partner" in " ".join(line.split()) for line in lines)
        client.rename("orders.csv", "new.csv")
        client.delete("/test/trial.txt")
    assert [path.name for path in partner.files.rglob("*") if path.is_file()] == ["new.csv"]
    assert (partner.files / "new.csv").read_bytes() == content
    assert [entry["subject"] for entry in hosting.activity("file.uploaded")] == ["/orders.csv", "/test/trial.txt"]
    assert [entry["subject"] for entry in hosting.activity("file.downloaded")] == ["/orders.csv"]
    (use,) = hosting.activity("login.used")
    assert use["details"]["protocol"] == "ftps"


class ImplicitClient(ftplib.FTP_TLS):
    """Speaks TLS from the first byte."""

    def connect(self, *arguments: object, **named: object) -> str:
        self.sock = socket.create_connection(("127.0.0.1", self.port), 60)
        self.af = self.sock.family
        self.sock = self.context.wrap_socket(self.sock, server_hostname="localhost")
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome


def test_tls_from_the_first_byte(hosting: Hosting) -> None:
    hosting.stop()
    hosting.changes["ftps_port"] = 0
    hosting.start()
    partner = hosting.host(BY_FTP)
    gateway = hosting.gateway
    assert gateway is not None
    context = ssl.create_default_context(cafile=str(gateway_certificate(hosting.configuration)))
    with ImplicitClient(timeout=60, context=context) as client:
        client.port = gateway.address.ftps_port or 0
        client.connect()
        client.host = "localhost"
        ftplib.FTP.login(client, partner.secret.login, partner.secret.password)
        client.prot_p()
        client.storbinary("STOR orders.csv", io.BytesIO(b"x" * 100_000))
        back = io.BytesIO()
        client.retrbinary("RETR orders.csv", back.write)
    assert back.getvalue() == b"x" * 100_000
    assert {entry["details"]["protocol"] for entry in hosting.activity("login.used")} == {"ftps"}
    with pytest.raises((OSError, EOFError)), ftplib.FTP(timeout=2) as plain:
        plain.connect("127.0.0.1", gateway.address.ftps_port or 0)
    with logged_in(partner) as explicit:
        assert "orders.csv" in explicit.nlst()


def test_an_upload_that_ends_without_tls_saying_so_is_not_kept(hosting: Hosting, partner: Partner) -> None:
    with logged_in(partner) as client:
        data = client.transfercmd("STOR orders.csv")
        data.sendall(b"x" * 100_000)
        raw = socket.socket(fileno=data.detach())
        raw.shutdown(socket.SHUT_RDWR)
        raw.close()
        with pytest.raises(ftplib.error_temp, match="nothing of the file is kept"):
            client.voidresp()
    assert not (partner.files / "orders.csv").exists()
    assert list(partner.incoming.iterdir()) == []


def test_a_control_connection_that_is_lost_takes_the_upload_with_it(hosting: Hosting, partner: Partner) -> None:
    with logged_in(partner) as client:
        data = client.transfercmd("STOR orders.csv")
        data.sendall(b"x" * 1000)
        client.sock.shutdown(socket.SHUT_RDWR)
        data.close()
    hosting.stop()
    assert not (partner.files / "orders.csv").exists()
    assert list(partner.incoming.iterdir()) == []


def test_no_path_leads_outside_and_no_link_is_followed(partner: Partner, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("of another partner")
    with logged_in(partner) as client:
        for path in ("../o.csv", "/../../o.csv", "/test/../../../o.csv", "//..//o.csv"):
            client.storbinary(f"STOR {path}", io.BytesIO(b"inside"))
            assert list(partner.hosting.folder.rglob("o.csv")) == [partner.files / "o.csv"]
        (partner.files / "file.csv").symlink_to(tmp_path / "secret.txt")
        (partner.files / "folder").symlink_to(tmp_path)
        for path in ("/etc/passwd", "../../../../etc/passwd", "/file.csv", "/folder/secret.txt", "/incoming"):
            for command in (f"RETR {path}", f"SIZE {path}", f"MDTM {path}", f"MLST {path}", f"DELE {path}"):
                with pytest.raises((ftplib.error_perm, ftplib.error_temp)):
                    client.voidcmd(command)
        for path in ("/etc/passwd", "/file.csv", "/folder/x.csv", "/new/x.csv", "/test", "/results/x.csv"):
            with pytest.raises(ftplib.error_perm):
                client.storbinary(f"STOR {path}", io.BytesIO(b"x"))
        for command in ("MKD /x", "RMD /test", "APPE o.csv", "STOU", "PORT 127,0,0,1,4,1", "SITE CHMOD 777 o.csv"):
            with pytest.raises((ftplib.error_perm, ftplib.error_temp)):
                client.sendcmd(command)
        with pytest.raises(ftplib.error_perm):
            client.cwd("/folder")
    assert (tmp_path / "secret.txt").read_text() == "of another partner"


def refusal_of(client: ftplib.FTP_TLS, name: str, size: int) -> str:
    """What the gateway answers to a file; the data connection may be gone before it is all sent."""
    try:
        with contextlib.suppress(OSError):
            return client.storbinary(f"STOR {name}", io.BytesIO(b"x" * size))
        return client.voidresp()
    except ftplib.error_perm as refused:
        return str(refused)


def test_a_clean_stop_lets_an_upload_finish(hosting: Hosting, partner: Partner) -> None:
    with logged_in(partner) as client:
        data = client.transfercmd("STOR slow.csv")
        data.sendall(b"first,")
        asyncio.run(until(hosting.gateway.reception.transfers))
        hosting.begin_stop()
        asyncio.run(until(lambda: hosting.gateway.reception.closing))
        data.sendall(b"last")
        data.unwrap()
        data.close()
        assert client.voidresp().startswith("226")
    hosting.stop()
    assert (partner.files / "slow.csv").read_bytes() == b"first,last"


def test_who_does_not_log_in_takes_no_place_from_others(
    hosting: Hosting, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosting.stop()
    hosting.changes["greetings_of_address"] = 5
    monkeypatch.setattr("data_connections.gateway.ftp_server.LOGIN_WITHIN", 2)
    hosting.start()
    idle = [socket.create_connection(("127.0.0.1", port), 60) for port in (hosting.ftp_port,) * 8]
    assert sorted(each.recv(3) for each in idle) == [b""] * 3 + [b"220"] * 5
    asyncio.run(until(lambda: not hosting.gateway.reception.sessions()))
    monkeypatch.setattr("data_connections.gateway.ftp_server.LOGIN_WITHIN", 60)
    with logged_in(partner) as client:
        client.storbinary("STOR orders.csv", io.BytesIO(b"x"))
    for each in idle:
        each.close()


def test_sizes_and_quotas_hold(hosting: Hosting) -> None:
    spec = changed(BY_FTP, limits={"max_bytes": 100_000}, details={"quota_bytes": 150_000})
    partner = hosting.host(spec)
    with logged_in(partner) as client:
        assert "larger than the 100,000 bytes" in refusal_of(client, "large.csv", 10_000_000)
        client.storbinary("STOR one.csv", io.BytesIO(b"x" * 90_000))
        assert "folder is full" in refusal_of(client, "two.csv", 90_000)
    assert {path.name for path in partner.files.iterdir()} == {"one.csv", "results", "test"}
    assert list(partner.incoming.iterdir()) == []


def test_who_is_not_let_in(hosting: Hosting, partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_connections.gateway.failed_logins.FIRST_PAUSE", 0.001)
    by_sftp = hosting.host(changed(PUSHED, name="acme-sftp"))
    with pytest.raises(ftplib.error_perm, match="530"), logged_in(partner, password="wrong"):
        pass
    with pytest.raises(ftplib.error_perm, match="530"), logged_in(by_sftp):
        pass
    with ftplib.FTP(timeout=60) as plain:
        plain.connect("127.0.0.1", hosting.ftp_port)
        with pytest.raises(ftplib.error_perm, match="550 SSL/TLS required"):
            plain.login(partner.secret.login, partner.secret.password)
    tried = [entry["details"]["tried"] for entry in hosting.activity("login.refused")]
    assert "the connection goes by sftp" in tried
    assert partner.secret.password not in str(tried)


def test_plain_ftp_only_where_gateway_and_connection_allow_it(ledger: Ledger, tmp_path: Path) -> None:
    hosting = Hosting(ledger, tmp_path / "home", {"plain_ftp": True}).start()
    try:
        allowed = hosting.host(changed(COLLECTED, method="ftp", details={"plain_ftp": True}))
        refused = hosting.host(BY_FTP)
        allowed.files.mkdir(parents=True, exist_ok=True)
        (allowed.files / "report.csv").write_bytes(b"day\n")
        with ftplib.FTP(timeout=60) as client:
            client.connect("127.0.0.1", hosting.ftp_port)
            client.login(allowed.secret.login, allowed.secret.password)
            assert client.nlst() == ["report.csv"]
            with pytest.raises(ftplib.error_perm, match="only collected"):
                client.storbinary("STOR x.csv", io.BytesIO(b"x"))
        with ftplib.FTP(timeout=60) as client:
            client.connect("127.0.0.1", hosting.ftp_port)
            with pytest.raises(ftplib.error_perm, match="530"):
                client.login(refused.secret.login, refused.secret.password)
    finally:
        hosting.stop()


def test_the_certificate_is_made_once_and_for_its_user_alone(hosting: Hosting) -> None:
    path = gateway_certificate(hosting.configuration)
    assert path.stat().st_mode & 0o077 == 0
    assert fingerprint_of(path) == fingerprint_of(gateway_certificate(hosting.configuration))
