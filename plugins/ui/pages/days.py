"""Chosen days of one connection: a preview of the report, and going through them again."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from data_connections.errors import ConfigurationError, ConnectionsError
from data_connections.queries.filters import Day
from ui.answers import go_back
from ui.books import LedgerDep
from ui.days import BackfillOrder, Days, must_run, order_backfill, planned_days, preview_report, whole_report
from ui.downloads import attachment
from ui.found import Name, connection_line
from ui.pages.connection import connection_tab
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/connections/{name}", include_in_schema=False)
From = Annotated[Day, Query()]
_NOTHING_CHOSEN = {"reprocess": "none", "receipts": False, "alerts": False, "hold": False}
Asked = Annotated[str, Form(max_length=40)]


@router.get("/preview")
def preview_page(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name, first: From = None, last: From = None
) -> HTMLResponse:
    """Ask for days and show the first rows of the report that they would give; nothing is kept or sent."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    must_run(visitor, name)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    days = Days(first=first or yesterday, last=last or first or yesterday)
    found, wrong = None, None
    if first:
        try:
            found = preview_report(ledger, name, days)
        except ConnectionsError as refused:
            wrong = str(refused)
    status = 422 if wrong else 200
    return connection_tab(request, visitor, "preview", line, status=status, days=days, found=found, wrong=wrong)


@router.get("/preview/file")
def preview_file(visitor: VisitorDep, ledger: LedgerDep, name: Name, first: Day, last: Day) -> Response:
    """Download the report of chosen days."""
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    must_run(visitor, name)
    with whole_report(ledger, name, Days.model_validate({"first": first, "last": last})) as source:
        content = source.read()
    return attachment(io.BytesIO(content), f"{name}_{first}_{last}")


@router.get("/backfill")
def backfill_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> HTMLResponse:
    """Ask which days are to be gone through again."""
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    must_run(visitor, name)
    yesterday = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    return _page(request, visitor, ledger, name, {**_NOTHING_CHOSEN, "first": yesterday, "last": yesterday})


@router.post("/backfill")
def backfill(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    name: Name,
    first: Asked = "",
    last: Asked = "",
    reprocess: Asked = "none",
    receipts: Annotated[bool, Form()] = False,
    alerts: Annotated[bool, Form()] = False,
    hold: Annotated[bool, Form()] = False,
    go: Annotated[str, Form(pattern="^(preview|start)$")] = "preview",
) -> Response:
    """Show the days that would run, or start their runs."""
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    must_run(visitor, name)
    given = {
        "first": first,
        "last": last,
        "reprocess": reprocess,
        "receipts": receipts,
        "alerts": alerts,
        "hold": hold,
    }
    try:
        order = BackfillOrder.model_validate(given)
        if go == "preview":
            return _page(request, visitor, ledger, name, given, days=planned_days(ledger, name, order))
        order_backfill(ledger, visitor, name, order)
    except ValidationError as wrong:
        text = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in wrong.errors())
        return _page(request, visitor, ledger, name, given, wrong=text)
    except ConfigurationError as refused:
        return _page(request, visitor, ledger, name, given, wrong=refused.message)
    return go_back(request, f"connections/{name}/history", "backfilled")


def _page(
    request: Request,
    visitor: Visitor,
    ledger: LedgerDep,
    name: str,
    given: dict[str, Any],
    days: Any = None,
    wrong: str | None = None,
) -> HTMLResponse:
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    status = 422 if wrong else 200
    return connection_tab(request, visitor, "backfill", line, status=status, given=given, days=days, wrong=wrong)
