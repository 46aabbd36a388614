"""The list of connections, its tabs in Airflow's own pages, and what becomes of one line's menu."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from data_connections.ledger import Ledger
from data_connections.queries.connections import (
    ConnectionFilter,
    ConnectionPage,
    all_names,
    asks_for_next_run,
    list_connections,
)
from ui.airflow_dags import dag_states
from ui.books import LedgerDep
from ui.limits import room_for_more
from ui.rendering import render, root_of
from ui.services import missing_services
from ui.standstill import resting_of
from ui.visitor import Visitor, VisitorDep

router = APIRouter(include_in_schema=False)


@router.get("/")
def connections_page(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[ConnectionFilter, Query()]
) -> HTMLResponse:
    """Show the connections that the user may see."""
    page = connection_page(visitor, ledger, wanted)
    with ledger.connect() as connection:
        resting = resting_of(connection, visitor.visible_ids(connection), page.lines)
    return render(
        request,
        "connections.html",
        visitor,
        here="connections",
        page=page,
        wanted=wanted,
        query=shown_query(wanted),
        dags=dag_states([line["name"] for line in page.lines]),
        limit=room_for_more(ledger, wanted.program),
        resting=resting,
        missing=missing_services(),
    )


def connection_page(visitor: Visitor, ledger: Ledger, wanted: ConnectionFilter) -> ConnectionPage:
    """Return one page of what the user may see."""
    with ledger.connect() as connection:
        seen = visitor.seen(all_names(connection))
        return list_connections(connection, seen, wanted, dag_states(seen) if asks_for_next_run(wanted) else None)


def shown_query(wanted: Any) -> dict[str, Any]:
    """Return the parameters of a list's address that are not at their defaults."""
    return dict(wanted.model_dump(mode="json", exclude_defaults=True))


@router.get("/by-dag")
def by_dag(request: Request, visitor: VisitorDep, ledger: LedgerDep, dag: str, run: str = "") -> RedirectResponse:
    """Lead from the tab on a DAG, or on a run, to its connection."""
    with ledger.connect() as connection:
        known = dag in all_names(connection)
    if not known or not visitor.may_see(dag):
        raise HTTPException(404, f"The DAG {dag} belongs to no connection.")
    place = f"history?run={run}#run" if run else ""
    return RedirectResponse(f"{root_of(request)}/connections/{dag}/{place}".rstrip("/"), 303)
