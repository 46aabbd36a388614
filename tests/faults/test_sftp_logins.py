"""Logins to SFTP servers that are full, silent, down or somebody else, and passwords and keys that no longer hold."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import asyncssh
import pytest

from data_connections.endpoints.contract import Credentials
from data_connections.endpoints.host_keys import HostKey, fetch_host_keys
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.errors import EndpointError, FatalEndpointError, RetriableEndpointError
from fixtures.fault_proxy import Mode
from fixtures.servers import OpenSsh, openssh
from fixtures.sftp_line import IN_TIME, PATIENT, SHORT, SIZE, Line
from local_stack.partner_sftp import prepare_partner

pytestmark = pytest.mark.closes_everything


async def test_a_server_that_takes_no_more_logins_may_be_tried_again() -> None:
    async def exceeded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Exceeded MaxStartups\r\n")
        writer.close()

    key = HostKey.of(asyncssh.generate_private_key("ssh-ed25519")).public
    async with await asyncio.start_server(exceeded, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(RetriableEndpointError, match="MaxStartups"):
            await SftpEndpoint("127.0.0.1", port, Credentials("a", "b", host_keys=(key,)), PATIENT).connect()


async def greeted(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection that sshd has greeted, and that logs in no further: the one place that there is."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        if (await reader.readline()).startswith(b"SSH-2.0-"):
            return reader, writer
        writer.close()


async def test_openssh_that_takes_no_more_logins_may_be_tried_again() -> None:
    with openssh("MaxStartups 1:100:1", "LoginGraceTime 600") as server:
        (server.folder / "a.csv").write_bytes(b"abc")
        credentials = Credentials(server.user, private_key=server.private_key.read_text(), host_keys=(server.host_key,))
        endpoint = SftpEndpoint("127.0.0.1", server.port, credentials, PATIENT)
        _, place = await greeted(server.port)
        async with asyncio.timeout(IN_TIME):
            for _ in range(3):
                with pytest.raises(RetriableEndpointError, match=r"takes no more logins just now.*tried again"):
                    await endpoint.connect()
        place.close()
        async with asyncio.timeout(IN_TIME):
            while True:
                # sshd hears of the place that is free now when its child has ended.
                with suppress(RetriableEndpointError):
                    await endpoint.connect()
                    break
        async with endpoint:
            assert [file.size for file in await endpoint.list(".")] == [3]


@pytest.mark.parametrize("mode", ["freeze", "blackhole"])
async def test_a_server_that_never_says_a_word_ends_in_time(line: Line, mode: Mode) -> None:
    line.proxy.set(mode)
    async with asyncio.timeout(IN_TIME):
        with pytest.raises(RetriableEndpointError, match=f"127.0.0.1:{line.proxy.port}.*no answer in time"):
            await line.endpoint(SHORT).connect()


async def test_leaving_a_frozen_server_ends_in_time(line: Line) -> None:
    endpoint = await line.frozen()
    async with asyncio.timeout(IN_TIME):
        await endpoint.close()


async def test_a_server_that_is_down_can_be_tried_again(line: Line) -> None:
    line.server.stop()
    with pytest.raises(RetriableEndpointError, match="connection"):
        await line.endpoint().connect()
    line.server.start()
    assert (await line.fetch()).size == SIZE


async def test_a_restarted_server_is_met_again_by_the_same_endpoint(line: Line) -> None:
    async with line.endpoint() as endpoint:
        await endpoint.stat("in/big.csv")
        line.server.stop()
        line.server.start()
        found = 0
        for _ in range(2):
            try:
                found = (await endpoint.stat("in/big.csv")).size
            except RetriableEndpointError:
                continue
        assert found == SIZE


async def test_a_wrong_password_is_final(line: Line) -> None:
    with pytest.raises(FatalEndpointError, match="refused the login 'partner'") as caught:
        await line.endpoint(password="not-the-password").connect()
    assert "not-the-password" not in str(caught.value)
    assert line.proxy.connections == 1


async def test_a_changed_host_key_is_final_and_shows_both_fingerprints(line: Line) -> None:
    other = HostKey.of(asyncssh.generate_private_key("ecdsa-sha2-nistp256"))
    real = HostKey.of(asyncssh.import_public_key(line.server.login.host_key))
    with pytest.raises(FatalEndpointError, match="not the pinned one") as caught:
        await line.endpoint(host_keys=(other.public,)).connect()
    assert other.fingerprint in str(caught.value)
    assert real.fingerprint in str(caught.value)
    assert line.proxy.connections == 1


async def test_two_host_keys_are_valid_while_a_partner_rotates(line: Line) -> None:
    other = HostKey.of(asyncssh.generate_private_key("ssh-ed25519")).public
    async with line.endpoint(host_keys=(other, line.server.login.host_key)) as endpoint:
        assert await endpoint.list("in")


async def test_without_a_pinned_host_key_nothing_is_connected(line: Line) -> None:
    with pytest.raises(FatalEndpointError, match="no host key is pinned"):
        await line.endpoint(host_keys=()).connect()
    assert line.proxy.connections == 0


async def test_the_host_key_can_be_fetched_for_approval(line: Line) -> None:
    (key,) = await fetch_host_keys("127.0.0.1", line.proxy.port, PATIENT)
    assert key.public == line.server.login.host_key
    assert key.fingerprint.startswith("SHA256:")


async def test_openssh_which_resets_connections_for_keys_that_it_has_not_shows_the_one_that_it_has(
    openssh_server: OpenSsh,
) -> None:
    for _ in range(4):
        found = await fetch_host_keys("127.0.0.1", openssh_server.port, PATIENT)
        assert [key.public for key in found] == [openssh_server.host_key]


async def test_fetching_the_host_key_of_a_silent_server_ends_in_time(line: Line) -> None:
    line.proxy.set("blackhole")
    async with asyncio.timeout(IN_TIME):
        with pytest.raises(RetriableEndpointError, match="no answer in time"):
            await fetch_host_keys("127.0.0.1", line.proxy.port, SHORT)


async def test_an_encrypted_key_needs_its_passphrase(line: Line) -> None:
    key = asyncssh.import_private_key(line.server.login.private_key)
    text = key.export_private_key(passphrase="open sesame", rounds=4).decode()
    async with line.endpoint(password=None, private_key=text, passphrase="open sesame") as endpoint:
        assert await endpoint.list("in")
    for wrong in (None, "open"):
        with pytest.raises(FatalEndpointError, match="passphrase is missing or wrong") as caught:
            await line.endpoint(password=None, private_key=text, passphrase=wrong).connect()
        assert "PRIVATE KEY" not in str(caught.value)


class _ExpiredServer(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        raise asyncssh.PasswordChangeRequired("Your password has expired")


async def test_an_expired_password_is_final_and_said_so(tmp_path: Path) -> None:
    login = prepare_partner(tmp_path)
    keys = [str(tmp_path / "host_key")]
    async with await asyncssh.listen("127.0.0.1", 0, server_host_keys=keys, server_factory=_ExpiredServer) as server:
        endpoint = SftpEndpoint(
            "127.0.0.1", server.get_port(), Credentials("partner", "old", host_keys=(login.host_key,)), PATIENT
        )
        with pytest.raises(FatalEndpointError, match="has expired"):
            await endpoint.connect()


async def test_errors_tell_the_place_and_keep_secrets(line: Line) -> None:
    secret = line.server.login.password
    line.server.stop()
    with pytest.raises(EndpointError) as caught:
        await line.endpoint().connect()
    assert f"127.0.0.1:{line.proxy.port}" in str(caught.value)
    assert secret not in str(caught.value)
    assert secret not in repr(line.endpoint().credentials)
