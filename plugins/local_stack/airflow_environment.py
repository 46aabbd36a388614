"""Airflow's configuration, given by environment variables alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from data_connections.settings import PROJECT, Settings
from local_stack.keys import ADMINISTRATOR, GATEWAY, Keys

METADATA_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
MARK = "CONNECTIONS_STACK"
"""Variable that every process of a stack carries, with the stack's folder, so that it can be found again."""


def airflow_environment(
    settings: Settings, *, port: int, ledger_url: str, metadata_url: str, inherited: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment of Airflow's processes and of every command that belongs to this stack.

    What ``inherited`` already says about Airflow (``AIRFLOW__...``) wins over the values here.

    Args:
        settings: The installation.
        port: TCP port of the API server, on the loopback address.
        ledger_url: The ledger, as libpq understands it.
        metadata_url: Airflow's metadata database, as SQLAlchemy understands it.
        inherited: The environment to build on.
    """
    ours = {f"AIRFLOW__{name.upper()}": value for name, value in _airflow(settings, port, metadata_url).items()}
    theirs = {name: value for name, value in inherited.items() if name.startswith("AIRFLOW__")}
    python_path = [str(PROJECT / "plugins"), *filter(None, [inherited.get("PYTHONPATH")])]
    return {
        **inherited,
        **ours,
        **theirs,
        "AIRFLOW_HOME": str(settings.airflow_home),
        "CONNECTIONS_HOME": str(settings.home),
        "CONNECTIONS_DATABASE_URL": ledger_url,
        "CONNECTIONS_LANDING_URL": settings.landing_url,
        "CONNECTIONS_INCLUDE": str(settings.include),
        "CONNECTIONS_SCHEMAS": os.pathsep.join(map(str, settings.schemas[1:])),
        "CONNECTIONS_AIRFLOW_URL": f"http://localhost:{port}",
        # Airflow hides its database from tasks; the one that cleans it up is told.
        "CONNECTIONS_AIRFLOW_DATABASE_URL": theirs.get(METADATA_VARIABLE, metadata_url),
        "GX_ANALYTICS_ENABLED": "False",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)]),
        # Plugins come before packages that are called the same, such as PyPI's `hooks`.
        "PYTHONPATH": os.pathsep.join(python_path),
        "PYTHONUNBUFFERED": "1",
        # Bytecode is kept, whatever the shell says: without it every service compiles everything at every start.
        "PYTHONDONTWRITEBYTECODE": "",
        MARK: str(stack_folder(settings)),
        # Without it, Airflow's process titles overwrite the environment that the mark is read from.
        "SPT_NOENV": "1",
    }


def stack_folder(settings: Settings) -> Path:
    """Return where the supervisor keeps its files."""
    return settings.home / "stack"


def keys_of(settings: Settings) -> Keys:
    """Return the keys of an installation."""
    return Keys(settings.home / "keys")


def _airflow(settings: Settings, port: int, metadata_url: str) -> dict[str, str]:
    keys = keys_of(settings)
    return {
        "api__base_url": f"http://localhost:{port}",
        "api__host": "127.0.0.1",
        "api__port": str(port),
        "api__secret_key": keys.api_secret,
        "api__workers": "1",
        "api_auth__jwt_secret": keys.jwt_secret,
        "core__dags_folder": str(PROJECT / "dags"),
        "core__execution_api_server_url": f"http://127.0.0.1:{port}/execution/",
        "core__executor": "LocalExecutor",
        "core__fernet_key": keys.fernet_key,
        # Plugins are loaded where tasks are forked, so that slow imports are paid for once.
        "core__lazy_load_plugins": "False",
        "core__load_examples": "False",
        # Python 3.14 would not fork, and pay for every import in every task.
        "core__mp_start_method": "fork",
        "core__parallelism": str(max(4, 4 * (os.cpu_count() or 1))),
        "core__plugins_folder": str(PROJECT / "plugins"),
        "core__simple_auth_manager_passwords_file": str(keys.password_file),
        "core__simple_auth_manager_users": f"{ADMINISTRATOR}:admin,{GATEWAY}:user",
        "dag_processor__min_file_process_interval": "10",
        "dag_processor__refresh_interval": "30",
        "database__sql_alchemy_conn": metadata_url,
        "logging__base_log_folder": str(settings.airflow_home / "logs"),
        "logging__colored_console_log": "False",
        "scheduler__scheduler_idle_sleep_time": "0.1",
        # The first request makes the API server build its application; on a busy machine that takes longer than 5 s.
        "workers__execution_api_timeout": "60",
    }
