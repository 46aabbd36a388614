"""A gigabyte fetched whole, hashed and written: by SFTP against OpenSSH's `sftp`, by FTPS against curl."""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.pairing import Result, Tell, compare_seconds, seconds_of
from bench.transfer_servers import Serving, openssh, vsftpd
from data_connections.endpoints.contract import Credentials, Endpoint
from data_connections.endpoints.fetch import fetch_file
from data_connections.endpoints.ftp import FtpsEndpoint
from data_connections.endpoints.sftp import SftpEndpoint

SIZE = 1024**3
NAME = "file.bin"
_BLOCK = 1024**2


def sftp_gigabyte(tell: Tell) -> Result:
    """Fetch by SFTP from OpenSSH."""
    with openssh() as serving:
        key = (serving.own / "login").read_text()
        host_key = " ".join((serving.own / "host.pub").read_text().split()[:2])
        credentials = Credentials(getpass.getuser(), private_key=key, host_keys=(host_key,))
        known = serving.own / "known_hosts"
        known.write_text(f"[127.0.0.1]:{serving.port} {host_key}\n")
        client = ["sftp", "-q", "-P", str(serving.port), "-i", str(serving.own / "login"), "-F", "none"]
        options = ["-o", f"UserKnownHostsFile={known}", "-o", "IdentitiesOnly=yes"]
        peer = [*client, *options, f"{credentials.login}@127.0.0.1:{NAME}", str(serving.own / "peer")]
        ours = SftpEndpoint("127.0.0.1", serving.port, credentials)
        return _compare("sftp_gigabyte", serving, ours, peer, "OpenSSH sftp", 1.0, tell)


def ftps_gigabyte(tell: Tell) -> Result:
    """Fetch by FTPS from vsftpd, which demands that data connections go on with the session of the login."""
    with vsftpd() as serving:
        authority = serving.own / "cert.pem"
        credentials = Credentials("ftp", password="bench", authorities=authority.read_text())
        place = f"ftp://ftp:bench@127.0.0.1:{serving.port}/{NAME}"
        peer = ["curl", "-sS", "--ssl-reqd", "--cacert", str(authority), "-o", str(serving.own / "peer"), place]
        ours = FtpsEndpoint("127.0.0.1", serving.port, credentials)
        return _compare("ftps_gigabyte", serving, ours, peer, "curl", 0.8, tell)


def _compare(
    name: str, serving: Serving, endpoint: Endpoint, command: list[str], peer_name: str, goal: float, tell: Tell
) -> Result:
    os.environ.setdefault("CONNECTIONS_ALLOW_ADDRESSES", "127.0.0.0/8")
    expected = _make(serving.files / NAME)
    own, theirs = serving.own / "ours", serving.own / "peer"

    def ours() -> float:
        return _verified(own, expected, lambda: asyncio.run(_fetch(endpoint, own)))

    def peer() -> float:
        return _verified(theirs, expected, lambda: subprocess.run(command, check=True, capture_output=True))

    result = compare_seconds(name, ours, peer, peer_name=peer_name, goal=goal, tell=tell, details={"bytes": SIZE})
    result.details["most_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return result


def _make(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as target:
        for _ in range(SIZE // _BLOCK):
            block = os.urandom(_BLOCK)
            digest.update(block)
            target.write(block)
    return digest.hexdigest()


def _verified(path: Path, expected: str, work: Callable[[], object]) -> float:
    seconds = seconds_of(work)
    with path.open("rb") as written:
        found = hashlib.file_digest(written, "sha256").hexdigest()
    path.unlink()
    if found != expected:
        raise AssertionError(f"{path.name} is not the file that was served")
    return seconds


async def _fetch(endpoint: Endpoint, path: Path) -> None:
    with path.open("wb") as target:
        async with endpoint:
            await fetch_file(endpoint, await endpoint.stat(NAME), target.write)
