"""Who may log in, held in memory: a login costs the ledger nothing, and works while the ledger restarts."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from data_connections import catalog
from data_connections.errors import ConnectionsError
from data_connections.gateway.passwords import NOBODY, is_password
from data_connections.ledger import Ledger, hosted_logins
from data_connections.ledger.hosted_logins import HostedSecret
from data_connections.spec import ConnectionSpec

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Proof:
    """A login that was proven, and by what.

    Attributes:
        login: Its name.
        connection_id: The connection whose folder it sees.
        secret_id: Number of the password or key.
        label: What people call that.
    """

    login: str
    connection_id: int
    secret_id: int
    label: str


@dataclass(frozen=True)
class _Snapshot:
    secrets: Mapping[str, Sequence[HostedSecret]] = field(default_factory=dict)
    specs: Mapping[int, ConnectionSpec] = field(default_factory=dict)
    hashes: Mapping[int, str] = field(default_factory=dict)
    addresses: Mapping[str, HostedSecret] = field(default_factory=dict)


class Roster:
    """The logins that are valid, and the specs of their connections.

    Args:
        ledger: Where they are kept.
        refresh: Seconds after which they are read again.
    """

    def __init__(self, ledger: Ledger, refresh: float) -> None:
        self._ledger = ledger
        self._refresh = refresh
        self._known = _Snapshot()
        self._read_at = 0.0
        self._reading = asyncio.Lock()

    async def by_password(self, login: str, password: str) -> Proof | None:
        """Return the proof where the password is one of the login's; takes as long where there is no such login."""
        candidates = [each for each in await self._valid(login) if each.kind == "password"]
        for each in candidates:
            if await asyncio.to_thread(is_password, password, each.verifier):
                return _proof(each)
        if not candidates:
            await asyncio.to_thread(is_password, password, NOBODY)
        return None

    async def by_key(self, login: str, public: str) -> Proof | None:
        """Return the proof where the key, ``algorithm base64``, is one of the login's."""
        found = [each for each in await self._valid(login) if each.kind == "public_key" and each.verifier == public]
        return _proof(found[0]) if found else None

    async def by_address(self, local_part: str) -> Proof | None:
        """Return whose address it is that a mail is for; None where it is nobody's."""
        if local_part not in self._known.addresses and self._is_old:
            await self.refresh()
        each = self._known.addresses.get(local_part)
        if each is None or not each.is_valid(datetime.now(UTC)) or each.connection_id not in self._known.specs:
            return None
        return _proof(each)

    def spec(self, connection_id: int) -> ConnectionSpec | None:
        """Return the connection's present spec; None where it takes no logins any more."""
        return self._known.specs.get(connection_id)

    def specs(self) -> Mapping[int, ConnectionSpec]:
        """Return the present specs of all connections with a folder here, by connection id."""
        return self._known.specs

    def holds(self, proof: Proof) -> bool:
        """Whether what was proven is still valid: neither login nor secret ended, and the connection is there."""
        now = datetime.now(UTC)
        valid = (each for each in self._known.secrets.get(proof.login, ()) if each.is_valid(now))
        return proof.connection_id in self._known.specs and any(each.id == proof.secret_id for each in valid)

    async def refresh_on(self) -> None:
        """Keep the roster fresh until cancelled; while the ledger does not answer, the last one holds."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._refresh)

    async def refresh(self) -> None:
        """Read the roster anew."""
        async with self._reading:
            try:
                self._known = await asyncio.to_thread(_read, self._ledger, self._known)
                self._read_at = time.monotonic()
            except ConnectionsError as lost:
                _log.warning("The logins are those of before: %s", lost)

    @property
    def _is_old(self) -> bool:
        """Whether a name that is not known may have been made since."""
        return time.monotonic() - self._read_at > self._refresh / 4

    async def _valid(self, login: str) -> list[HostedSecret]:
        if login not in self._known.secrets and self._is_old:
            await self.refresh()
        now = datetime.now(UTC)
        return [
            each
            for each in self._known.secrets.get(login, ())
            if each.is_valid(now) and each.connection_id in self._known.specs
        ]


def _proof(secret: HostedSecret) -> Proof:
    return Proof(secret.login, secret.connection_id, secret.id, secret.label or secret.fingerprint or secret.kind)


def _read(ledger: Ledger, known: _Snapshot) -> _Snapshot:
    """Read logins and specs; a spec that has not changed is not read again."""
    secrets: dict[str, list[HostedSecret]] = {}
    for each in hosted_logins.all_secrets(ledger):
        secrets.setdefault(each.login, []).append(each)
    specs: dict[int, ConnectionSpec] = {}
    hashes: dict[int, str] = {}
    for stored in catalog.all_current(ledger):
        if is_hosted(stored.content):
            same = known.hashes.get(stored.connection_id) == stored.hash
            try:
                specs[stored.connection_id] = known.specs[stored.connection_id] if same else stored.spec
            except ConnectionsError as refused:
                _log.warning("Nobody can log in for %s: %s", stored.name, refused)
                continue
            hashes[stored.connection_id] = stored.hash
    addresses = {each.verifier: each for of_login in secrets.values() for each in of_login if each.kind == "address"}
    return _Snapshot(secrets, specs, hashes, addresses)


def is_hosted(content: Mapping[str, object]) -> bool:
    """Whether a stored spec is of a connection with a folder at the gateway."""
    return (content.get("direction"), content.get("methodology")) in (("inbound", "push"), ("outbound", "pull"))
