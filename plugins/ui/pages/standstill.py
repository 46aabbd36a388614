"""The switch that stops all applying and sending, and maintenance windows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from data_connections.errors import ConfigurationError
from data_connections.ledger import standstill as records
from data_connections.steps import standstill
from ui.answers import go_back
from ui.books import LedgerDep
from ui.rendering import render
from ui.standstill import end_window, plan_window
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/standstill", include_in_schema=False)
Text = Annotated[str, Form(max_length=600)]


@router.get("")
def standstill_page(request: Request, visitor: VisitorDep, ledger: LedgerDep) -> HTMLResponse:
    """Show whether applying and sending is stopped, and the windows that go on or are to come."""
    return _page(request, visitor, ledger)


@router.post("/halt")
def halt(request: Request, visitor: VisitorDep, ledger: LedgerDep, reason: Text = "") -> Response:
    """Stop all applying and sending."""
    visitor.must(visitor.may_create, "stop all applying and sending")
    try:
        standstill.halt(ledger, visitor.name, reason)
    except ConfigurationError as wrong:
        return _page(request, visitor, ledger, wrong=wrong.message)
    return go_back(request, "standstill", "halted")


@router.post("/go-on")
def go_on(request: Request, visitor: VisitorDep, ledger: LedgerDep) -> RedirectResponse:
    """Let applying and sending go on."""
    visitor.must(visitor.may_create, "let applying and sending go on")
    standstill.go_on(ledger, visitor.name)
    return go_back(request, "standstill", "going_on_again")


@router.post("/windows")
def plan(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    connection: Text = "",
    host: Text = "",
    begins_at: Text = "",
    ends_at: Text = "",
    reason: Text = "",
) -> Response:
    """Plan a maintenance window; times are UTC."""
    given = {"connection": connection.strip(), "host": host.strip(), "reason": reason}
    try:
        begin, end = (datetime.fromisoformat(each) for each in (begins_at, ends_at))
        plan_window(ledger, visitor, begin, end, reason, name=given["connection"] or None, host=given["host"] or None)
    except ValueError:
        return _page(request, visitor, ledger, wrong="Give begin and end as dates and times.", given=given)
    except ConfigurationError as wrong:
        return _page(request, visitor, ledger, wrong=str(wrong), given=given)
    return go_back(request, "standstill", "window_planned")


@router.post("/windows/{window_id}/end")
def end(request: Request, visitor: VisitorDep, ledger: LedgerDep, window_id: int) -> RedirectResponse:
    """End a window now, or take one back."""
    end_window(ledger, visitor, window_id)
    return go_back(request, "standstill", "window_ended")


def _page(
    request: Request,
    visitor: Visitor,
    ledger: LedgerDep,
    wrong: str | None = None,
    given: dict[str, str] | None = None,
) -> HTMLResponse:
    now = datetime.now(UTC)
    with ledger.connect() as connection:
        windows = records.windows(connection, since=now, visible=visitor.visible_ids(connection))
    return render(
        request,
        "standstill.html",
        visitor,
        status=422 if wrong else 200,
        here="health",
        windows=windows,
        now=now,
        wrong=wrong,
        given=given or {},
    )
