"""The trigger that waits for an inbound connection's files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.triggers.base import BaseTrigger, TriggerEvent

from data_connections.errors import (
    ConfigurationError,
    ConnectionsError,
    FatalEndpointError,
    LedgerUnavailable,
    RetriableEndpointError,
    StandsStill,
)
from data_connections.spec import InboundConnection
from hooks.endpoint import EndpointHook
from hooks.ledger import LedgerHook
from hooks.log_lines import name_run
from triggers import standstill
from triggers.arrivals import Found, Lookout
from triggers.rests import is_any_window_open
from triggers.window import window_end

if TYPE_CHECKING:
    from data_connections.endpoints.pool import FolderWatch
    from data_connections.steps.business_day import BusinessDays
    from hooks.hosted_folder import HostedWatch

LOOK_BACK = 10.0
"""Seconds between the two looks of a run that takes files of days gone by."""

ARRIVAL = "arrival"
"""XCom key under which the sensor leaves this trigger's event, with the files that the run took and left."""


class FilesTrigger(BaseTrigger):
    """Looks at a folder until files have settled in it or the window ends, claims them, and fires one event.

    The event holds either ``more`` (settled files beyond those claimed), ``waiting``, ``left`` (whether an earlier
    run left something), ``closes_at`` and ``days``, or ``error`` and whether it is ``fatal``.

    Args:
        connection: Name of the connection.
        revision: Number of the revision that the DAG was built from.
        dag_run_id: Airflow's id of the run.
        started_at: When the run started, ISO 8601.
        due_at: When the schedule wanted it to start, ISO 8601; empty for a run that somebody started.
        closes_at: End of the window where an earlier run opened it, ISO 8601; else empty.
        turn: Where only files of certain days are wanted, the start of the turn of the schedule that these days are,
            ISO 8601; such a run waits for nobody, and ends when two looks agree. Else empty.
    """

    def __init__(
        self,
        *,
        connection: str,
        revision: int,
        dag_run_id: str,
        started_at: str,
        due_at: str,
        closes_at: str,
        turn: str = "",
    ) -> None:
        super().__init__()
        self.connection = connection
        self.revision = revision
        self.dag_run_id = dag_run_id
        self.started_at = started_at
        self.due_at = due_at
        self.closes_at = closes_at
        self.turn = turn

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and its arguments, from which any triggerer makes this trigger again."""
        names = ("connection", "revision", "dag_run_id", "started_at", "due_at", "closes_at", "turn")
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire the one event."""
        try:
            event = await self._wait()
        except ConnectionsError as error:
            event = {"error": str(error), "fatal": isinstance(error, ConfigurationError | FatalEndpointError)}
        yield TriggerEvent(event)

    async def _wait(self) -> dict[str, Any]:
        lookout = await asyncio.to_thread(self._begin)
        name_run(lookout.run)
        closes = self._closing_time(lookout.spec)
        every = self._pause(lookout.spec)
        folder = await self.watch(lookout.spec, every)
        while True:
            await self._rest(lookout)
            is_last = datetime.now(UTC) >= closes
            try:
                listing = await folder.look()
                await lookout.read_manifests(listing, folder.read)
                found = lookout.unchanged(listing)
                if found is None:
                    found = await asyncio.to_thread(lookout.judge, listing)
                    await asyncio.to_thread(lookout.claim, found)
            except (RetriableEndpointError, LedgerUnavailable) as trouble:
                if is_last:
                    raise
                self.log.warning("Connection %s: %s It is tried again.", self.connection, trouble)
                left = (closes - datetime.now(UTC)).total_seconds()
                await asyncio.sleep(min(every, max(left, 1.0)))
            else:
                if self._is_enough(found) or ((is_last or self.turn) and lookout.looks > 1):
                    return _event(found, closes, lookout.days)
                await folder.rest(every)

    async def _rest(self, lookout: Lookout) -> None:
        """Wait until the connection and its host are in no maintenance window."""
        while True:
            if await asyncio.to_thread(self._may_look, lookout):
                return
            await asyncio.sleep(standstill.LOOK_EVERY)

    def _may_look(self, lookout: Lookout) -> bool:
        from data_connections.steps.standstill import must_go_on

        try:
            if is_any_window_open(lookout.ledger):
                must_go_on(lookout.ledger, lookout.run, ["window"])
        except StandsStill as rest:
            self.log.debug("%s", rest)
            return False
        except LedgerUnavailable:
            return True  # the look itself says so, and is tried again
        return True

    async def watch(self, spec: InboundConnection, every: float) -> FolderWatch | HostedWatch:
        """Return the folder to look at every ``every`` seconds."""
        return await EndpointHook(spec).watch(every)

    def _is_enough(self, found: Found) -> bool:
        """Whether the run has work to do now; a run that follows another leaves what that one left to the next day."""
        return bool(found.files) or found.left.by_nobody or (found.left.by_runs and not self.closes_at)

    def _begin(self) -> Lookout:
        from data_connections.steps.pinned_run import begin_run

        ledger = LedgerHook().get_conn()
        run = begin_run(ledger, self.connection, self.revision, self.dag_run_id)
        return Lookout(ledger, run, self._days(cast("InboundConnection", run.spec)))

    def _days(self, spec: InboundConnection) -> BusinessDays | None:
        from data_connections.steps.business_day import business_days

        start = datetime.fromisoformat(self.turn) if self.turn else None
        return business_days(spec, datetime.now(UTC), interval_start=start) if start else None

    def _pause(self, spec: InboundConnection) -> float:
        """Return the seconds between two looks: fewer where the files have lain there for long."""
        every = spec.arrival.look_every.total_seconds()
        return min(every, LOOK_BACK) if self.turn else every

    def _closing_time(self, spec: InboundConnection) -> datetime:
        if self.closes_at:
            return datetime.fromisoformat(self.closes_at)
        due_at = datetime.fromisoformat(self.due_at) if self.due_at else None
        return window_end(spec, started_at=datetime.fromisoformat(self.started_at), due_at=due_at)


def _event(found: Found, closes: datetime, days: BusinessDays | None) -> dict[str, Any]:
    return {
        "days": days.as_json() if days else None,
        "more": found.more,
        "waiting": found.waiting,
        "left": found.left.by_runs,
        "closes_at": closes.isoformat(),
    }
