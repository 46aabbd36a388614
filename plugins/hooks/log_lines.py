"""What each line of a log is about: our numbers, bound beside the ids that Airflow binds (DAG, run, task)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from structlog.contextvars import bind_contextvars, bound_contextvars

if TYPE_CHECKING:
    from data_connections.steps.pinned_run import PinnedRun


def name_run(run: PinnedRun) -> None:
    """Let each line of this task or trigger carry the connection's name and the number of its run in the ledger."""
    bind_contextvars(connection=run.spec.name, connection_run=run.id)


def name_delivery(delivery_id: int) -> None:
    """Let each line of this task carry the number of the delivery that it works on."""
    bind_contextvars(delivery=delivery_id)


def about_submission(submission_id: int) -> AbstractContextManager[None]:
    """Let each line in here carry the number of a submission."""
    return bound_contextvars(submission=submission_id)


def about_connection(name: str, run_id: int | None = None) -> AbstractContextManager[None]:
    """Let each line in here carry a connection's name, and the number of its run where there is one.

    Args:
        name: The connection.
        run_id: Of ``connection_run``.
    """
    return bound_contextvars(connection=name, **({} if run_id is None else {"connection_run": run_id}))
