"""The activity log: who did what, filtered, and as a file."""

from __future__ import annotations

import csv
import io
import json
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from data_connections.formats.formula_guard import guarded
from data_connections.queries.activity import ActivityFilter, list_activity
from ui.books import LedgerDep
from ui.downloads import attachment
from ui.pages.connections import shown_query
from ui.rendering import render
from ui.visitor import VisitorDep

router = APIRouter(prefix="/activity", include_in_schema=False)
EXPORTED = 10_000
_COLUMNS = ("at", "who", "what", "subject", "connection", "details")


@router.get("")
def activity_page(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[ActivityFilter, Query()]
) -> HTMLResponse:
    """Show who did what, the newest first."""
    with ledger.connect() as connection:
        entries = list_activity(connection, visitor.visible_ids(connection), wanted)
    return render(
        request,
        "activity.html",
        visitor,
        here="activity",
        entries=entries[: wanted.size],
        more=len(entries) > wanted.size,
        wanted=wanted,
        query=shown_query(wanted),
    )


@router.get("/export.csv")
def activity_file(visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[ActivityFilter, Query()]) -> Response:
    """Download the newest entries that fit as CSV."""
    with ledger.connect() as connection:
        entries = list_activity(
            connection, visitor.visible_ids(connection), wanted.model_copy(update={"size": EXPORTED})
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for entry in entries[:EXPORTED]:
        values = {**entry, "at": entry["at"].isoformat(), "details": json.dumps(entry["details"], default=str)}
        writer.writerow([guarded(str(values[column] or "")) for column in _COLUMNS])
    return attachment(io.BytesIO(text.getvalue().encode()), "activity.csv")
