"""A stand-in partner: a real SFTP server over one folder, for the demo and for tests.

``python -m local_stack.partner_sftp --folder FOLDER --port PORT`` serves ``FOLDER/files``; host key, client key and
password are made once and kept in ``FOLDER``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import asyncssh

LOGIN_FILE = "login.json"


@dataclass(frozen=True)
class PartnerLogin:
    """How to log in at the stand-in partner; everything here is made up by it.

    Attributes:
        login: The login's name.
        password: Works on its own.
        private_key: Works on its own; OpenSSH text without a passphrase.
        host_key: The server's public key, ``algorithm base64``.
    """

    login: str
    password: str
    private_key: str
    host_key: str


def prepare_partner(folder: Path, login: str = "partner") -> PartnerLogin:
    """Make the partner's keys, password and folders ``files/in``, ``files/out`` and ``files/results``, once."""
    for name in ("in", "out", "results"):
        (folder / "files" / name).mkdir(parents=True, exist_ok=True)
    kept = folder / LOGIN_FILE
    if not kept.exists():
        host_key = asyncssh.generate_private_key("ssh-ed25519")
        client_key = asyncssh.generate_private_key("ssh-ed25519")
        made = PartnerLogin(
            login, secrets.token_urlsafe(16), client_key.export_private_key().decode(), _public_text(host_key)
        )
        _write_private(folder / "host_key", host_key.export_private_key().decode())
        _write_private(kept, json.dumps(asdict(made), indent=2))
    return PartnerLogin(**json.loads(kept.read_text()))


def _public_text(key: asyncssh.SSHKey) -> str:
    return " ".join(key.export_public_key().decode().split()[:2])


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)


class _Server(asyncssh.SSHServer):
    def __init__(self, login: PartnerLogin, live: set[asyncssh.SSHServerConnection]) -> None:
        self._live = live
        self._login = login
        self._key = asyncssh.import_private_key(login.private_key).public_data

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._live.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._live.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        right = secrets.compare_digest(password.encode(), self._login.password.encode())
        return username == self._login.login and right

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._login.login and key.public_data == self._key


@asynccontextmanager
async def serving(folder: Path, port: int = 0) -> AsyncIterator[asyncssh.SSHAcceptor]:
    """Serve a prepared folder on loopback while inside, and cut every connection at the end.

    Port 0 takes any free one; ``get_port`` of the acceptor tells which.
    """
    login = prepare_partner(folder)
    live: set[asyncssh.SSHServerConnection] = set()
    files = str(folder / "files")

    def chrooted(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=files.encode())

    async with await asyncssh.listen(
        "127.0.0.1",
        port,
        server_host_keys=[str(folder / "host_key")],
        server_factory=lambda: _Server(login, live),
        sftp_factory=chrooted,
        allow_scp=False,
        login_timeout=30,
    ) as acceptor:
        try:
            yield acceptor
        finally:
            for connection in list(live):
                connection.abort()


class PartnerServer:
    """The stand-in partner in a thread of this process, used as ``with``.

    Attributes:
        login: How to log in.
        files: The folder that logins see as ``/``.
        host: Loopback address.
        port: TCP port, known once it runs.
    """

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.login = prepare_partner(folder)
        self.files = folder / "files"
        self.port = 0
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve, on the port that was used before where there was one."""
        started: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self._thread.start()
        self.port = started.result(timeout=20)

    def stop(self) -> None:
        """Stop serving and cut every connection."""
        if self._loop is not None and self._stop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=20)
        self._loop = self._stop = self._thread = None

    async def _serve(self, started: Future[int]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with serving(self.folder, self.port) as acceptor:
                started.set_result(acceptor.get_port())
                await self._stop.wait()
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            raise


async def serve_until_told(folder: Path, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(folder, port) as acceptor:
        print(f"Partner SFTP at 127.0.0.1:{acceptor.get_port()}, files in {folder / 'files'}", flush=True)
        await stop.wait()


def main() -> None:
    """Run the stand-in partner in the foreground."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where keys and files are kept")
    parser.add_argument("--port", type=int, default=0, help="TCP port on loopback; 0 takes any free one")
    options = parser.parse_args()
    asyncio.run(serve_until_told(options.folder, options.port))


if __name__ == "__main__":
    main()
