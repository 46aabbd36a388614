"""The servers that every endpoint test runs against: SFTP by two makers, FTP by three, with each kind of TLS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from data_connections.endpoints.contract import Credentials, Endpoint, Timeouts
from data_connections.endpoints.ftp import FtpMaker
from data_connections.endpoints.ftp_client import Tls
from data_connections.endpoints.hosted import HostedEndpoint
from data_connections.endpoints.sftp import SftpEndpoint
from fixtures.ftp_servers import PASSWORD, FtpServer
from fixtures.servers import OpenSsh
from local_stack.partner_sftp import PartnerServer

QUICK = Timeouts(connect=30, login=60, operation=60, stall=60, close=2)


@dataclass(frozen=True)
class Served:
    """A running server and the folder that its login starts in."""

    kind: str
    port: int
    folder: Path
    credentials: Credentials
    make: Callable[[str, int, Credentials, Timeouts], Endpoint] = SftpEndpoint
    follows_links: bool = True

    def endpoint(self, port: int | None = None, timeouts: Timeouts = QUICK) -> Endpoint:
        return self.make("127.0.0.1", port or self.port, self.credentials, timeouts)


def served_by_asyncssh(server: PartnerServer) -> Served:
    login = server.login
    credentials = Credentials(login.login, password=login.password, host_keys=(login.host_key,))
    return Served("asyncssh", server.port, server.files, credentials)


def served_by_openssh(server: OpenSsh) -> Served:
    key = server.private_key.read_text()
    credentials = Credentials(server.user, private_key=key, host_keys=(server.host_key,))
    return Served("openssh", server.port, server.folder, credentials)


@dataclass(frozen=True)
class ServedHere(Served):
    """A folder at our gateway, which no server stands before."""

    def endpoint(self, port: int | None = None, timeouts: Timeouts = QUICK) -> HostedEndpoint:
        return HostedEndpoint(self.folder)


def served_here(folder: Path) -> Served:
    (folder / "files").mkdir()
    return ServedHere("hosted", 0, folder / "files", Credentials("nobody"), follows_links=False)


def served_by_ftp(server: FtpServer, tls: Tls = "explicit") -> Served:
    credentials = Credentials(server.login, password=PASSWORD, certificates=(server.tls.fingerprint,))
    return Served(server.kind, server.port, server.folder, credentials, FtpMaker(tls))


SFTP: dict[str, tuple[str, Callable[..., Served]]] = {
    "asyncssh": ("sftp_partner", served_by_asyncssh),
    "openssh": ("openssh_server", served_by_openssh),
}
HERE: dict[str, tuple[str, Callable[..., Served]]] = {"hosted": ("tmp_path", served_here)}
FTP: dict[str, tuple[str, Callable[..., Served]]] = {
    "vsftpd": ("vsftpd_server", served_by_ftp),
    "pure-ftpd": ("pure_ftpd_server", served_by_ftp),
    "pyftpdlib": ("pyftpdlib_server", served_by_ftp),
}


OTHER_TLS: dict[str, tuple[str, Callable[..., Served]]] = {
    "implicit vsftpd": ("implicit_vsftpd_server", partial(served_by_ftp, tls="implicit")),
    "plain vsftpd": ("plain_vsftpd_server", partial(served_by_ftp, tls="none")),
}


@pytest.fixture(params=[*SFTP, *HERE, *FTP, *OTHER_TLS])
def served(request: pytest.FixtureRequest) -> Served:
    """One server after the other, with nothing in its folder but what it comes with."""
    fixture, make = {**SFTP, **HERE, **FTP, **OTHER_TLS}[request.param]
    return make(request.getfixturevalue(fixture))


@pytest.fixture(params=[*FTP])
def ftp_served(request: pytest.FixtureRequest) -> Served:
    """One FTP server after the other."""
    fixture, make = FTP[request.param]
    return make(request.getfixturevalue(fixture))
