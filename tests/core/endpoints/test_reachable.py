"""Where connections may go, and what the error says to allow."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from data_connections.endpoints.contract import Credentials
from data_connections.endpoints.ftp import PlainFtpEndpoint
from data_connections.endpoints.host_keys import fetch_host_keys
from data_connections.endpoints.reachable import Reachable
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.errors import ConfigurationError, FatalEndpointError
from data_connections.settings import Settings, allowed_file
from local_stack.partner_sftp import PartnerServer

from .conftest import QUICK, served_by_asyncssh

INSIDE = {
    "127.0.0.1": "loopback",
    "127.8.9.10": "loopback",
    "::1": "loopback",
    "::ffff:127.0.0.1": "loopback",
    "64:ff9b::7f00:1": "loopback",
    "2002:7f00:1::": "loopback",
    "169.254.169.254": "a metadata service",
    "fd00:ec2::254": "a metadata service",
    "169.254.1.1": "link-local",
    "fe80::1%eth0": "link-local",
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "private",
    "fd12::1": "private",
    "0.0.0.0": "no address to connect to",
    "224.0.0.1": "no address to connect to",
}


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_inside_is_reached_unasked(address: str) -> None:
    assert Reachable().objection(address) == INSIDE[address]


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"])
def test_public_addresses_are_reached(address: str) -> None:
    assert Reachable().objection(address) is None


def test_what_is_allowed_is_reached_and_no_more() -> None:
    reachable = Reachable.of(["10.1.0.0/16", "127.0.0.1"])
    assert reachable.objection("10.1.255.1") is None
    assert reachable.objection("::ffff:127.0.0.1") is None
    assert reachable.objection("10.2.0.1") == "private"
    assert reachable.objection("127.0.0.2") == "loopback"


def test_a_network_that_is_none_is_told() -> None:
    with pytest.raises(ConfigurationError, match="CONNECTIONS_ALLOW_ADDRESSES: 'localhost'"):
        Reachable.of(["localhost"])


@pytest.mark.parametrize("make", [SftpEndpoint, PlainFtpEndpoint])
async def test_the_error_names_the_setting_and_nothing_is_sent(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTIONS_ALLOW_ADDRESSES", "")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        credentials = Credentials("us", "secret", host_keys=("ssh-ed25519 " + "A" * 43,))
        if make is SftpEndpoint:
            with pytest.raises(FatalEndpointError, match=r"is loopback.*CONNECTIONS_ALLOW_ADDRESSES=127"):
                await fetch_host_keys("localhost", server.getsockname()[1], QUICK)
        else:
            with pytest.raises(FatalEndpointError, match=r"is loopback.*CONNECTIONS_ALLOW_ADDRESSES=127"):
                await make("localhost", server.getsockname()[1], credentials, QUICK).connect()
        with pytest.raises(BlockingIOError):
            server.accept()


async def test_a_name_is_resolved_once_and_checked_again_when_connected(
    sftp_partner: PartnerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def resolve(self: Any, host: str, port: int, **options: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]

    async def rebound(self: Any, sock: socket.socket, address: Any) -> None:
        sock.setblocking(True)
        sock.connect(("127.0.0.1", address[1]))

    loop = type(asyncio.get_running_loop())
    monkeypatch.setenv("CONNECTIONS_ALLOW_ADDRESSES", "")
    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    monkeypatch.setattr(loop, "sock_connect", rebound)
    with pytest.raises(FatalEndpointError, match="loopback"):
        await served_by_asyncssh(sftp_partner).endpoint().connect()
    assert asked == ["127.0.0.1"]


def test_the_file_of_an_installation_allows_where_no_variable_does(tmp_path: Path) -> None:
    assert Settings.from_environment({"CONNECTIONS_HOME": str(tmp_path)}).allowed_addresses == ()
    allowed_file(tmp_path).write_text("127.0.0.0/8\n::1\n")
    home = {"CONNECTIONS_HOME": str(tmp_path)}
    assert Settings.from_environment(home).allowed_addresses == ("127.0.0.0/8", "::1")
    assert Settings.from_environment({**home, "CONNECTIONS_ALLOW_ADDRESSES": ""}).allowed_addresses == ()
