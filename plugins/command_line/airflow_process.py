"""Airflow in this process, with the settings of this installation: for its table of credentials."""

from __future__ import annotations

import logging
import os

from data_connections.settings import Settings


def enter_airflow(settings: Settings) -> None:
    """Set the environment that Airflow reads when it is first imported; starts the embedded database if needed."""
    from local_stack import Stack

    os.environ.update(Stack(settings).environment())
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    logging.getLogger("airflow").setLevel(logging.ERROR)


def prepare_metadata(settings: Settings) -> None:
    """Make Airflow's tables where there are none yet: a command may come before the first `make up`.

    Raises:
        LedgerUnavailable: Airflow refuses to; the message says where to look.
    """
    import psycopg

    from local_stack.airflow_environment import stack_folder
    from local_stack.databases import migrate_databases, open_databases

    databases = open_databases(settings)
    with psycopg.connect(databases.metadata.replace("+psycopg2", "", 1), connect_timeout=10) as connection:
        row = connection.execute("select to_regclass('connection') is not null").fetchone()
    if row and not row[0]:
        stack_folder(settings).mkdir(parents=True, exist_ok=True)
        migrate_databases(settings, databases, os.environ)
