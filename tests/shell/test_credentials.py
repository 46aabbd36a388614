from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from data_connections.postgres import EmbeddedPostgres
from fixtures.ftp_servers import PASSWORD, FtpServer
from fixtures.homes import new_home
from fixtures.typed import Shell
from local_stack.partner_sftp import PartnerServer

pytestmark = pytest.mark.airflow

SPEC = """name: {name}
program: acme
data_type: conversions
direction: inbound
method: sftp
credentials: partner
details: {{host: 127.0.0.1, port: {port}, folder: /in, file_pattern: "*.csv", result_folder: /results}}
"""


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    """An installation that was never started: the first command makes the databases."""
    home = new_home("connections-logins-")
    found = Shell(home)
    assert found.cold("credentials", "list").returncode == 0
    yield found
    found.end()
    EmbeddedPostgres(home / "postgres").stop()
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PartnerServer]:
    with PartnerServer(tmp_path_factory.mktemp("partner")) as server:
        yield server


@pytest.fixture(scope="module")
def applied(shell: Shell, partner: PartnerServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a connection to the partner."""
    folder = tmp_path_factory.mktemp("connections")
    (folder / "orders.yaml").write_text(SPEC.format(name="orders", port=partner.port))
    for arguments in (("reference", "apply"), ("apply", "-f", folder)):
        done = shell(*arguments)
        assert done.returncode == 0, done.stderr
    assert "There are no credentials 'partner' yet (for orders)" in done.stderr
    return "orders"


def store(shell: Shell, partner: PartnerServer, *more: object) -> subprocess.CompletedProcess[str]:
    arguments = ("--login", partner.login.login, "--password-env", "PW", *more)
    return shell("credentials", "set", "partner", *arguments, PW=partner.login.password)


def test_a_login_is_stored_used_and_deleted_and_never_shown(shell: Shell, applied: str, partner: PartnerServer) -> None:
    login = partner.login
    before = shell("test", applied)
    assert before.returncode == 1
    assert "there are no credentials 'partner'" in before.stdout

    stored = store(shell, partner, "--fetch-host-key", f"127.0.0.1:{partner.port}", "--yes")
    fingerprint = asyncssh.import_public_key(login.host_key).get_fingerprint()
    assert stored.returncode == 0, stored.stderr
    assert fingerprint in stored.stderr

    (listed,) = [each for each in shell.json("credentials", "list") if each["name"] == "partner"]
    assert listed["parts"] == [f"login {login.login}", "password", "1 host key"]
    assert listed["used_by"] == [applied]

    tried = shell.json("test", applied)
    assert (tried["ok"], [step["name"] for step in tried["steps"]]) == (
        True,
        ["credentials", "host key and login", "folder", "result folder", "next run"],
    )
    assert shell("credentials", "delete", "partner").returncode == 2
    assert shell("credentials", "delete", "partner", "--force").returncode == 0
    assert shell("test", applied).returncode == 1
    assert not any(login.password in done.stdout + done.stderr for done in (before, stored))


def test_a_part_of_a_login_is_changed_and_the_rest_stays(
    shell: Shell, applied: str, partner: PartnerServer, tmp_path: Path
) -> None:
    host_key = tmp_path / "known_hosts"
    host_key.write_text(f"# the partner's\n[127.0.0.1]:{partner.port} {partner.login.host_key}\n")
    assert store(shell, partner, "--host-key-file", host_key).returncode == 0

    wrong = shell("credentials", "set", "partner", "--password-env", "PW", PW="not the password")
    assert "1 host key" in wrong.stderr
    refused = shell("test", applied)
    assert (refused.returncode, "failed host key and login" in refused.stdout) == (1, True)

    key = tmp_path / "key"
    key.write_text(partner.login.private_key)
    assert shell("credentials", "set", "partner", "--private-key-file", key).returncode == 0
    assert shell("test", applied).returncode == 0

    other = tmp_path / "other.pub"
    other.write_text(asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode())
    assert shell("credentials", "set", "partner", "--host-key-file", other).returncode == 0
    refused = shell("test", applied)
    assert (refused.returncode, "failed host key and login" in refused.stdout) == (1, True)
    assert shell("credentials", "delete", "partner", "--force").returncode == 0


def test_a_login_that_is_of_no_use_is_not_stored(shell: Shell, applied: str) -> None:
    done = shell("credentials", "set", "partner", "--login", "me")

    assert done.returncode == 2
    assert "needs a password or a private key" in done.stderr
    assert [each["where"] for each in shell.json("credentials", "list")] == [None]


def test_a_login_for_ftps_is_stored_with_the_servers_certificate(
    shell: Shell, applied: str, pyftpdlib_server: FtpServer, tmp_path: Path
) -> None:
    place = f"127.0.0.1:{pyftpdlib_server.port}"
    arguments = ("--login", pyftpdlib_server.login, "--password-env", "PW", "--fetch-certificate", place, "--yes")
    stored = shell("credentials", "set", "ftps-partner", *arguments, PW=PASSWORD)
    assert stored.returncode == 0, stored.stderr
    assert f"{place} shows the certificate {pyftpdlib_server.tls.fingerprint}" in stored.stderr
    assert "No host key is pinned" not in stored.stderr

    spec = SPEC.format(name="by-ftps", port=pyftpdlib_server.port).replace("method: sftp", "method: ftp")
    (tmp_path / "by-ftps.yaml").write_text(spec.replace("credentials: partner", "credentials: ftps-partner"))
    assert shell("apply", "-f", tmp_path).returncode == 0
    for name in ("in", "results"):
        (pyftpdlib_server.folder / name).mkdir()
    tried = shell.json("test", "by-ftps")
    assert [step["name"] for step in tried["steps"]] == [
        "credentials",
        "certificate and login",
        "folder",
        "result folder",
        "next run",
    ]
    assert tried["ok"]
