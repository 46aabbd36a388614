"""Host keys: reading pinned ones, showing fingerprints, and asking a server for its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import asyncssh

from data_connections.endpoints.contract import Timeouts
from data_connections.endpoints.sockets import open_socket
from data_connections.endpoints.ssh_errors import reported
from data_connections.errors import FatalEndpointError

ALGORITHMS = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}


@dataclass(frozen=True)
class HostKey:
    """A server's public key.

    Attributes:
        algorithm: Such as ``ssh-ed25519``.
        public: ``algorithm base64``, the form that ``Credentials.host_keys`` takes.
        fingerprint: ``SHA256:...`` as OpenSSH shows it.
    """

    algorithm: str
    public: str
    fingerprint: str

    @classmethod
    def of(cls, key: asyncssh.SSHKey) -> HostKey:
        """Return the host key for a key of asyncssh."""
        public = " ".join(key.export_public_key().decode("ascii").split()[:2])
        return cls(public.split()[0], public, key.get_fingerprint())


def read_host_key(text: str, address: str) -> HostKey:
    """Read one pinned key: ``algorithm base64``, or a line of a known_hosts file.

    Raises:
        FatalEndpointError: It is no public key.
    """
    words = text.split()
    start = next((index for index, word in enumerate(words) if word in ALGORITHMS), None)
    try:
        if start is None:
            raise ValueError("no known algorithm")
        return HostKey.of(asyncssh.import_public_key(" ".join(words[start : start + 2])))
    except (ValueError, asyncssh.KeyImportError) as error:
        raise FatalEndpointError(
            f"{address}: the host key in the credentials cannot be read: {_shortened(text)!r}. It has to be "
            "'algorithm base64', such as 'ssh-ed25519 AAAA...', the way `ssh-keyscan` prints it."
        ) from error


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "..."


def read_host_keys(texts: tuple[str, ...], address: str) -> tuple[HostKey, ...]:
    """Read all pinned keys of a login.

    Raises:
        FatalEndpointError: There is none, or one cannot be read.
    """
    if not texts:
        raise FatalEndpointError(
            f"{address}: no host key is pinned, so the server could be anyone. Fetch its key, compare the "
            "fingerprint with what the partner states, and add it to the credentials' host_keys."
        )
    return tuple(read_host_key(text, address) for text in texts)


def preferred_algorithms(keys: tuple[HostKey, ...]) -> list[str]:
    """Return the signature algorithms to offer: those of pinned keys first, the others so that a change is seen."""
    names = [key.algorithm for key in keys]
    ordered = [*dict.fromkeys(names), *(name for name in ALGORITHMS if name not in names)]
    return [signature for name in ordered for signature in ALGORITHMS[name]]


async def fetch_host_keys(host: str, port: int = 22, timeouts: Timeouts | None = None) -> tuple[HostKey, ...]:
    """Ask a server for its host keys without logging in, to show their fingerprints for approval.

    Raises:
        RetriableEndpointError: It cannot be reached.
        FatalEndpointError: It offers no key of a supported algorithm and says so.
    """
    limits = timeouts or Timeouts()
    address = f"sftp://{host}:{port}"
    keys: list[HostKey] = []
    problem: asyncssh.Error | ConnectionError | None = None
    with reported(address, "asking for the host key", limits):
        for signatures in ALGORITHMS.values():
            try:
                keys.append(await _offered_key(host, port, signatures, limits))
            except (asyncssh.Error, ConnectionError) as error:
                # Servers hang up on an algorithm that they have no key for, OpenSSH often by a reset.
                problem = error
        if problem is not None and not keys:
            raise problem
    return tuple(keys)


async def _offered_key(host: str, port: int, signatures: tuple[str, ...], timeouts: Timeouts) -> HostKey:
    sock = await open_socket(host, port, timeouts)
    try:
        async with asyncio.timeout(timeouts.login):
            key = await asyncssh.get_server_host_key(
                host, port, sock=sock, config=None, server_host_key_algs=list(signatures)
            )
    finally:
        sock.close()
    if key is None:
        raise asyncssh.KeyExchangeFailed("no host key offered")
    return HostKey.of(key)
