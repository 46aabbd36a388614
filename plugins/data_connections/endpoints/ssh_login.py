"""Logging in over SSH: one pinned server, one login, no other key, agent or configuration file of this machine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

import asyncssh

from data_connections.endpoints.contract import Credentials, Timeouts
from data_connections.endpoints.host_keys import (
    HostKey,
    preferred_algorithms,
    read_host_keys,
)
from data_connections.endpoints.names import shown
from data_connections.endpoints.sockets import open_socket
from data_connections.endpoints.ssh_errors import reported
from data_connections.errors import FatalEndpointError, RetriableEndpointError

# Hardware does AES-GCM several times faster than the default ChaCha20.
CIPHERS = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
# A password is sent once, by the method that can tell an expired one from a wrong one.
LOGIN_METHODS = ("publickey", "password", "keyboard-interactive")
# The largest packet of OpenSSH with what is around it.
PIECE = 33 * 1024


@dataclass(frozen=True)
class Session:
    """A live connection and the SFTP client on it."""

    connection: asyncssh.SSHClientConnection
    client: asyncssh.SFTPClient


class _PinnedClient(asyncssh.SSHClient):
    """Accepts only pinned host keys and remembers what it was offered, for the message."""

    def __init__(self, pinned: tuple[HostKey, ...]) -> None:
        self.pinned = pinned
        self.offered: HostKey | None = None
        self.password_expired = False

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.offered = HostKey.of(key)
        return any(self.offered.public == pin.public for pin in self.pinned)

    def password_change_requested(self, prompt: str, lang: str) -> tuple[str, str]:
        self.password_expired = True
        refused: tuple[str, str] = NotImplemented
        return refused


async def log_in(host: str, port: int, credentials: Credentials, timeouts: Timeouts, address: str) -> Session:
    """Connect, check the host key, log in and start SFTP.

    Raises:
        RetriableEndpointError: The server cannot be reached, is too slow or takes nobody more.
        FatalEndpointError: Host key, login or key file are wrong, or the server has no SFTP.
    """
    watcher = _PinnedClient(read_host_keys(credentials.host_keys, address))
    keys = _private_keys(credentials, address)
    with reported(address, f"logging in as {shown(credentials.login)!r}", timeouts):
        try:
            return await _connect(host, port, credentials, keys, timeouts, watcher)
        except asyncssh.HostKeyNotVerifiable as error:
            raise _host_key_refused(address, watcher) from error
        except (asyncssh.PermissionDenied, asyncssh.ProtocolError) as error:
            if isinstance(error, asyncssh.ProtocolError) and "authentication failures" not in error.reason:
                raise
            raise _login_refused(address, credentials, watcher) from error
        except asyncssh.ChannelOpenError as error:
            raise FatalEndpointError(
                f"{address}: the login {shown(credentials.login)!r} works, but the server opens no SFTP session "
                f"({shown(error.reason)}). Ask whoever runs it to allow SFTP for this login."
            ) from error


async def _connect(
    host: str,
    port: int,
    credentials: Credentials,
    keys: list[asyncssh.SSHKey] | None,
    timeouts: Timeouts,
    watcher: _PinnedClient,
) -> Session:
    sock = await open_socket(host, port, timeouts)
    connection: asyncssh.SSHClientConnection | None = None
    try:
        async with asyncio.timeout(timeouts.login):
            connection = await asyncssh.connect(
                host,
                port,
                sock=sock,
                config=None,
                known_hosts=([], [], []),
                client_factory=lambda: watcher,
                server_host_key_algs=preferred_algorithms(watcher.pinned),
                username=credentials.login,
                password=credentials.password,
                client_keys=keys,
                agent_path=None,
                preferred_auth=LOGIN_METHODS,
                gss_host=None,
                encryption_algs=CIPHERS,
                compression_algs=["none"],
            )
            _take_in_pieces(connection)
            return Session(connection, await connection.start_sftp_client(path_encoding=None))
    except BaseException:
        if connection is not None:
            connection.abort()
        sock.close()
        raise


def _take_in_pieces(connection: asyncssh.SSHClientConnection) -> None:
    """Hand what came to the connection about a packet at a time: for each packet it copies all that it was handed."""
    received = connection.data_received

    def data_received(data: bytes, datatype: int | None = None) -> None:
        whole = memoryview(data)
        for start in range(0, len(data), PIECE):
            if start and connection.is_closed():
                return
            received(cast("bytes", whole[start : start + PIECE]), datatype)

    connection.data_received = data_received  # type: ignore[method-assign]  # the transport asks for it each time


def _private_keys(credentials: Credentials, address: str) -> list[asyncssh.SSHKey] | None:
    if not credentials.private_key:
        return None
    try:
        return [asyncssh.import_private_key(credentials.private_key, credentials.passphrase)]
    except ValueError as error:
        locked = isinstance(error, asyncssh.KeyEncryptionError) or "passphrase" in str(error).lower()
        problem = (
            "the passphrase is missing or wrong" if locked else "it is no private key in OpenSSH, PEM or PKCS8 form"
        )
    raise FatalEndpointError(
        f"{address}: the private key of login {shown(credentials.login)!r} cannot be used: {problem}. "
        "Set the credentials again."
    )


def _host_key_refused(address: str, watcher: _PinnedClient) -> FatalEndpointError | RetriableEndpointError:
    if watcher.offered is None:
        return RetriableEndpointError(f"{address}: the server sent a host key that cannot be read; it is tried again.")
    pinned = ", ".join(f"{pin.algorithm} {pin.fingerprint}" for pin in watcher.pinned)
    return FatalEndpointError(
        f"{address}: the server's host key is not the pinned one. Offered: {watcher.offered.algorithm} "
        f"{watcher.offered.fingerprint}. Pinned: {pinned}. Somebody may be listening in, or the partner has a new key: "
        "ask the partner for the fingerprint by another way, and only if it is the offered one add that key to the "
        "credentials' host_keys."
    )


def _login_refused(address: str, credentials: Credentials, watcher: _PinnedClient) -> FatalEndpointError:
    login = shown(credentials.login)
    if watcher.password_expired:
        return FatalEndpointError(
            f"{address}: the password of login {login!r} has expired. Ask the partner for a new one and set the "
            "credentials again."
        )
    given = [
        name for name, value in (("password", credentials.password), ("private key", credentials.private_key)) if value
    ]
    return FatalEndpointError(
        f"{address}: the server refused the login {login!r} (tried: {' and '.join(given) or 'nothing'}). Check the "
        "login name, which is case-sensitive, and set the credentials again; it is not tried again by itself, so that "
        "the account is not locked."
    )
