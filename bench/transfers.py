"""A gigabyte fetched whole, hashed and written: by SFTP against OpenSSH's `sftp`, by FTPS against curl."""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.pairing import Result, Tell, compare_seconds, seconds_of
from bench.transfer_servers import Serving, openssh, vsftpd
from data_connections.endpoints.contract import Credentials, Endpoint
from data_connections.endpoints.fetch import fetch_file
from data_connections.endpoints.ftp import FtpsEndpoint
from data_connections.endpoints.sftp import SftpEndpoint

SIZE = 1024**3
NAME = "file.bin"
SMALL = "small.bin"
MORE_MEMORY = 16
"""Megabytes by which a gigabyte may take more memory than a tenth of it."""

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
    expected = _make(serving.files / NAME, SIZE)
    own, theirs = serving.own / "ours", serving.own / "peer"
    cpu: dict[str, list[float]] = {"ours_cpu_seconds": [], "peer_cpu_seconds": []}

    def ours() -> float:
        _touch_memory(serving.own / "touched")
        with _counted(cpu["ours_cpu_seconds"], resource.RUSAGE_SELF):
            return _verified(own, expected, lambda: asyncio.run(_fetch(endpoint, NAME, own)))

    def peer() -> float:
        _touch_memory(serving.own / "touched")
        with _counted(cpu["peer_cpu_seconds"], resource.RUSAGE_CHILDREN):
            return _verified(theirs, expected, lambda: subprocess.run(command, check=True, capture_output=True))

    peaks = _memory(serving, endpoint)
    tell(f"peak of the whole process: {', '.join(f'{peak} MB for {size}' for size, peak in peaks.items())}")
    details = {"bytes": SIZE, "peak_memory_mb": peaks, **cpu}
    return compare_seconds(name, ours, peer, peer_name=peer_name, goal=goal, tell=tell, details=details)


def _touch_memory(path: Path) -> None:
    """Write as much as comes and delete it, so that both sides write into memory that was touched before.

    The first touch costs a virtual machine up to two seconds for each GB, on whose turn it falls.
    """
    block = bytes(_BLOCK)
    with path.open("wb") as touched:
        for _ in range(SIZE // _BLOCK):
            touched.write(block)
    path.unlink()


@contextmanager
def _counted(seconds: list[float], who: int) -> Iterator[None]:
    """Note the CPU seconds of a transfer; those of the comparison, which hashes what came, count for ours."""
    before = resource.getrusage(who)
    yield
    after = resource.getrusage(who)
    seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _memory(serving: Serving, endpoint: Endpoint) -> dict[str, int]:
    """Return the megabytes of this process while it fetches a tenth, and while it fetches the whole.

    Raises:
        AssertionError: The whole takes more.
    """
    _make(serving.files / SMALL, SIZE // 10)
    target = serving.own / "memory"
    peaks = {}
    for name in (SMALL, NAME):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        asyncio.run(_fetch(endpoint, name, target))
        status = Path("/proc/self/status").read_text(encoding="ascii")
        [peak] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        peaks[f"{(serving.files / name).stat().st_size // 1024**2} MB"] = int(peak) // 1024
        target.unlink()
    (serving.files / SMALL).unlink()
    small, large = peaks.values()
    if large > small + MORE_MEMORY:
        raise AssertionError(f"Memory grows with the file: {peaks}")
    return peaks


def _make(path: Path, size: int) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as target:
        for _ in range(size // _BLOCK):
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


async def _fetch(endpoint: Endpoint, name: str, path: Path) -> None:
    with path.open("wb") as target:
        async with endpoint:
            await fetch_file(endpoint, await endpoint.stat(name), target.write)
