"""One connection: overview, history, files, settings, revisions, activity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from data_connections.catalog import changes_between, current, revisions
from data_connections.catalog.export import content_to_yaml
from data_connections.ledger.database import LedgerConnection
from data_connections.queries import runs
from data_connections.queries.activity import ActivityFilter, list_activity
from data_connections.queries.deliveries import DeliveryFilter, list_deliveries
from data_connections.queries.expected import Expectation, expectations
from data_connections.queries.filters import Number
from data_connections.queries.submissions import SubmissionFilter, list_submissions
from ui.airflow_dags import dag_states, log_pages, newest_runs, runs_by_id
from ui.books import LedgerDep
from ui.found import Name, connection_line
from ui.rendering import render
from ui.schedule_words import next_times, schedule_in_words
from ui.services import missing_services
from ui.standstill import resting_window
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/connections/{name}", include_in_schema=False)
TABS = ("overview", "history", "files", "preview", "backfill", "settings", "access", "revisions", "activity")
RUNS_SHOWN = 50
EXPECTED_WITHIN = 31
"""Days in which what is expected next is looked for."""


@router.get("")
def overview(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> HTMLResponse:
    """Show how a connection is doing."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
        shown: dict[str, Any] = {
            "chart": runs.rows_by_run(connection, line["id"]),
            "fresh": runs.freshness(connection, line["id"]),
            "not_taken": runs.not_taken(connection, line["id"]),
            "latest": _files(connection, line, 5),
            "expected": next_expected(connection, line),
        }
    return connection_tab(request, visitor, "overview", line, **shown)


@router.get("/history")
def history(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    name: Name,
    run: str = "",
    before: Annotated[Number, Query()] = None,
) -> HTMLResponse:
    """Show the runs of Airflow's metadata database, with the ledger's figures of each, the newest first."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
        merged, older = history_of(connection, line, before, RUNS_SHOWN)
    logs = log_pages(name, [each["run_id"] for each in merged])
    values: dict[str, Any] = {"runs": merged, "logs": logs, "marked": run, "before": before, "older": older}
    return connection_tab(request, visitor, "history", line, **values)


def history_of(
    connection: LedgerConnection, line: dict[str, Any], before: int | None, size: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Return runs, the newest first, each with the ledger's line of it in ``ledger``; and where the next page begins.

    The first page begins with the runs that Airflow has and the ledger does not know yet.
    """
    newest = [] if before else newest_runs(line["name"], size)
    page = runs.list_runs(connection, line["id"], before=before, size=size)
    known = runs.known_runs(connection, line["id"], [each["run_id"] for each in newest])
    shown = page[:size]
    merged = [{**each, "ledger": None} for each in newest if each["run_id"] not in known]
    merged += _with_airflow(shown, runs_by_id(line["name"], [each["dag_run_id"] for each in shown]))
    return merged, shown[-1]["id"] if len(page) > size else None


@router.get("/files")
def files(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> HTMLResponse:
    """Show the files that came in or went out."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
        shown: dict[str, Any] = {
            "latest": _files(connection, line, 50),
            "not_taken": runs.not_taken(connection, line["id"]),
        }
    return connection_tab(request, visitor, "files", line, **shown)


@router.get("/settings")
def settings(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> HTMLResponse:
    """Show the spec as YAML, with the schedule in words."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    stored = revisions(ledger, line["id"])[0]
    return connection_tab(request, visitor, "settings", line, stored=stored, yaml=yaml_of(stored.content))


@router.get("/revisions")
def all_revisions(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    name: Name,
    number: Annotated[int | None, Query(ge=1)] = None,
) -> HTMLResponse:
    """Show every revision, and what one of them changed."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    known = revisions(ledger, line["id"])
    by_number = {each.number: each for each in known}
    chosen = by_number.get(number or line["revision"])
    if chosen is None:
        raise HTTPException(404, f"There is no revision {number} of {name}.")
    before = by_number.get(chosen.number - 1)
    changes = changes_between(before.content if before else {}, chosen.content)
    return connection_tab(
        request, visitor, "revisions", line, known=known, chosen=chosen, changes=changes, yaml=yaml_of(chosen.content)
    )


@router.get("/activity")
def its_activity(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name, wanted: Annotated[ActivityFilter, Query()]
) -> HTMLResponse:
    """Show who did what with this connection."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
        entries = list_activity(connection, [line["id"]], wanted)
    return connection_tab(request, visitor, "activity", line, entries=entries, wanted=wanted)


@router.get("/yaml")
def as_yaml(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> Response:
    """Download the YAML to commit."""
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    headers = {"Content-Disposition": f'attachment; filename="{name}.yaml"'}
    return Response(yaml_of(current(ledger, name).content), media_type="application/yaml", headers=headers)


def yaml_of(content: Any) -> str:
    """Return a stored content as YAML, without the fields that are at their defaults where it is still a spec."""
    from data_connections.catalog.export import to_yaml
    from data_connections.errors import Mistakes
    from data_connections.spec import parse_spec

    try:
        return to_yaml(parse_spec(content))
    except Mistakes:
        return content_to_yaml(content)


def _files(connection: LedgerConnection, line: dict[str, Any], size: int) -> list[dict[str, Any]]:
    if line["direction"] == "inbound":
        return list_submissions(connection, [line["id"]], SubmissionFilter(size=size))[:size]
    return list_deliveries(connection, [line["id"]], DeliveryFilter(size=size))[:size]


def _with_airflow(page: list[dict[str, Any]], airflow: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the ledger's lines, each with Airflow's run; one that Airflow has forgotten stays."""
    return [
        {
            **(airflow.get(line["dag_run_id"]) or _forgotten(line)),
            "ledger": line,
        }
        for line in page
    ]


def _forgotten(line: dict[str, Any]) -> dict[str, Any]:
    unknown = dict.fromkeys(("state", "run_type", "queued_at", "triggering_user_name"))
    times = {"start_date": line["started_at"], "end_date": line["finished_at"]}
    return {**unknown, **times, "run_id": line["dag_run_id"]}


def next_expected(connection: LedgerConnection, line: dict[str, Any]) -> Expectation | None:
    """Return what is late, or else what is expected next, within a month; None where nothing is."""
    today = datetime.now(UTC).date()
    first, last = today - timedelta(days=1), today + timedelta(days=EXPECTED_WITHIN)
    found = expectations(connection, [line["id"]], first, last, name=line["name"])
    return next((each for each in found if each.state in ("expected", "late")), None)


def _has(visitor: Visitor, line: dict[str, Any], tab: str) -> bool:
    """Return whether a connection has a tab, for this user."""
    if tab == "access":
        return bool(line["hosted"])
    if tab in ("preview", "backfill"):
        sends = line["direction"] == "outbound"
        return (sends or tab == "backfill") and not line["deleted_at"] and visitor.may_run(line["name"])
    return True


def connection_tab(
    request: Request, visitor: Visitor, tab: str, line: dict[str, Any], status: int = 200, **values: Any
) -> HTMLResponse:
    """Return one tab of a connection's pages."""
    zone = line["time_zone"] or "UTC"
    words = schedule_in_words(line["schedule"], line["name"])
    times = next_times(line["schedule"], line["name"], zone)
    return render(
        request,
        f"connection_{tab}.html",
        visitor,
        here="connections",
        status=status,
        tabs=[each for each in TABS if _has(visitor, line, each)],
        tab=tab,
        line=line,
        dag=dag_states([line["name"]]).get(line["name"]),
        missing=missing_services(),
        schedule={"words": words, "next": times, "zone": zone},
        resting=resting_window(line),
        **values,
    )
