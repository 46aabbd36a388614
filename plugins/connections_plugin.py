"""The Airflow plugin of Connections: the screen, pools for partner hosts, slow imports before tasks are forked."""

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

PREFIX = "connections-app"
EXTERNAL_VIEWS = [
    {
        "name": "Connections",
        "href": f"{PREFIX}/",
        "url_route": "connections",
        "destination": "nav",
        "nav_top_level": True,
        "icon": f"/{PREFIX}/static/icon.svg",
        "icon_dark_mode": f"/{PREFIX}/static/icon-dark.svg",
    },
    {"name": "Connection", "href": f"{PREFIX}/by-dag?dag={{DAG_ID}}", "url_route": "connection", "destination": "dag"},
    {
        "name": "Connection",
        "href": f"{PREFIX}/by-dag?dag={{DAG_ID}}&run={{RUN_ID}}",
        "url_route": "connection_run",
        "destination": "dag_run",
    },
]
"""The screen in Airflow's navigation, and a tab on each DAG and on each run."""


class _WhenServed:
    """The apps to mount, made when the API server asks: no other process pays for importing them."""

    def __get__(self, instance: object, owner: type) -> list[dict[str, Any]]:
        from ui.app import make_app

        return [{"app": make_app(), "url_prefix": f"/{PREFIX}", "name": "Connections"}]


class ConnectionsPlugin(AirflowPlugin):
    """Registers what Connections adds to Airflow."""

    name = "connections"
    listeners: ClassVar[list[Any]] = [pools]
    fastapi_apps: ClassVar[Any] = _WhenServed()
    external_views: ClassVar[list[Any]] = EXTERNAL_VIEWS

    @classmethod
    def on_load(cls, *args: Any, **kwargs: Any) -> None:
        """Import slow modules where ``CONNECTIONS_PRELOAD=1``: in the scheduler and in Celery workers."""
        if os.environ.get("CONNECTIONS_PRELOAD") == "1":
            from importlib import import_module

            for library in PRELOAD:
                import_module(library)
