"""The trigger that waits until nothing keeps a run's next step waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from airflow.triggers.base import BaseTrigger, TriggerEvent

from data_connections.errors import LedgerUnavailable, StandsStill
from hooks.ledger import LedgerHook
from triggers.rests import is_halted

if TYPE_CHECKING:
    from data_connections.steps.standstill import Rest

LOOK_EVERY = 5.0
"""Seconds between two looks at the ledger."""


class StandstillTrigger(BaseTrigger):
    """Waits for the end of a halt, or of a maintenance window, and fires one event.

    Args:
        connection: Name of the connection.
        revision: Number of the revision that the DAG was built from.
        dag_run_id: Airflow's id of the run.
        rests: What is waited for.
    """

    def __init__(self, *, connection: str, revision: int, dag_run_id: str, rests: Sequence[str]) -> None:
        super().__init__()
        self.connection = connection
        self.revision = revision
        self.dag_run_id = dag_run_id
        self.rests = list(rests)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and its arguments, from which any triggerer makes this trigger again."""
        names = ("connection", "revision", "dag_run_id", "rests")
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire the one event."""
        while True:
            if await asyncio.to_thread(self._may_go_on):
                break
            await asyncio.sleep(LOOK_EVERY)
        yield TriggerEvent({"connection": self.connection})

    def _may_go_on(self) -> bool:
        from data_connections.steps.pinned_run import find_run
        from data_connections.steps.standstill import must_go_on

        ledger = LedgerHook().get_conn()
        try:
            if "halt" in self.rests and is_halted(ledger):
                return False
            run = find_run(ledger, self.connection, self.revision, self.dag_run_id)
            must_go_on(ledger, run, cast("list[Rest]", self.rests))
        except (StandsStill, LedgerUnavailable):
            return False
        return True
