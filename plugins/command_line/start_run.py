"""Starting runs of a connection through Airflow's REST API, each once."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from command_line.airflow_api import AirflowApi, AirflowRefused
from data_connections.gateway.run_starter import Answer


def start_waiting_run(api: AirflowApi, name: str) -> Answer:
    """Start a run of the connection ``name``, unless one is queued or running or its DAG is paused.

    Raises:
        AirflowUnavailable: Airflow does not answer.
        AirflowRefused: It refuses, such as for a DAG that it does not have yet.
    """
    if api.get(f"/dags/{name}")["is_paused"]:
        return Answer.PAUSED
    active = api.get(f"/dags/{name}/dagRuns", state=["queued", "running"], limit=1)
    if active["dag_runs"]:
        return Answer.ACTIVE
    try:
        api.post(f"/dags/{name}/dagRuns", {"logical_date": None, "note": "A file arrived at the gateway."})
    except AirflowRefused as refused:
        if refused.status == HTTPStatus.CONFLICT:
            return Answer.ACTIVE
        raise
    return Answer.STARTED


def start_named_run(api: AirflowApi, name: str, run_id: str, conf: dict[str, Any]) -> None:
    """Start a run of the connection ``name`` under an id; the same id again starts nothing.

    Raises:
        AirflowUnavailable: Airflow does not answer.
        AirflowRefused: It refuses, such as for a DAG that it does not have yet.
    """
    try:
        api.post(f"/dags/{name}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": conf})
    except AirflowRefused as refused:
        if refused.status != HTTPStatus.CONFLICT:
            raise
