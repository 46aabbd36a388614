"""Connections, their revisions and their runs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from itertools import zip_longest
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Path, Query, Response
from pydantic import BaseModel, ConfigDict

from data_connections.catalog import changes_between, current, revision, revisions
from data_connections.catalog.removal import delete, undelete
from data_connections.ledger import Ledger
from data_connections.queries.connections import ConnectionFilter
from data_connections.queries.filters import Number, Size
from hooks.trial import trial
from ui.airflow_dags import dag_states, set_paused, start_run
from ui.api.etags import IfMatch, etag, version_in
from ui.api.models import (
    Backfilled,
    ConnectionDetail,
    ConnectionLine,
    Newest,
    Numbered,
    ReportRows,
    RevisionLine,
    RunLine,
    Saved,
    Started,
    TriedStep,
)
from ui.api.once import IdempotencyKey, once
from ui.books import LedgerDep
from ui.days import BackfillOrder, Days, order_backfill, planned_days
from ui.days import preview_report as previewed
from ui.found import Name, connection_line
from ui.pages.connection import history_of
from ui.pages.connections import connection_page
from ui.saving import save_spec
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/connections", tags=["connections"])
Spec = Annotated[dict[str, Any], Body(description="A spec, as YAML files have it: docs/configuration.md.")]
RevisionNumber = Annotated[int, Path(ge=1, lt=2**31)]


class RunOrder(BaseModel):
    """How a run is started."""

    model_config = ConfigDict(extra="forbid")

    business_date: date | None = None


@router.get("")
def list_connections(
    visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[ConnectionFilter, Query()]
) -> Numbered[ConnectionLine]:
    """List connections."""
    page = connection_page(visitor, ledger, wanted)
    dags = dag_states([line["name"] for line in page.lines])
    lines = [ConnectionLine(**{**line, **_dag(dags.get(line["name"]))}) for line in page.lines]
    return Numbered[ConnectionLine](items=lines, total=page.total)


@router.post("", status_code=201)
def create_connection(visitor: VisitorDep, ledger: LedgerDep, spec: Spec, key: IdempotencyKey = None) -> Saved:
    """Create a connection from its spec."""
    visitor.must(visitor.may_create, "create connections")
    return Saved(**once(ledger, visitor, key, ["create", spec], lambda: _save(ledger, visitor, spec, 0)))


@router.get("/{name}")
def get_connection(visitor: VisitorDep, ledger: LedgerDep, name: Name, response: Response) -> ConnectionDetail:
    """Return a connection with its spec; the ETag names its revision."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    stored = revisions(ledger, line["id"])[0]
    response.headers["ETag"] = etag(stored.number)
    return ConnectionDetail(**{**line, **_dag(dag_states([name]).get(name)), "spec": dict(stored.content)})


@router.put("/{name}")
def change_connection(
    visitor: VisitorDep, ledger: LedgerDep, name: Name, spec: Spec, response: Response, if_match: IfMatch = None
) -> Saved:
    """Change a connection: the whole spec, against the revision that ``If-Match`` names."""
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    visitor.must(visitor.may_edit(name), f"change {name}")
    number = _number(version_in(if_match))
    if spec.setdefault("name", name) != name:
        raise HTTPException(422, "The name of a connection stays as it is.")
    done = _save(ledger, visitor, spec, number)
    response.headers["ETag"] = etag(done["revision"])
    return Saved(**done)


@router.delete("/{name}", status_code=204)
def delete_connection(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> None:
    """Delete a connection: its schedule stops, its data and history stay."""
    _editable(visitor, ledger, name)
    delete(ledger, name, visitor.name)


@router.post("/{name}/restore", status_code=204)
def restore_connection(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> None:
    """Take a deletion back."""
    _editable(visitor, ledger, name)
    undelete(ledger, name, visitor.name)


@router.post("/{name}/pause", status_code=204)
def pause_connection(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> None:
    """Let the schedule rest."""
    _pause(visitor, ledger, name, paused=True)


@router.post("/{name}/unpause", status_code=204)
def unpause_connection(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> None:
    """Let the schedule run again."""
    _pause(visitor, ledger, name, paused=False)


@router.post("/{name}/test")
def test_connection(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> list[TriedStep]:
    """Log in as a run would, and say step by step what works."""
    _runnable(visitor, ledger, name)
    return [TriedStep(**asdict(step)) for step in trial(current(ledger, name).spec)]


@router.get("/{name}/runs")
def list_runs(
    visitor: VisitorDep, ledger: LedgerDep, name: Name, before: Number = None, size: Size = 50
) -> Newest[RunLine]:
    """List runs, the newest first; on the first page also those that wait in Airflow and do not work yet."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
        found, older = history_of(connection, line, before, size)
    return Newest[RunLine](items=[_run(each) for each in found], next_before=older)


@router.post("/{name}/runs", status_code=201)
def run_connection(
    visitor: VisitorDep, ledger: LedgerDep, name: Name, order: RunOrder | None = None, key: IdempotencyKey = None
) -> Started:
    """Start a run now."""
    _runnable(visitor, ledger, name)
    conf = order.model_dump(mode="json", exclude_none=True) if order else {}
    asked = ["run", name, conf]
    return Started(**once(ledger, visitor, key, asked, lambda: {"dag_run_id": start_run(name, visitor.name, conf)}))


@router.post("/{name}/report-preview")
def preview_report(visitor: VisitorDep, ledger: LedgerDep, name: Name, asked: Days) -> ReportRows:
    """Return the first rows of the report that chosen days would give; nothing is kept or sent."""
    _runnable(visitor, ledger, name)
    return ReportRows.model_validate(previewed(ledger, name, asked), from_attributes=True)


@router.post("/{name}/backfills/preview")
def preview_backfill(visitor: VisitorDep, ledger: LedgerDep, name: Name, order: BackfillOrder) -> list[Days]:
    """Return the business days of the runs that a backfill would make; nothing is started."""
    _runnable(visitor, ledger, name)
    return [Days(first=first, last=last) for first, last in planned_days(ledger, name, order)]


@router.post("/{name}/backfills", status_code=201)
def start_backfill(
    visitor: VisitorDep, ledger: LedgerDep, name: Name, order: BackfillOrder, key: IdempotencyKey = None
) -> Backfilled:
    """Go through days gone by again, in a pool that gives way to daily work."""
    _runnable(visitor, ledger, name)
    asked = ["backfill", name, order.model_dump(mode="json")]
    return Backfilled(
        **once(ledger, visitor, key, asked, lambda: {"backfill_id": order_backfill(ledger, visitor, name, order)})
    )


@router.get("/{name}/revisions")
def list_revisions(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> list[RevisionLine]:
    """List every revision, the newest first."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    known = revisions(ledger, line["id"])
    return [
        RevisionLine(
            number=each.number,
            hash=each.hash,
            created_at=each.created_at,
            created_by=each.created_by,
            spec=dict(each.content),
            changes=[change.as_json() for change in changes_between(before.content if before else {}, each.content)],
        )
        for each, before in zip_longest(known, known[1:])
    ]


@router.post("/{name}/revisions/{number}/restore")
def restore_revision(
    visitor: VisitorDep, ledger: LedgerDep, name: Name, number: RevisionNumber, key: IdempotencyKey = None
) -> Saved:
    """Make the content of an earlier revision a new one."""
    _editable(visitor, ledger, name)
    content = {**revision(ledger, name, number).content, "name": name}
    asked = ["restore", name, number]
    return Saved(**once(ledger, visitor, key, asked, lambda: _save(ledger, visitor, content, None)))


def _save(ledger: Ledger, visitor: Visitor, spec: dict[str, Any], expected: int | None) -> dict[str, Any]:
    plan = save_spec(ledger, visitor, spec, source="api", expected=expected)
    return saved(plan.steps[0].as_json(), current(ledger, plan.steps[0].name).number)


def saved(step: dict[str, Any], number: int | None) -> dict[str, Any]:
    """Return what a step of a plan did, or would do, with the revision that there is now."""
    return {"name": step["name"], "action": step["action"], "revision": number, "changes": step["changes"]}


def _run(each: dict[str, Any]) -> RunLine:
    known = each["ledger"] or {"started_at": each["start_date"], "finished_at": each["end_date"]}
    airflow = {"airflow_state": each["state"], "run_type": each["run_type"], "started_by": each["triggering_user_name"]}
    return RunLine(**{**known, **airflow, "dag_run_id": each["run_id"]})


def _dag(state: Any) -> dict[str, Any]:
    return {"paused": state.paused, "next_run": state.next_run} if state else {}


def _number(version: str) -> int:
    if not (version.isdecimal() and len(version) < 10):
        raise HTTPException(422, 'If-Match is an ETag as GET returns it, such as "3".')
    return int(version)


def _editable(visitor: Visitor, ledger: Ledger, name: str) -> None:
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    visitor.must(visitor.may_edit(name), f"change {name}")


def _runnable(visitor: Visitor, ledger: Ledger, name: str) -> None:
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    visitor.must(visitor.may_run(name), f"run {name}")


def _pause(visitor: Visitor, ledger: Ledger, name: str, *, paused: bool) -> None:
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    visitor.must(visitor.may_pause(name), f"pause or unpause {name}")
    if not set_paused([name], paused=paused, who=visitor.name):
        raise HTTPException(409, f"Airflow has no DAG for {name} yet.")
