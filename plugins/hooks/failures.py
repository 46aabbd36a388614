"""What becomes of the core's errors in Airflow: tried again or not, and always a sentence that names the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from data_connections.errors import (
    ConfigurationError,
    ConnectionsError,
    FatalEndpointError,
    FileRefused,
    TotalsMismatch,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

FINAL = (ConfigurationError, FatalEndpointError, FileRefused, TotalsMismatch, AirflowFailException)
"""Errors that stay the same however often a task is tried."""

OURS = (ConnectionsError, AirflowException)
"""Errors whose text was written for people."""

FAILURE = "failure"
"""XCom key under which a task leaves the sentence that says why it failed."""


class TaskFailed(ConnectionsError):
    """A task failed, and trying again may help."""


def words_of(error: Exception) -> str:
    """Return what of an error people may read: all of what we raise on purpose, of others no more than their kind.

    Those of libraries may hold values of rows, such as a database's that shows the row that it refused; the task's log
    has them whole.
    """
    if isinstance(error, OURS):
        return str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return f"{type(error).__name__}; the task's log says more"


def task_failure(connection: str, error: Exception) -> Exception:
    """Return what a task of ``connection`` raises for ``error``: with AirflowFailException it is not tried again."""
    text = words_of(error)
    sentence = text if connection in text else f"Connection {connection}: {text}"
    return AirflowFailException(sentence) if isinstance(error, FINAL) else TaskFailed(sentence)


def is_last_try(context: Context, error: Exception) -> bool:
    """Whether Airflow will not try this task again after ``error``."""
    ti = context["ti"]
    return isinstance(error, FINAL) or ti.try_number > ti.max_tries
