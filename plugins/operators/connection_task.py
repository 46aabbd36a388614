"""What the tasks of every connection share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from data_connections.errors import StandsStill
from hooks.ledger import LedgerHook
from hooks.log_lines import name_run
from triggers.standstill import StandstillTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from data_connections.ledger import Ledger
    from data_connections.steps.pinned_run import PinnedRun
    from data_connections.steps.standstill import Rest


class ConnectionTask(BaseOperator):
    """A task of one connection's run.

    Args:
        connection: Name of the connection.
        revision: Number of the revision that the DAG was built from; the run may be pinned to an earlier one.
    """

    rests: ClassVar[Collection[Rest]] = ()
    """What it waits for before it begins, without a worker."""

    def __init__(self, *, connection: str, revision: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connection = connection
        self.revision = revision

    def ledger(self) -> Ledger:
        """Return the ledger."""
        return LedgerHook().get_conn()

    def run_of(self, context: Context) -> PinnedRun:
        """Return the run that this task is part of, with the spec that holds for all of it; the log names it then."""
        from data_connections.steps.pinned_run import find_run

        run = find_run(self.ledger(), self.connection, self.revision, context["run_id"])
        name_run(run)
        return run

    def execute(self, context: Context) -> Any:
        """Do the task's work, once nothing keeps it waiting."""
        return self._work_or_wait(context)

    def go_on(self, context: Context, event: Any) -> Any:
        """Do the task's work after a wait; what began meanwhile is waited for, too."""
        return self._work_or_wait(context)

    def _work_or_wait(self, context: Context) -> Any:
        from data_connections.steps.standstill import must_go_on

        try:
            if self.rests:
                must_go_on(self.ledger(), self.run_of(context), self.rests)
            return self.work(context)
        except StandsStill as rest:
            self.log.warning("%s", rest)
            self.defer(
                trigger=StandstillTrigger(
                    connection=self.connection,
                    revision=self.revision,
                    dag_run_id=context["run_id"],
                    rests=sorted(self.rests),
                ),
                method_name="go_on",
            )

    @abstractmethod
    def work(self, context: Context) -> Any:
        """Do the task's work.

        Raises:
            StandsStill: Applying or sending was stopped meanwhile; it is done again afterwards.
        """
