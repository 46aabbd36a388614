"""SSH at the gateway: who is let in, and how wrong guesses are answered."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncssh
from asyncssh.constants import EXTENDED_DATA_STDERR
from asyncssh.stream import SSHServerStreamSession

from data_connections.gateway.desk import Desk
from data_connections.gateway.public_keys import PublicKey
from data_connections.gateway.reception import Reception
from data_connections.gateway.roster import Proof
from data_connections.gateway.server_keys import ServerKey
from data_connections.gateway.sftp_server import FolderSession, FolderSftp

LOGIN_WITHIN = 30
ALIVE_EVERY = 60
MOST_GUESSES = 6
"""Passwords and keys that one connection may try; clients offer the keys of an agent one after the other."""


class PartnerSsh(asyncssh.SSHServer):
    """One SSH connection.

    Args:
        reception: Who comes in.
    """

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._proof: Proof | None = None
        self._login = ""
        self._tried: list[str] = []
        self._counted = False
        self.desk: Desk | None = None
        self.address = ""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Look whether there is room."""
        self._connection = conn
        self.address = str((conn.get_extra_info("peername") or ("?",))[0])
        conn.set_extra_info(partner=self)
        if not self._reception.greet(self, conn.abort, self.address):
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Write down a guesser, and leave."""
        if self._tried and self.desk is None:
            if not self._counted:
                self._reception.failed.failed(self.address)
            self._reception.journal.login_refused(self._login, self.address, "sftp", ", ".join(self._tried))
        self._reception.part(self)

    def begin_auth(self, username: str) -> bool:
        """Note the name, and ask for proof in any case."""
        self._login = username
        return True

    def password_auth_supported(self) -> bool:
        """Yes."""
        return True

    def kbdint_auth_supported(self) -> bool:
        """No: asyncssh would offer it whenever passwords are."""
        return False

    def public_key_auth_supported(self) -> bool:
        """Yes."""
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Compare a password; the more an address has failed, the later it is answered."""
        self._proof = await self._reception.roster.by_password(username, password)
        if self._proof is None:
            await self._refuse("password", pause=True)
        return self._proof is not None

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Compare a key; whether the client holds its private half, asyncssh finds out."""
        public = PublicKey.of(key)
        self._proof = await self._reception.roster.by_key(username, public.text)
        if self._proof is None:
            await self._refuse(f"key {public.fingerprint}", pause=False)
        return self._proof is not None

    async def _refuse(self, what: str, *, pause: bool) -> None:
        self._tried.append(what)
        if pause:
            self._counted = True
            await asyncio.sleep(self._reception.failed.failed(self.address))
        if len(self._tried) >= MOST_GUESSES:
            self._connection.abort()

    def session_requested(self) -> _Channel:
        """Serve a channel of the connection."""
        return _Channel()

    def auth_completed(self) -> None:
        """Give the login its folder."""
        if self._proof is not None:
            self.desk = self._reception.admit(self, self._proof, self.address, "sftp")
        if self.desk is None:
            self._connection.abort()


class _Channel(SSHServerStreamSession[bytes]):
    """A channel that takes the SFTP subsystem; whoever wants a shell is told that there is none."""

    def __init__(self) -> None:
        super().__init__(_serve_session)

    def subsystem_requested(self, subsystem: str) -> bool:
        return subsystem == "sftp"

    def session_started(self) -> None:
        assert self._chan is not None  # noqa: S101 - the session has started
        reader, writer = asyncssh.SSHReader[bytes](self, self._chan), asyncssh.SSHWriter[bytes](self, self._chan)
        errors = asyncssh.SSHWriter[bytes](self, self._chan, EXTENDED_DATA_STDERR)
        self._chan.get_connection().create_task(_serve_session(reader, writer, errors))


async def _serve_session(stdin: Any, stdout: Any, stderr: Any) -> None:
    """Serve one channel of a connection: SFTP, and nothing else."""
    channel = stdin.channel
    partner: PartnerSsh = channel.get_connection().get_extra_info("partner")
    if channel.get_subsystem() != "sftp" or partner.desk is None:
        stderr.write(b"This server offers SFTP only.\r\n")
        channel.exit(1)
        return
    await FolderSession(FolderSftp(channel, partner.desk.again()), stdin, stdout).run()


async def listen_ssh(reception: Reception, keys: list[ServerKey], port: int) -> asyncssh.SSHAcceptor:
    """Begin to take SSH connections.

    Args:
        reception: Who comes in.
        keys: Our host keys; the first is used, the others are told to clients that ask.
        port: TCP port; 0 takes any free one.
    """
    return await asyncssh.listen(
        reception.configuration.bind,
        port,
        server_factory=lambda: PartnerSsh(reception),
        server_host_keys=[str(key.private_file) for key in keys],
        send_server_host_keys=True,
        encoding=None,
        login_timeout=LOGIN_WITHIN,
        keepalive_interval=ALIVE_EVERY,
        agent_forwarding=False,
        x11_forwarding=False,
        allow_pty=False,
        compression_algs=None,
        server_version="Connections",
        backlog=512,
        line_editor=False,
    )
