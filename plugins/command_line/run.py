"""`connections run`: start a connection's DAG now, and follow it if asked to."""

from __future__ import annotations

import time
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

import typer

from command_line.exits import BAD
from command_line.output import AsJson, note, print_json
from command_line.session import current_settings, open_ledger
from data_connections.errors import ConfigurationError

if TYPE_CHECKING:
    from command_line.airflow_api import AirflowApi
    from data_connections.catalog import StoredSpec
    from data_connections.ledger import Ledger

_OPEN = ("queued", "running")
_LOOK_EVERY = 1.0
_NEW_DAG = 90.0
_DAY = ["%Y-%m-%d"]


def run(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    business_date: Annotated[
        datetime | None,
        typer.Option("--business-date", formats=_DAY, metavar="DATE", help="Outbound: the day of the report."),
    ] = None,
    unpause: Annotated[bool, typer.Option("--unpause", help="Let the schedule run from now on, too.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the run to its end; exit code 1 when it fails.")] = False,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="With --wait: how long at most.")] = 3600,
    as_json: AsJson = False,
) -> None:
    """Start a connection's DAG in Airflow now, and print the id of its run."""
    from command_line.airflow_api import AirflowApi
    from data_connections.catalog import current

    settings = current_settings()
    ledger = open_ledger(settings)
    stored = current(ledger, name)
    if business_date and stored.spec.direction == "inbound":
        raise ConfigurationError(f"{name} is inbound; --business-date is for outbound connections.")
    api = AirflowApi(settings)
    be_ready(api, stored, unpause=unpause)
    started = _start(api, name, business_date)
    if not as_json:
        typer.echo(started["dag_run_id"])
        note(api.run_url(name, started["dag_run_id"]))
    last = _follow(api, name, started["dag_run_id"], timeout) if wait else started
    if as_json:
        print_json(
            {
                "name": name,
                "dag_run_id": last["dag_run_id"],
                "state": last["state"],
                "url": api.run_url(name, last["dag_run_id"]),
            }
        )
    if wait:
        _tell_counts(ledger, stored, last["dag_run_id"])
    if last["state"] == "failed":
        raise typer.Exit(BAD)


def _tell_counts(ledger: Ledger, stored: StoredSpec, run_id: str) -> None:
    query = "select * from connection_run where connection_id = %s and dag_run_id = %s"
    row = ledger.one(query, [stored.connection_id, run_id])
    if row and row["files"]:
        files = "1 file" if row["files"] == 1 else f"{row['files']} files"
        note(f"{files}, {row['rows']:,} rows: {row['accepted']:,} accepted, {row['rejected']:,} rejected")
    if row and row["reason"]:
        note(row["reason"])


def be_ready(api: AirflowApi, stored: StoredSpec, *, unpause: bool, starts: bool = True) -> None:
    """Wait for a DAG that was only just applied, and where something ``starts``, make sure that it would begin."""
    dag = _find_dag(api, stored)
    if unpause and dag["is_paused"]:
        api.patch(f"/dags/{stored.name}", {"is_paused": False})
    elif dag["is_paused"] and starts:
        raise ConfigurationError(f"The DAG of {stored.name} is paused in Airflow, so a run would wait: add --unpause.")


def _find_dag(api: AirflowApi, stored: StoredSpec) -> dict[str, Any]:
    from command_line.airflow_api import AirflowRefused

    end = time.monotonic() + _NEW_DAG
    told = False
    while True:
        try:
            dag: dict[str, Any] = api.get(f"/dags/{stored.name}")
        except AirflowRefused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            if stored.refusal or time.monotonic() > end:
                why = (
                    stored.refusal
                    or "Its DAG processor makes it within a minute after `connections apply`, if it runs."
                )
                raise ConfigurationError(f"Airflow has no DAG for {stored.name}. {why}") from refused
        else:
            return dag
        if not told:
            note(f"Waiting for Airflow to make the DAG of {stored.name} ...")
            told = True
        time.sleep(_LOOK_EVERY)


def _start(api: AirflowApi, name: str, business_date: datetime | None) -> dict[str, Any]:
    conf = {"business_date": f"{business_date:%Y-%m-%d}"} if business_date else {}
    content = {"logical_date": None, "conf": conf}
    started: dict[str, Any] = api.post(f"/dags/{name}/dagRuns", content)
    return started


def _follow(api: AirflowApi, name: str, run_id: str, timeout: float) -> dict[str, Any]:
    """Ask until the run has ended, telling each new state of a task on standard error."""
    from command_line.airflow_api import AirflowUnavailable

    end = time.monotonic() + timeout
    told: dict[str, str] = {}
    while True:
        try:
            state: dict[str, Any] = api.get(f"/dags/{name}/dagRuns/{run_id}")
            _tell_tasks(api, name, run_id, told)
        except AirflowUnavailable:
            # The run goes on without us: a server that is busy or restarts is asked again.
            if time.monotonic() > end:
                raise
            time.sleep(_LOOK_EVERY)
            continue
        if state["state"] not in _OPEN:
            note(f"{run_id}: {state['state']}")
            return state
        if time.monotonic() > end:
            raise AirflowUnavailable(f"{run_id} of {name} is still {state['state']} after {timeout:g} seconds.")
        time.sleep(_LOOK_EVERY)


def _tell_tasks(api: AirflowApi, name: str, run_id: str, told: dict[str, str]) -> None:
    answer = api.get(f"/dags/{name}/dagRuns/{run_id}/taskInstances", limit=100)
    for task in answer["task_instances"]:
        key = task["task_id"] + (f"[{task['map_index']}]" if task["map_index"] >= 0 else "")
        if task["state"] and told.get(key) != task["state"]:
            told[key] = task["state"]
            note(f"  {key}: {task['state']}")
