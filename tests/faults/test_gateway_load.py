"""Hundreds of partners at the gateway at once; not in the daily suite: `make test ARGS='-m load -s -n 0'`."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncssh
import pytest

from data_connections.catalog import current
from data_connections.gateway.public_keys import PublicKey
from data_connections.ledger import Ledger
from fixtures.catalog import apply_to, changed
from fixtures.hosting import PUSHED
from fixtures.servers import free_port, wait_for_port

pytestmark = [pytest.mark.load, pytest.mark.timeout(600)]

LOGINS, CONNECTIONS, TRANSFERS = 500, 50, 100
CONTENT = os.urandom(1024) * 1024
LOGIN_AT_ONCE = 40


class Crowd:
    """A gateway in a process of its own, with 500 logins of 50 connections that share one key pair."""

    def __init__(self, ledger: Ledger, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        specs = [changed(PUSHED, name=f"partner-{number}") for number in range(CONNECTIONS)]
        apply_to(ledger, *specs)
        self.ids = [current(ledger, spec["name"]).connection_id for spec in specs]
        with ledger.connect() as connection:
            connection.execute(
                """
                with made as (
                    insert into hosted_login (connection_id, login, created_by)
                    select (%s::bigint[])[1 + number %% %s], 'login-' || number, 'tests'
                    from generate_series(0, %s) number
                    returning id
                )
                insert into hosted_secret (login_id, kind, verifier, fingerprint, created_by)
                select id, 'public_key', %s, %s, 'tests' from made
                """,
                [self.ids, CONNECTIONS, LOGINS - 1, PublicKey.of(self.key).text, self.key.get_fingerprint()],
            )
        environment = {
            **os.environ,
            "CONNECTIONS_DATABASE_URL": ledger.url,
            "CONNECTIONS_HOME": str(home),
            "CONNECTIONS_GATEWAY_SFTP_PORT": str(self.port),
            "CONNECTIONS_GATEWAY_FTP_PORT": "0",
            "CONNECTIONS_GATEWAY_SMTP_PORT": "0",
        }
        command = [sys.executable, "-m", "command_line.main", "gateway", "serve"]
        with (home / "log").open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        wait_for_port(self.port, self.process)

    def files(self, number: int) -> Path:
        return self.home / "hosted" / str(self.ids[number % CONNECTIONS]) / "files"

    def memory(self) -> int:
        """Bytes that the gateway holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def cpu(self) -> float:
        """Seconds of CPU that the gateway has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def connect(self, number: int) -> asyncssh.SSHClientConnection:
        options = {"known_hosts": None, "config": None, "agent_path": None, "login_timeout": 120}
        return await asyncssh.connect(
            "127.0.0.1", self.port, username=f"login-{number}", client_keys=[self.key], **options
        )


@pytest.fixture
def crowd(ledger: Ledger, tmp_path: Path) -> Iterator[Crowd]:
    made = Crowd(ledger, tmp_path)
    yield made
    made.process.send_signal(signal.SIGTERM)
    assert made.process.wait(30) == 0


async def trickle(crowd: Crowd, started: asyncio.Event, stop: asyncio.Event) -> int:
    """Send one byte a second until told to stop, then close the file; returns how many."""
    connection = await crowd.connect(0)
    async with connection, connection.start_sftp_client() as client:
        handle = await client.open("/trickle.csv", "wb")
        sent = 0
        while not stop.is_set():
            await handle.write(b"x")
            sent += 1
            started.set()
            await asyncio.sleep(1)
        await handle.close()
    return sent


async def test_500_logins_100_transfers_and_a_trickle_do_no_harm(crowd: Crowd, ledger: Ledger) -> None:
    idle = crowd.memory()
    started, stop = asyncio.Event(), asyncio.Event()
    trickling = asyncio.create_task(trickle(crowd, started, stop))
    await started.wait()
    gate = asyncio.Semaphore(LOGIN_AT_ONCE)

    async def enter(number: int) -> asyncssh.SSHClientConnection:
        async with gate:
            return await crowd.connect(number)

    async def send(number: int, connection: asyncssh.SSHClientConnection) -> None:
        async with connection.start_sftp_client() as client, client.open(f"/file-{number}.csv", "wb") as handle:
            await handle.write(CONTENT)

    async with AsyncExitStack() as stack:
        begun, cpu = time.monotonic(), crowd.cpu()
        connections = await asyncio.gather(*(enter(number) for number in range(LOGINS)))
        for connection in connections:
            stack.push_async_exit(connection)
        entered, cpu_entered = time.monotonic(), crowd.cpu()
        await asyncio.gather(*(send(number, connections[number]) for number in range(TRANSFERS)))
        sent, cpu_sent = time.monotonic(), crowd.cpu()
        busy = crowd.memory()
        latecomer = await crowd.connect(1)
        async with latecomer, latecomer.start_sftp_client() as client:
            assert await client.isdir("/test")
    assert not (crowd.files(0) / "trickle.csv").exists()
    stop.set()
    trickled = await trickling
    assert (crowd.files(0) / "trickle.csv").stat().st_size == trickled
    wanted = hashlib.sha256(CONTENT).hexdigest()
    for number in range(TRANSFERS):
        assert hashlib.sha256((crowd.files(number) / f"file-{number}.csv").read_bytes()).hexdigest() == wanted
    print(
        f"\n{LOGINS} logins in {entered - begun:.1f} s ({cpu_entered - cpu:.1f} s of CPU); "
        f"{TRANSFERS} files of 1 MiB at once in {sent - entered:.1f} s ({cpu_sent - cpu_entered:.1f} s of CPU); "
        f"memory {idle / 2**20:.0f} MiB idle, {busy / 2**20:.0f} MiB with all of them; {trickled} bytes trickled"
    )
    assert busy < 500 * 2**20
    query = "select count(*) as n from activity where what = %s"
    async with asyncio.timeout(20):
        while ledger.one(query, ["file.uploaded"]) != {"n": TRANSFERS + 1}:  # noqa: ASYNC110 - another process writes
            await asyncio.sleep(0.1)
    assert ledger.one(query, ["login.used"]) == {"n": LOGINS + 2}
