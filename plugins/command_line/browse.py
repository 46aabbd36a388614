"""`connections list`, `show` and `history`: what there is, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from command_line.output import AsJson, note, print_fields, print_json, print_table, warn
from command_line.session import current_settings, open_ledger
from data_connections.errors import ConfigurationError

if TYPE_CHECKING:
    from data_connections.catalog.overview import Overview
    from data_connections.settings import Settings

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest first.")]
_LISTED = ("program", "name", "data_type", "direction", "method", "status", "last_active", "schedule")
_RUN = ("dag_run_id", "state", "airflow_state", "files", "rows", "accepted", "rejected", "started_at", "finished_at")


def list_connections(
    program: Annotated[str | None, typer.Option(help="Only this program.")] = None,
    data_type: Annotated[str | None, typer.Option(help="Only this data type or report.")] = None,
    direction: Annotated[str | None, typer.Option(help="Only inbound or outbound.")] = None,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List connections with their last processing status."""
    from data_connections.catalog.overview import overviews

    wanted = {"program": program, "data_type": data_type, "direction": direction}
    lines = [each.as_json() for each in overviews(open_ledger(), with_deleted=deleted)]
    lines = [line for line in lines if all(value in (None, line[name]) for name, value in wanted.items())]
    if as_json:
        print_json(lines)
        return
    if not lines:
        note("No connection fits. Make some with `connections apply -f FOLDER`.")
        return
    print_table([name.replace("_", " ") for name in _LISTED], ([line[name] for name in _LISTED] for line in lines))
    for line in lines:
        if line["refusal"]:
            note(f"{line['name']}: revision {line['revision']} could not be built: {line['refusal']}")


def show(name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)], as_json: AsJson = False) -> None:
    """Show one connection: its spec, revision, status, last runs and changes."""
    from data_connections.catalog import activity, current
    from data_connections.catalog.overview import overviews, runs

    ledger = open_ledger()
    current(ledger, name)
    overview = overviews(ledger, only=name)[0]
    connection_id = overview.stored.connection_id
    last_runs = runs(ledger, connection_id, limit=5)
    changes = activity.recent(ledger, connection_id=connection_id, limit=5)
    if as_json:
        print_json({**_facts(overview), "spec": overview.stored.content, "runs": last_runs, "activity": changes})
        return
    print_fields({key.replace("_", " "): value for key, value in _facts(overview).items()})
    typer.echo(f"\n{_spec_text(overview).rstrip()}\n")
    if last_runs:
        _print_runs(last_runs)
    rows = [(each["at"], each["who"], each["what"], each["details"].get("revision")) for each in changes]
    print_table(("at", "who", "what", "revision"), rows, title="Last changes")


def history(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)], limit: Limit = 20, as_json: AsJson = False
) -> None:
    """Show the runs of a connection: Airflow's state of each, and the ledger's counts."""
    from data_connections.catalog import current
    from data_connections.catalog.overview import runs

    settings = current_settings()
    ledger = open_ledger(settings)
    found = _with_airflow(runs(ledger, current(ledger, name).connection_id, limit=limit), settings, name, limit)
    if as_json:
        print_json(found)
    elif found:
        _print_runs(found)
    else:
        note(f"{name} has not run yet.")


def _facts(overview: Overview) -> dict[str, Any]:
    stored = overview.stored
    return {
        "name": stored.name,
        "revision": stored.number,
        "hash": stored.hash,
        "built_revision": stored.built_revision,
        "refusal": stored.refusal,
        "status": overview.status,
        "last_active": overview.last_active,
        "managed_by": stored.managed_by,
        "changed_at": stored.created_at,
        "changed_by": stored.created_by,
    }


def _spec_text(overview: Overview) -> str:
    from data_connections.catalog.export import content_to_yaml, to_yaml

    try:
        return to_yaml(overview.stored.spec)
    except ConfigurationError as invalid:
        warn(invalid)
        return content_to_yaml(overview.stored.content)


def _with_airflow(known: list[dict[str, Any]], settings: Settings, name: str, limit: int) -> list[dict[str, Any]]:
    """Add what Airflow says about the runs, and the runs that only Airflow knows."""
    from command_line.airflow_api import AirflowApi
    from data_connections.errors import ConnectionsError

    try:
        api = AirflowApi(settings, timeout=5)
        answer = api.get(f"/dags/{name}/dagRuns", order_by="-run_after", limit=min(limit, 100))
    except ConnectionsError as unreachable:
        note(f"Only what the ledger knows: {unreachable}")
        return [{**run, "airflow_state": None} for run in known]
    told = {run["dag_run_id"]: run for run in answer["dag_runs"]}
    merged = [{**run, "airflow_state": told.pop(run["dag_run_id"], {}).get("state")} for run in known]
    merged += [_only_airflow(run) for run in told.values()]
    return sorted(merged, key=lambda run: (run["started_at"] is None, run["started_at"]), reverse=True)[:limit]


def _only_airflow(run: dict[str, Any]) -> dict[str, Any]:
    begun, ended = run["start_date"] or run["run_after"], run["end_date"]
    return {
        "dag_run_id": run["dag_run_id"],
        "revision": None,
        "state": None,
        "reason": None,
        **dict.fromkeys(("files", "rows", "accepted", "rejected")),
        "started_at": datetime.fromisoformat(begun) if begun else None,
        "finished_at": datetime.fromisoformat(ended) if ended else None,
        "airflow_state": run["state"],
    }


def _print_runs(found: list[dict[str, Any]]) -> None:
    from data_connections.catalog.overview import STATUS

    rows = [[STATUS[run["state"]] if key == "state" else run.get(key) for key in _RUN] for run in found]
    print_table(("run", "status", "Airflow", *_RUN[3:7], "started", "finished"), rows, title="Runs")
    for run in found:
        if run["reason"]:
            note(f"{run['dag_run_id']}: {run['reason']}")
