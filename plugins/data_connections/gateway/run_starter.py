"""Runs for files that nobody waits for: a partner need not know our schedule.

A run that waits already is told by the ledger's notice and takes the file; only where none is active one is started.
Whatever goes wrong here, the schedule takes the file later.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from data_connections.endpoints.arrival import ArrivalRules
from data_connections.endpoints.mail_rules import rules_of
from data_connections.errors import ConnectionsError
from data_connections.gateway.places import place_of
from data_connections.gateway.roster import Roster
from data_connections.ledger import Ledger, sightings
from data_connections.spec import ConnectionSpec
from data_connections.spec.details import InboundSource

LOOK_EVERY = 0.5
TRY_AGAIN = 15.0
GIVE_UP = 900.0
_log = logging.getLogger(__name__)


class Answer(Enum):
    """What Airflow said."""

    STARTED = "started"
    ACTIVE = "active"
    PAUSED = "paused"


StartRun = Callable[[str], Answer]
"""Starts a run of the connection of that name, unless one is active or its DAG is paused."""


class RunStarter:
    """Connections that got files, until a run has them.

    Args:
        ledger: The ledger.
        roster: Knows the connections.
        hosted: Folder with a folder for each connection.
        start_run: Asks Airflow.
    """

    def __init__(self, ledger: Ledger, roster: Roster, hosted: Path, start_run: StartRun) -> None:
        self._ledger = ledger
        self._roster = roster
        self._hosted = hosted
        self._start_run = start_run
        self._due: dict[int, tuple[float, float]] = {}
        self._looking = False

    def file_arrived(self, connection_id: int) -> None:
        """Note that a connection got a file; may be called from any thread."""
        now = time.monotonic()
        self._due[connection_id] = (now, now + GIVE_UP)

    @property
    def is_busy(self) -> bool:
        """Whether there are connections that may still need a run."""
        return bool(self._due) or self._looking

    async def start_on(self) -> None:
        """Start runs as they are needed, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            now = time.monotonic()
            for connection_id, (due, end) in list(self._due.items()):
                if due <= now:
                    self._looking = True
                    self._due.pop(connection_id)
                    if not await self._is_settled(connection_id) and now < end:
                        self._due.setdefault(connection_id, (now + TRY_AGAIN, end))
                    self._looking = False

    async def _is_settled(self, connection_id: int) -> bool:
        spec = self._roster.spec(connection_id)
        details = spec.details if spec is not None else None
        if spec is None or not isinstance(details, InboundSource):
            return True
        try:
            if not await self._unclaimed(connection_id, spec, rules_of(details)):
                return True
            answer = await asyncio.to_thread(self._start_run, spec.name)
        except ConnectionsError as trouble:
            _log.warning("Connection %s has files, and no run could be started yet: %s", spec.name, trouble)
            return False
        _log.info("Connection %s has files: %s", spec.name, answer.value)
        return answer is not Answer.ACTIVE

    async def _unclaimed(self, connection_id: int, spec: ConnectionSpec, rules: ArrivalRules) -> bool:
        endpoint = place_of(self._hosted, connection_id, spec)
        files = [file for file in await endpoint.list("/") if rules.refusal(file) is None]

        def unclaimed() -> bool:
            with self._ledger.connect() as connection:
                return bool(files) and bool(sightings.open_paths(connection, connection_id, files))

        return await asyncio.to_thread(unclaimed)
