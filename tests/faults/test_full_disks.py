"""Full disks, the receiver's and our own: no part is taken for the whole, and it goes on once there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from data_connections.endpoints.contract import Credentials, Endpoint, Timeouts
from data_connections.endpoints.ftp import FtpsEndpoint
from data_connections.endpoints.publish import publish
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.errors import RetriableEndpointError
from data_connections.landing import Landing, LandingFull
from data_connections.steps import inbound
from fixtures.ftp_servers import PASSWORD, FtpServer
from fixtures.sender import Partner, orders_file
from local_stack.partner_sftp import PartnerServer

pytestmark = pytest.mark.closes_everything
QUICK = Timeouts(connect=30, login=60, operation=60, stall=60, close=2)
SMALL = 256 * 1024
LARGE = b"x" * (4 * SMALL)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 256 KiB, which takes the rights of an administrator."""
    folder.mkdir()
    options = f"size={SMALL},mode=777"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, timeout=20)
    if done.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True, timeout=20)


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def _is_told_and_goes_on(endpoint: Endpoint, disk: Path, path: str) -> None:
    async with endpoint:
        with pytest.raises(RetriableEndpointError, match=r"full|No space|disk"):
            await publish(endpoint, f"{path}/report.csv", LARGE, token="one")
        assert _names(disk) == []
        await publish(endpoint, f"{path}/report.csv", LARGE[: SMALL // 2], token="two")
    assert (disk / "report.csv").read_bytes() == LARGE[: SMALL // 2]


@pytest.mark.parametrize("fixture", ["vsftpd_server", "pure_ftpd_server"])
async def test_an_ftp_server_whose_disk_is_full(fixture: str, request: pytest.FixtureRequest) -> None:
    server: FtpServer = request.getfixturevalue(fixture)
    credentials = Credentials(server.login, PASSWORD, certificates=(server.tls.fingerprint,))
    with small_disk(server.folder / "small") as disk:
        await _is_told_and_goes_on(FtpsEndpoint("127.0.0.1", server.port, credentials, QUICK), disk, "small")


async def test_an_sftp_server_whose_disk_is_full(sftp_partner: PartnerServer) -> None:
    login = sftp_partner.login
    credentials = Credentials(login.login, login.password, host_keys=(login.host_key,))
    with small_disk(sftp_partner.files / "small") as disk:
        await _is_told_and_goes_on(SftpEndpoint("127.0.0.1", sftp_partner.port, credentials, QUICK), disk, "/small")


def test_our_own_disk_is_full_while_a_file_is_fetched(partner: Partner, tmp_path: Path) -> None:
    rows = (f"A{number},1.00" for number in range(20_000))
    partner.put_bytes("large.csv", orders_file(*rows))
    [submission] = partner.claim(partner.begin())
    ledger = partner.desk.ledger
    with small_disk(tmp_path / "small") as disk:
        with pytest.raises(LandingFull, match=r"has no room left.*It is tried again"):
            inbound.fetch(ledger, submission, partner.endpoint, Landing(disk / "landing"))
        assert [path for path in disk.rglob("*") if path.is_file()] == []
    assert ledger.one("select state from submission") == {"state": "claimed"}
    assert partner.steps(submission)["accepted"] == 20_000
