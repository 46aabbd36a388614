"""The servers of the transfer cases: Debian's OpenSSH and vsftpd, as their makers configure them, on loopback."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from data_connections.errors import ConnectionsError
from data_connections.settings import PROJECT

VSFTPD = PROJECT / "build" / "servers" / "vsftpd" / "usr" / "sbin" / "vsftpd"


@dataclass(frozen=True)
class Serving:
    """A running server.

    Attributes:
        port: TCP port on 127.0.0.1.
        own: The server's folder, with its keys.
        files: The folder that it serves.
    """

    port: int
    own: Path
    files: Path

    @property
    def log(self) -> Path:
        """What OpenSSH says of its logins."""
        return self.own / "log"


@contextmanager
def openssh(*addresses: str) -> Iterator[Serving]:
    """Serve by SFTP to this user with the key ``own/login``; the host key is ``own/host.pub``.

    Args:
        addresses: Where it listens beside 127.0.0.1, which makes it look like as many hosts.
    """
    program = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    with _place() as place:
        for name in ("host", "login"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place.own / name)], check=True)
        (place.own / "config").write_text(
            f"Port {place.port}\nHostKey {place.own}/host\nPidFile none\nUsePAM no\nMaxStartups 500\n"
            + "".join(f"ListenAddress {address}\n" for address in ("127.0.0.1", *addresses))
            + f"LogLevel VERBOSE\nX11Forwarding no\nPermitTTY no\n"
            f"AuthorizedKeysFile {place.own}/login.pub\nStrictModes no\nPermitRootLogin prohibit-password\n"
            f"Subsystem sftp internal-sftp\nForceCommand internal-sftp -d {place.files}\n"
        )
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        log = ["-E", str(place.log)]
        with _running([_there(program, "OpenSSH"), "-D", *log, "-f", str(place.own / "config")], place.port):
            yield place


@contextmanager
def vsftpd(address: str = "127.0.0.1") -> Iterator[Serving]:
    """Serve by FTPS to the login ``ftp``, any password; the certificate is ``own/cert.pem``."""
    with _place() as place:
        pem, key = place.own / "cert.pem", place.own / "key.pem"
        make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
        names = ["-addext", f"subjectAltName=DNS:localhost,IP:{address}", "-keyout", str(key), "-out", str(pem)]
        subprocess.run([*make.split(), *names], check=True, capture_output=True)
        (place.own / "empty").mkdir()
        settings = (
            f"listen=YES listen_address={address} background=NO run_as_launching_user=YES anonymous_enable=YES "
            "local_enable=NO anon_world_readable_only=NO seccomp_sandbox=NO allow_writeable_chroot=YES ssl_enable=YES "
            "allow_anon_ssl=YES force_anon_logins_ssl=YES force_anon_data_ssl=YES require_ssl_reuse=YES "
            f"listen_port={place.port} ftp_username={getpass.getuser()} anon_root={place.files} "
            f"secure_chroot_dir={place.own}/empty rsa_cert_file={pem} rsa_private_key_file={key}"
        )
        (place.own / "config").write_text("\n".join(settings.split()) + "\n")
        program = str(VSFTPD) if VSFTPD.exists() else None
        with _running([_there(program, "vsftpd"), str(place.own / "config")], place.port, address):
            yield place


def _there(program: str | None, name: str) -> str:
    if program is None:
        raise ConnectionsError(f"{name} is not there; scripts/install-test-servers brings it.")
    return program


@contextmanager
def _place() -> Iterator[Serving]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = Path(tempfile.mkdtemp(prefix="connections-bench-"))
    (own / "files").mkdir()
    try:
        yield Serving(port, own, own / "files")
    finally:
        shutil.rmtree(own)


@contextmanager
def _running(command: list[str], port: int, address: str = "127.0.0.1") -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex((address, port)) == 0:
                    break
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(10)
