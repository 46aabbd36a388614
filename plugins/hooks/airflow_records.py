"""Airflow's own records of runs, tasks and events, cleaned up by Airflow's own command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime

from data_connections.errors import ConfigurationError, ConnectionsError
from data_connections.settings import airflow_database

TABLES = (
    *("asset_event", "callback", "celery_taskmeta", "celery_tasksetmeta", "connection_test_request", "dag_run"),
    *("dag_version", "deadline", "import_error", "job", "log", "partitioned_asset_key_log", "revoked_token"),
    *("task_instance", "task_instance_history", "task_reschedule", "task_state_store", "xcom"),
)
"""What is cleaned up; not ``trigger``, by which sensors wait, nor ``dag``, which knows what is paused."""

BATCH = 10_000
PATIENCE = 3000.0
_ADDRESS = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
_OF_TASKS = ("AIRFLOW__CORE__SQL_ALCHEMY_CONN", "_AIRFLOW_PROCESS_CONTEXT")
_FOUND = re.compile(r"^Found (\d+) rows meeting deletion criteria", re.MULTILINE)


class CleaningFailed(ConnectionsError):
    """Airflow could not clean up after itself; trying again may help."""


def clean_airflow(before: datetime) -> int:
    """Delete what Airflow recorded before an instant, by ``airflow db clean``; return how many rows.

    Airflow keeps the last scheduled run of every DAG, so that its schedule goes on where it is. Airflow hides its
    database from tasks, so the command has a process of its own, and its address from a setting of ours.

    Raises:
        ConfigurationError: Nobody said where the database is.
        CleaningFailed: The command failed; what it said is in the message.
    """
    address = airflow_database()
    if address is None:
        raise ConfigurationError("Set CONNECTIONS_AIRFLOW_DATABASE_URL to the address of Airflow's metadata database.")
    if not _is_older(address, before):
        return 0
    environment = {name: value for name, value in os.environ.items() if name not in _OF_TASKS}
    options = ["--clean-before-timestamp", before.isoformat(), "--tables", ",".join(TABLES)]
    options += ["--skip-archive", "--batch-size", str(BATCH), "--error-on-cleanup-failure", "--yes"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "clean", *options],
            env={**environment, _ADDRESS: address},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as late:
        raise CleaningFailed(f"`airflow db clean` did not end within {PATIENCE:.0f} s.") from late
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise CleaningFailed(f"`airflow db clean` failed ({done.returncode}): {said}")
    return sum(map(int, _FOUND.findall(done.stdout)))


def _is_older(address: str, before: datetime) -> bool:
    """Whether Airflow recorded any run before an instant; where it did not, its slow command is not started."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    query = text("select 1 from dag_run where start_date < :before limit 1")
    try:
        with create_engine(address, poolclass=NullPool).connect() as connection:
            return connection.execute(query, {"before": before}).first() is not None
    except SQLAlchemyError as lost:
        raise CleaningFailed(f"Airflow's database does not answer: {type(lost).__name__}.") from lost
