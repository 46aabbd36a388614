"""`connections drain`: come to rest before an upgrade, and go on after it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from command_line.exits import BAD
from command_line.output import AsJson, note, print_json
from command_line.session import By, acting_user, current_settings, open_ledger

if TYPE_CHECKING:
    from command_line.airflow_api import AirflowApi
    from data_connections.ledger import Ledger

_LOOK_EVERY = 1.0
_AT_WORK = ("queued", "running", "restarting")


def drain(
    end: Annotated[bool, typer.Option("--end", help="Let everything that was drained go on.")] = False,
    timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for tasks.")] = 900,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Let no new task begin, and wait until none is at work: before an upgrade, a move or a backup at rest.

    Every DAG that is not paused is paused. Sensors that wait for files keep waiting: they need no worker, and survive
    a restart. Partners can still upload to the gateway. `--end` lets the same DAGs go on, and no other.

    Ends with 1 when tasks are still at work after the time-out; nothing is stopped by force.
    """
    from command_line.airflow_api import AirflowApi

    settings = current_settings()
    ledger = open_ledger(settings)
    api = AirflowApi(settings)
    if end:
        _go_on(api, ledger, as_json=as_json)
        return
    paused = _pause(api, ledger, acting_user(by))
    if not as_json:
        note(f"{len(paused)} DAGs are paused until `connections drain --end`.")
    busy = _wait(api, timeout, quiet=as_json)
    if as_json:
        print_json({"paused": paused, "busy": busy, "drained": not busy})
    elif busy:
        note(f"Still at work: {', '.join(busy)}")
    else:
        note("Nothing is at work: Airflow and the gateway may be stopped.")
    if busy:
        raise typer.Exit(BAD)


def _pause(api: AirflowApi, ledger: Ledger, who: str) -> list[str]:
    from data_connections.catalog import activity
    from data_connections.ledger import drained

    open_dags = [dag["dag_id"] for dag in api.every("/dags", "dags", paused=False)]
    with ledger.connect() as connection:
        drained.remember(connection, open_dags, who)
        if open_dags:
            activity.record(connection, who, "installation.drained", "Airflow", details={"dags": len(open_dags)})
    for dag_id in open_dags:
        api.patch(f"/dags/{dag_id}", {"is_paused": True})
    with ledger.connect() as connection:
        return drained.remembered(connection)


def _go_on(api: AirflowApi, ledger: Ledger, *, as_json: bool) -> None:
    from http import HTTPStatus

    from command_line.airflow_api import AirflowRefused
    from data_connections.ledger import drained

    with ledger.connect() as connection:
        waiting = drained.remembered(connection)
    gone = []
    for dag_id in waiting:
        try:
            api.patch(f"/dags/{dag_id}", {"is_paused": False})
        except AirflowRefused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            gone.append(dag_id)
        with ledger.connect() as connection:
            drained.forget(connection, dag_id)
    again = [dag_id for dag_id in waiting if dag_id not in gone]
    if as_json:
        print_json({"unpaused": again, "gone": gone})
        return
    note(f"{len(again)} DAGs go on." if again else "Nothing was drained.")
    if gone:
        note(f"No longer there: {', '.join(gone)}")


def _wait(api: AirflowApi, timeout: float, *, quiet: bool) -> list[str]:
    """Wait until no task is at work, and return those that still are when the time is over."""
    end = time.monotonic() + timeout
    told: list[str] = []
    while True:
        busy = sorted(_name(task) for task in api.every(_TASKS, "task_instances", state=list(_AT_WORK)))
        if not busy or time.monotonic() >= end:
            return busy
        if busy != told and not quiet:
            note(f"Waiting for {', '.join(busy[:5])}{' and more' if len(busy) > 5 else ''}")
            told = busy
        time.sleep(_LOOK_EVERY)


_TASKS = "/dags/~/dagRuns/~/taskInstances"


def _name(task: dict[str, Any]) -> str:
    place = f"[{task['map_index']}]" if task["map_index"] >= 0 else ""
    return f"{task['dag_id']}.{task['task_id']}{place} ({task['state']})"
