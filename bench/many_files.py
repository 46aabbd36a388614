"""Ten thousand small files in one folder: listed, matched and claimed by one run, over SFTP on loopback."""

from __future__ import annotations

import asyncio
import getpass
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from bench.apply_conversions import bench_folder, prepared
from bench.pairing import Result, Tell, compare_seconds, seconds_of
from bench.transfer_servers import Serving, openssh
from data_connections.endpoints.blocking import open_endpoint
from data_connections.endpoints.contract import Credentials
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.ledger import Ledger
from data_connections.postgres import EmbeddedPostgres
from data_connections.steps import inbound
from data_connections.steps.pinned_run import begin_run
from triggers.arrivals import Lookout

FILES = 10_000
OTHERS = 1_000
SECONDS = 10.0
_NAME = "many-files"
_SPEC = """
program: acme
data_type: conversions
direction: inbound
method: sftp
credentials: none
details: {host: localhost, folder: /none, file_pattern: "orders_*.csv"}
"""
_EMPTY = "truncate sighting, submission, connection_run cascade"


@dataclass(frozen=True)
class _Folder:
    serving: Serving
    ledger: Ledger
    credentials: Credentials

    def ours(self) -> float:
        """Seconds of a run's two looks, every file noted in the ledger, the claim of all, and what the run takes."""
        with self.ledger.connect() as connection:
            connection.execute(_EMPTY)
        claimed: list[int] = []
        seconds = seconds_of(lambda: claimed.append(self._claimed()))
        if claimed != [FILES]:
            raise AssertionError(f"Claimed were {claimed}, expected {FILES} files.")
        return seconds

    def _claimed(self) -> int:
        with open_endpoint(lambda: SftpEndpoint("127.0.0.1", self.serving.port, self.credentials)) as endpoint:
            run = begin_run(self.ledger, _NAME, 1, "bench")
            lookout = Lookout(self.ledger, run)
            lookout.judge(endpoint.list(""))
            lookout.claim(lookout.judge(endpoint.list("")))
        leased = inbound.lease(self.ledger, run)
        return len(leased.submissions) + leased.more

    def listing(self) -> float:
        """Seconds of two listings by plain asyncssh, which neither matches nor remembers anything."""
        return seconds_of(lambda: asyncio.run(self._listed()))

    async def _listed(self) -> None:
        key = asyncssh.import_private_key(self.credentials.private_key or "")
        async with asyncssh.connect(
            "127.0.0.1", self.serving.port, username=self.credentials.login, client_keys=[key], known_hosts=None
        ) as connection:
            client = await connection.start_sftp_client()
            for _ in range(2):
                found = [entry async for entry in client.scandir(".")]
                if len(found) < FILES + OTHERS:
                    raise AssertionError(f"Listed were {len(found)} files.")


def many_small_files(tell: Tell) -> Result:
    """List, match and claim them within ten seconds."""
    os.environ.setdefault("CONNECTIONS_ALLOW_ADDRESSES", "127.0.0.0/8")
    with openssh() as serving, tempfile.TemporaryDirectory(dir=bench_folder()) as name:
        for number in range(FILES):
            (serving.files / f"orders_{number}.csv").write_text(f"OrderId\no-{number}\n")
        for number in range(OTHERS):
            (serving.files / f"other_{number}.txt").touch()
        folder = Path(name)
        server = EmbeddedPostgres(folder / "postgres").ensure_running()
        try:
            server.ensure_database("ledger")
            ledger, _ = prepared(folder, server.url("ledger"), _NAME, _SPEC)
            host_key = " ".join((serving.own / "host.pub").read_text().split()[:2])
            key = (serving.own / "login").read_text()
            bench = _Folder(serving, ledger, Credentials(getpass.getuser(), private_key=key, host_keys=(host_key,)))
            listings = bench.listing()
            return compare_seconds(
                "many_small_files",
                bench.ours,
                lambda: SECONDS,
                peer_name=f"a limit of {SECONDS:.0f} s",
                goal=1.0,
                tell=tell,
                details={"files": FILES, "other_files": OTHERS, "two_listings_by_plain_asyncssh": listings},
            )
        finally:
            EmbeddedPostgres(folder / "postgres").stop()
