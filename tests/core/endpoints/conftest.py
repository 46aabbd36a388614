"""The servers that every SFTP test runs against: asyncssh (the stand-in partner) and OpenSSH."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from data_connections.endpoints.contract import Credentials, Endpoint, Timeouts
from data_connections.endpoints.hosted import HostedEndpoint
from data_connections.endpoints.sftp import SftpEndpoint
from fixtures.servers import OpenSsh
from local_stack.partner_sftp import PartnerServer

QUICK = Timeouts(connect=5, login=10, operation=10, stall=10, close=2)


@dataclass(frozen=True)
class Served:
    """A running SFTP server and the folder that its login starts in."""

    port: int
    folder: Path
    credentials: Credentials
    follows_links: bool = True

    def endpoint(self, port: int | None = None, timeouts: Timeouts = QUICK) -> Endpoint:
        return SftpEndpoint("127.0.0.1", port or self.port, self.credentials, timeouts)


def served_by_asyncssh(server: PartnerServer) -> Served:
    login = server.login
    return Served(
        server.port, server.files, Credentials(login.login, password=login.password, host_keys=(login.host_key,))
    )


def served_by_openssh(server: OpenSsh) -> Served:
    key = server.private_key.read_text()
    return Served(server.port, server.folder, Credentials(server.user, private_key=key, host_keys=(server.host_key,)))


@dataclass(frozen=True)
class ServedHere(Served):
    """A folder at our gateway, which no server stands before."""

    def endpoint(self, port: int | None = None, timeouts: Timeouts = QUICK) -> HostedEndpoint:
        return HostedEndpoint(self.folder)


def served_here(folder: Path) -> Served:
    (folder / "files").mkdir()
    return ServedHere(0, folder / "files", Credentials("nobody"), follows_links=False)


@pytest.fixture(params=["asyncssh", "openssh", "hosted"])
def served(request: pytest.FixtureRequest) -> Served:
    """One server after the other."""
    makers: dict[str, tuple[str, Callable[..., Served]]] = {
        "asyncssh": ("sftp_partner", served_by_asyncssh),
        "openssh": ("openssh_server", served_by_openssh),
        "hosted": ("tmp_path", served_here),
    }
    fixture, make = makers[request.param]
    return make(request.getfixturevalue(fixture))
