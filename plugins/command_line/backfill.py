"""`connections backfill`: go through days gone by again, with Airflow's own backfills."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, date, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from uuid import uuid4

import typer

from command_line.exits import BAD
from command_line.output import AsJson, note, print_fields, print_json, print_table
from command_line.run import be_ready
from command_line.session import current_settings, open_ledger
from data_connections.errors import ConfigurationError

if TYPE_CHECKING:
    from command_line.airflow_api import AirflowApi, AirflowRefused
    from data_connections.spec import ConnectionSpec

_DAY = ["%Y-%m-%d"]
_LOOK_EVERY = 2.0
_MOST_SHOWN = 40


class Reprocess(StrEnum):
    """What becomes of days that have a run already."""

    NONE = "none"
    FAILED = "failed"
    COMPLETED = "completed"


def backfill(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    first: Annotated[datetime, typer.Option("--from", formats=_DAY, metavar="DATE", help="First business day.")],
    last: Annotated[datetime, typer.Option("--to", formats=_DAY, metavar="DATE", help="Last business day.")],
    reprocess: Annotated[
        Reprocess,
        typer.Option(help="Days that have a run: leave them, run those again that failed, or all that ended."),
    ] = Reprocess.NONE,
    newest_first: Annotated[bool, typer.Option("--newest-first", help="Begin with the last day.")] = False,
    receipts: Annotated[bool, typer.Option("--receipts", help="Give the partner receipts and rejects.")] = False,
    alerts: Annotated[bool, typer.Option("--alerts", help="Tell people about runs that fail.")] = False,
    hold: Annotated[
        bool, typer.Option("--hold", help="Outbound: make the files, and send none before somebody approves it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the days, and start nothing.")] = False,
    unpause: Annotated[bool, typer.Option("--unpause", help="Let the schedule run from now on, too.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end; exit code 1 when a run fails.")] = False,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="With --wait: how long at most.")] = 86400,
    as_json: AsJson = False,
) -> None:
    """Go through the business days of a connection again, in a pool that gives way to daily work.

    Outbound: the days' files are made again and sent, or with --hold wait for `connections deliveries send`. Inbound:
    files of those days, by the date in their name or else by arrival, are taken where they were not yet; refused ones
    are judged again when the connection has changed, from our copy where the partner's is gone.
    """
    from command_line.airflow_api import AirflowApi, AirflowRefused
    from data_connections.catalog import current
    from data_connections.steps.backfill import Conduct, backfill_range

    settings = current_settings()
    stored = current(open_ledger(settings), name)
    wanted = backfill_range(stored.spec, first.date(), last.date(), datetime.now(UTC))
    conduct = Conduct(receipts=receipts, alerts=alerts, again=reprocess is not Reprocess.NONE, hold=hold)
    conduct.must_fit(stored.spec)
    token = str(uuid4())
    request = {
        "dag_id": name,
        "from_date": wanted.first.isoformat(),
        "to_date": wanted.last.isoformat(),
        "run_backwards": newest_first,
        "reprocess_behavior": str(reprocess),
        "max_active_runs": 1,
        "dag_run_conf": conduct.as_conf(asked_for=token),
    }
    api = AirflowApi(settings)
    be_ready(api, stored, unpause=unpause, starts=not dry_run)
    try:
        days = _days(stored.spec, api.post("/backfills/dry_run", request)["backfills"])
        if dry_run or not days:
            _show_days(name, days, as_json=as_json)
            return
        started = api.post("/backfills", request)
    except AirflowRefused as refused:
        _explain(api, name, refused)
    if not (as_json and wait):
        _show_started(api, name, started, days, as_json=as_json)
    if wait:
        _follow(api, name, started["id"], token, timeout, as_json=as_json)


def _days(spec: ConnectionSpec, runs: list[dict[str, Any]]) -> list[tuple[date, date]]:
    """Return the business days of the runs that Airflow would make."""
    from data_connections.steps.business_day import business_days

    starts = [datetime.fromisoformat(run["logical_date"]) for run in runs]
    turns = [business_days(spec, datetime.now(UTC), interval_start=start) for start in starts]
    return [(turn.first, turn.last) for turn in turns]


def _show_days(name: str, days: list[tuple[date, date]], *, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "runs": [{"business_date": first, "last_date": last} for first, last in days]})
        return
    print_table(["first day", "last day"], days[:_MOST_SHOWN])
    if len(days) > _MOST_SHOWN:
        note(f"{len(days) - _MOST_SHOWN} more.")
    note(f"{len(days)} runs would be made." if days else "Nothing to do: every one of these days has a run already.")


def _show_started(
    api: AirflowApi, name: str, started: dict[str, Any], days: list[tuple[date, date]], *, as_json: bool
) -> None:
    if as_json:
        print_json({"name": name, "backfill_id": started["id"], "runs": len(days)})
        return
    print_fields({"Backfill": started["id"], "Connection": name, "Runs": len(days), "Days": _span(days)})
    note(f"{api.url}/dags/{name}/backfills shows how far it is.")


def _span(days: list[tuple[date, date]]) -> str:
    return f"{min(first for first, _ in days)} to {max(last for _, last in days)}"


def _explain(api: AirflowApi, name: str, refused: AirflowRefused) -> NoReturn:
    """Say in our words what Airflow refuses, with the way out."""
    if refused.status != HTTPStatus.CONFLICT:
        raise refused
    running = api.get("/backfills", dag_id=name, limit=1, order_by="-id")["backfills"]
    which = f", from {running[0]['from_date'][:10]} to {running[0]['to_date'][:10]}," if running else ""
    raise ConfigurationError(
        f"A backfill of {name}{which} is under way, and Airflow runs one at a time. Wait for its end, or cancel it at "
        f"{api.url}/dags/{name}/backfills, and ask again."
    ) from refused


def _follow(api: AirflowApi, name: str, backfill_id: int, token: str, timeout: float, *, as_json: bool) -> None:
    """Ask until every run has ended, telling each; Airflow itself closes the backfill up to half a minute later."""
    from command_line.airflow_api import AirflowUnavailable

    end = time.monotonic() + timeout
    told: dict[str, str] = {}
    runs: list[dict[str, Any]] = []
    while True:
        with suppress(AirflowUnavailable):
            runs = _runs(api, name, token)
        for run in runs:
            if run["state"] in ("success", "failed") and told.get(run["dag_run_id"]) != run["state"]:
                told[run["dag_run_id"]] = run["state"]
                note(f"  {run['dag_run_id']}: {run['state']}")
        if runs and all(run["state"] in ("success", "failed") for run in runs):
            break
        if time.monotonic() > end:
            raise AirflowUnavailable(f"The backfill of {name} has not ended after {timeout:g} seconds.")
        time.sleep(_LOOK_EVERY)
    failed = [run["dag_run_id"] for run in runs if run["state"] == "failed"]
    if as_json:
        print_json({"name": name, "backfill_id": backfill_id, "runs": len(runs), "failed": failed})
    if failed:
        raise typer.Exit(BAD)


def _runs(api: AirflowApi, name: str, token: str) -> list[dict[str, Any]]:
    """Return the runs of one backfill: Airflow's list knows them by their configuration alone."""
    found: list[dict[str, Any]] = []
    while True:
        page = api.get(f"/dags/{name}/dagRuns", conf_contains=token, limit=100, offset=len(found), order_by="id")
        found += page["dag_runs"]
        if not page["dag_runs"] or len(found) >= page["total_entries"]:
            return found
