"""Starts Airflow's scheduler once nothing of an earlier one is in its way.

A scheduler that is killed leaves its workers behind. They ignore SIGTERM, wait for work that never comes, and hold
copies of its database connections: PostgreSQL does not notice that it is dead, keeps the locks of its open transaction,
and whoever needs them waits for ever.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import NoReturn

import psycopg

from local_stack.airflow_environment import MARK, METADATA_VARIABLE
from local_stack.processes import end_idle_workers

_PATIENCE_SECONDS = 10


def start(folder: Path, metadata_url: str) -> NoReturn:
    """Clear away what a killed scheduler of the stack at ``folder`` left, and become the new one.

    Workers that are busy finish their task first: Airflow takes their results over its API, and the ledger takes
    them once.

    Args:
        folder: The stack's folder.
        metadata_url: Airflow's metadata database, as SQLAlchemy understands it.
    """
    name = session_name(folder)
    ended = end_idle_workers(folder)
    closed = end_sessions(metadata_url, name)
    if ended or closed:
        print(f"Ended {ended} idle workers and {closed} database sessions of an earlier scheduler.", flush=True)
    command = [sys.executable, "-m", "airflow", "scheduler", "--skip-serve-logs"]
    os.execve(sys.executable, command, {**os.environ, "PGAPPNAME": name})  # noqa: S606 - no shell is the point


def session_name(folder: Path) -> str:
    """Return the name that the database sessions of this stack's scheduler have, and no other's."""
    digest = hashlib.sha256(f"{os.uname().nodename} {folder}".encode()).hexdigest()
    return f"airflow scheduler {digest[:16]}"


def end_sessions(metadata_url: str, name: str) -> int:
    """End the database sessions called ``name``, and with them their transactions and locks; returns how many.

    A database that does not answer has none; the scheduler says what is wrong with it.
    """
    if not metadata_url.startswith("postgresql"):
        return 0
    scheme, _, rest = metadata_url.partition("://")
    url = f"{scheme.partition('+')[0]}://{rest}"
    try:
        with psycopg.connect(url, connect_timeout=_PATIENCE_SECONDS, autocommit=True) as connection:
            return connection.execute(
                "select pg_terminate_backend(pid, %s) from pg_stat_activity"
                " where datname = current_database() and application_name = %s",
                [_PATIENCE_SECONDS * 1000, name],
            ).rowcount
    except psycopg.Error as error:
        print(f"The database sessions of an earlier scheduler could not be looked for: {error}", flush=True)
        return 0


if __name__ == "__main__":
    start(Path(os.environ[MARK]), os.environ[METADATA_VARIABLE])
