"""What happens at the gateway, written into the ledger in the order in which it happened.

Transfers do not wait for it: while the ledger does not answer, entries are kept here and written when it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import psycopg

from data_connections.catalog import activity
from data_connections.endpoints.names import decode_name, shown
from data_connections.errors import LedgerUnavailable
from data_connections.gateway.roster import Proof
from data_connections.ledger import Ledger
from data_connections.ledger.arrival_notice import NOTIFY
from data_connections.ledger.database import LedgerConnection

MOST_KEPT = 100_000
BATCH = 500
LOOK_EVERY = 0.1
TRY_AGAIN = 2.0
_log = logging.getLogger(__name__)

_USED = """
update hosted_secret set uses = uses + 1, last_used_at = now(), last_used_from = %s where id = %s
"""
_FAILED = "update hosted_login set failures = failures + 1, last_failure_at = now() where login = %s"
_COLLECTED = """
with latest as (
    select max(d.id) as id from delivery d join delivery_file f on f.delivery_id = d.id
    where d.connection_id = %s and f.remote_path = %s and d.state = 'delivered'
), file as (
    update delivery_file f set collected_at = now() from latest
    where f.delivery_id = latest.id and f.remote_path = %s and f.collected_at is null returning f.delivery_id, f.number
)
update delivery d set collected_at = now(), collected_by = %s from file
where d.id = file.delivery_id and d.collected_at is null and not exists (
    select from delivery_file f where f.delivery_id = d.id and f.number <> file.number and f.collected_at is null
)
"""
_EXPIRED = """
update delivery set expired_at = now()
where connection_id = %s and id in (select delivery_id from delivery_file where remote_path = %s)
    and expired_at is null
"""


@dataclass(frozen=True)
class _Entry:
    who: str
    what: str
    subject: str
    connection_id: int | None
    details: dict[str, Any]
    also: tuple[tuple[str, list[Any]], ...] = field(default=())

    def write(self, connection: LedgerConnection) -> None:
        activity.record(
            connection, self.who, self.what, self.subject, connection_id=self.connection_id, details=self.details
        )
        for query, parameters in self.also:
            connection.execute(query.encode(), parameters)


class Journal:
    """The gateway's entries on their way to the activity log; entries may come from any thread.

    Args:
        ledger: Where they go.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: deque[_Entry] = deque(maxlen=MOST_KEPT)
        self._writing = asyncio.Lock()

    def logged_in(self, proof: Proof, address: str, protocol: str) -> None:
        """A login succeeded; which password or key it was is counted there."""
        details = {"address": address, "protocol": protocol, "secret": proof.secret_id, "label": proof.label}
        self._add(proof, "login.used", proof.login, details, (_USED, [address, proof.secret_id]))

    def login_refused(self, login: str, address: str, protocol: str, tried: str) -> None:
        """A login failed."""
        details = {"address": address, "protocol": protocol, "tried": tried}
        self._put(_Entry("gateway", "login.refused", shown(login)[:200], None, details, ((_FAILED, [login]),)))

    def uploaded(self, proof: Proof, path: bytes, size: int) -> None:
        """A file was taken whole; whoever waits for it is told."""
        details = {"size": size}
        self._add(proof, "file.uploaded", _text(path), details, (NOTIFY, [str(proof.connection_id)]))

    def downloaded(self, proof: Proof, path: bytes, size: int) -> None:
        """A file was collected whole."""
        collected = [proof.connection_id, _text(path), _text(path), proof.login]
        self._add(proof, "file.downloaded", _text(path), {"size": size}, (_COLLECTED, collected))

    def changed(self, proof: Proof, what: str, path: bytes, **details: Any) -> None:
        """A partner deleted or renamed a file; ``what`` is the entry's, such as ``file.deleted``."""
        also = [(NOTIFY, [str(proof.connection_id)])] if what == "file.renamed" else []
        self._add(proof, what, _text(path), details, *also)

    def refused(self, proof: Proof, path: bytes, why: str) -> None:
        """Something was refused to a login."""
        self._add(proof, "file.refused", _text(path), {"why": why})

    def mailed(self, proof: Proof, sender: str, size: int, address: str) -> None:
        """A mail was taken whole; whoever waits for it is told."""
        details = {"size": size, "address": address, "secret": proof.secret_id}
        used = (_USED, [address, proof.secret_id])
        self._add(proof, "mail.received", shown(sender)[:320], details, used, (NOTIFY, [str(proof.connection_id)]))

    def mail_refused(self, recipient: str, sender: str, address: str, why: str, proof: Proof | None = None) -> None:
        """A mail was refused before it was taken, to a recipient or to all of them."""
        details = {"address": address, "sender": shown(sender)[:320], "why": why}
        connection_id = proof.connection_id if proof else None
        self._put(_Entry("gateway", "mail.turned_away", shown(recipient)[:320], connection_id, details))

    def checked(self, connection_id: int, path: str, trial_id: str) -> None:
        """A trial file was checked, and its answer put beside it; the receipt has the trial's id."""
        self._put(_Entry("gateway", "trial.checked", path, connection_id, {"trace_id": trial_id}))

    def expired(self, connection_id: int, path: str) -> None:
        """A file was deleted because its time to be collected is over."""
        also = (
            _EXPIRED,
            [connection_id, path],
        )
        self._put(_Entry("gateway", "file.expired", path, connection_id, {}, (also,)))

    def _add(
        self, proof: Proof, what: str, subject: str, details: dict[str, Any], *also: tuple[str, list[Any]]
    ) -> None:
        self._put(_Entry(f"login {proof.login}", what, subject, proof.connection_id, details, also))

    def _put(self, entry: _Entry) -> None:
        _log.info("%s %s %s %s", entry.who, entry.what, entry.subject, entry.details)
        self._waiting.append(entry)

    async def write_on(self) -> None:
        """Write entries as they come, until cancelled."""
        while True:
            written = not self._waiting or await self._write_batch()
            await asyncio.sleep(LOOK_EVERY if written else TRY_AGAIN)

    async def flush(self, patience: float) -> None:
        """Write what is left, for at most ``patience`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._waiting and await self._write_batch():
                    pass

    async def _write_batch(self) -> bool:
        async with self._writing:
            batch = [self._waiting[number] for number in range(min(BATCH, len(self._waiting)))]
            try:
                await asyncio.to_thread(self._write, batch)
            except LedgerUnavailable as lost:
                _log.warning("%d entries wait for the ledger: %s", len(self._waiting), lost)
                return False
            except psycopg.Error:
                _log.exception("These entries cannot be written and are left out: %s", batch)
            for _ in batch:
                self._waiting.popleft()
            return True

    def _write(self, batch: list[_Entry]) -> None:
        with self._ledger.connect() as connection:
            for entry in batch:
                entry.write(connection)


def _text(path: bytes) -> str:
    return "/".join(decode_name(part) for part in path.split(b"/"))
