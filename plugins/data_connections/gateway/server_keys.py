"""The gateway's own host keys: made once, changed with an overlap in which partners can trust both.

The key in use is the oldest that has not ended. The others are told to clients by OpenSSH's ``hostkeys-00`` extension
and stand in every confirmation, so that partners have the next one before it is used.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncssh

from data_connections.errors import ConfigurationError
from data_connections.gateway.public_keys import PublicKey

ALGORITHM = "ssh-ed25519"


@dataclass(frozen=True)
class ServerKey:
    """One host key of the gateway.

    Attributes:
        number: Counts the keys of this gateway.
        public: ``algorithm base64``, as partners pin it.
        fingerprint: ``SHA256:...`` as OpenSSH shows it.
        valid_until: When the gateway stops to use it, in UTC; None while no other is to follow.
        private_file: Where the private half is.
    """

    number: int
    public: str
    fingerprint: str
    valid_until: datetime | None
    private_file: Path

    def is_valid(self, now: datetime) -> bool:
        """Whether partners may trust it at ``now``."""
        return self.valid_until is None or now < self.valid_until


class ServerKeys:
    """The host keys of one gateway.

    Args:
        folder: Where they are, readable by its user alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = folder / "host_keys.json"

    def valid(self, now: datetime | None = None) -> list[ServerKey]:
        """Return the keys that are or will be used, the one in use first; makes the first one."""
        keys = [key for key in self.all() if key.is_valid(now or datetime.now(UTC))]
        return keys or [self._make(None)]

    def all(self) -> list[ServerKey]:
        """Return every key that there was, the oldest first."""
        try:
            entries = json.loads(self._index.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        return [
            ServerKey(
                entry["number"],
                entry["public"],
                entry["fingerprint"],
                datetime.fromisoformat(entry["valid_until"]) if entry["valid_until"] else None,
                self._private_file(entry["number"]),
            )
            for entry in entries
        ]

    def rotate(self, overlap: timedelta) -> ServerKey:
        """Make the next key; the one in use ends after ``overlap``, and then the new one takes its place.

        Raises:
            ConfigurationError: A next key waits already.
        """
        keys = self.valid()
        if len(keys) > 1:
            raise ConfigurationError(
                f"The next host key ({keys[1].fingerprint}) waits already; it is used from {keys[0].valid_until} on."
            )
        return self._make(datetime.now(UTC) + overlap)

    def _make(self, others_until: datetime | None) -> ServerKey:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = self.all()
        number = max((key.number for key in keys), default=0) + 1
        pair = asyncssh.generate_private_key(ALGORITHM)
        public = PublicKey.of(pair)
        _write_private(self._private_file(number), pair.export_private_key().decode())
        made = ServerKey(number, public.text, public.fingerprint, None, self._private_file(number))
        ending = [self._ended(key, others_until) if others_until else key for key in keys]
        self._write([*ending, made])
        return made

    @staticmethod
    def _ended(key: ServerKey, until: datetime) -> ServerKey:
        ends = min(key.valid_until, until) if key.valid_until else until
        return ServerKey(key.number, key.public, key.fingerprint, ends, key.private_file)

    def _write(self, keys: list[ServerKey]) -> None:
        entries = [
            {
                "number": key.number,
                "public": key.public,
                "fingerprint": key.fingerprint,
                "valid_until": key.valid_until.isoformat() if key.valid_until else None,
            }
            for key in keys
        ]
        part = self._index.with_suffix(".part")
        part.write_text(json.dumps(entries, indent=2), encoding="utf-8")
        part.replace(self._index)

    def _private_file(self, number: int) -> Path:
        return self._folder / f"host_key_{number}"


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
