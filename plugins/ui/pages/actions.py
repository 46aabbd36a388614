"""Actions: found by their ids, one of them with its story, and the month statement with the rows behind it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from data_connections.queries.actions import ActionFilter, list_actions, programs_seen
from data_connections.queries.statement import FIGURES, ROWS_SHOWN
from ui.actions import FigureQuestion, StatementQuestion, figure_rows, statement, visible_action
from ui.books import LedgerDep
from ui.found import Id
from ui.pages.connections import shown_query
from ui.rendering import render
from ui.visitor import VisitorDep

router = APIRouter(prefix="/actions", include_in_schema=False)


@router.get("")
def actions_page(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[ActionFilter, Query()]
) -> HTMLResponse:
    """Show actions, the newest first, or those that lock next."""
    with ledger.connect() as connection:
        visible = visitor.visible_ids(connection)
        lines = list_actions(connection, visible, wanted)
        programs = programs_seen(connection, visible)
    return render(
        request,
        "actions.html",
        visitor,
        here="actions",
        lines=lines[: wanted.size],
        more=len(lines) > wanted.size,
        programs=programs,
        wanted=wanted,
        query=shown_query(wanted),
    )


@router.get("/statement")
def statement_page(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, asked: Annotated[StatementQuestion, Query()]
) -> HTMLResponse:
    """Show what was open, came, changed and locked in a month, by partner and currency."""
    found = statement(ledger, visitor, asked)
    return render(request, "statement.html", visitor, here="actions", figures=FIGURES, **found)


@router.get("/statement/rows")
def statement_rows_page(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, asked: Annotated[FigureQuestion, Query()]
) -> HTMLResponse:
    """Show the actions behind one figure of the statement."""
    rows = figure_rows(ledger, visitor, asked)
    return render(
        request, "statement_rows.html", visitor, here="actions", asked=asked, rows=rows[:ROWS_SHOWN], most=ROWS_SHOWN
    )


@router.get("/{action_id}")
def action_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, action_id: Id) -> HTMLResponse:
    """Show how an action came to be what it is, what it pays and when it locks."""
    one = visible_action(ledger, visitor, action_id)
    return render(request, "action.html", visitor, here="actions", one=one)
