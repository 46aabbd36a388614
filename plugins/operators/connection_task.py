"""What the tasks of every connection share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from hooks.ledger import LedgerHook

if TYPE_CHECKING:
    from airflow.sdk import Context

    from data_connections.ledger import Ledger
    from data_connections.steps.pinned_run import PinnedRun


class ConnectionTask(BaseOperator):
    """A task of one connection's run.

    Args:
        connection: Name of the connection.
        revision: Number of the revision that the DAG was built from; the run may be pinned to an earlier one.
    """

    def __init__(self, *, connection: str, revision: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connection = connection
        self.revision = revision

    def ledger(self) -> Ledger:
        """Return the ledger."""
        return LedgerHook().get_conn()

    def run_of(self, context: Context) -> PinnedRun:
        """Return the run that this task is part of, with the spec that holds for all of it."""
        from data_connections.steps.pinned_run import find_run

        return find_run(self.ledger(), self.connection, self.revision, context["run_id"])
