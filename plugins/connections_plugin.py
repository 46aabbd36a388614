"""The Airflow plugin of Connections: pools for partner hosts, and slow imports done before tasks are forked."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from dag_factory import pools

PRELOAD = (
    "pandas",
    "pyarrow.csv",
    "asyncssh",
    "great_expectations",
    "dag_factory.generation",
    "data_connections.steps.inbound",
    "data_connections.steps.outbound",
)
"""Modules that take seconds to import; a forked task that finds them loaded starts at once. None starts threads."""


class ConnectionsPlugin(AirflowPlugin):
    """Registers what Connections adds to Airflow."""

    name = "connections"
    listeners: ClassVar[list[Any]] = [pools]

    @classmethod
    def on_load(cls, *args: Any, **kwargs: Any) -> None:
        """Import slow modules where ``CONNECTIONS_PRELOAD=1``: in the scheduler and in Celery workers."""
        if os.environ.get("CONNECTIONS_PRELOAD") == "1":
            from importlib import import_module

            for library in PRELOAD:
                import_module(library)
