"""File submissions over all connections."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from data_connections.queries.submissions import SubmissionFilter, list_submissions
from ui.books import LedgerDep
from ui.pages.connections import shown_query
from ui.rendering import render
from ui.visitor import VisitorDep

router = APIRouter(prefix="/submissions", include_in_schema=False)


@router.get("")
def submissions_page(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[SubmissionFilter, Query()]
) -> HTMLResponse:
    """Show the files that came in, the newest first."""
    with ledger.connect() as connection:
        lines = list_submissions(connection, visitor.visible_ids(connection), wanted)
    return render(
        request,
        "submissions.html",
        visitor,
        here="submissions",
        lines=lines[: wanted.size],
        more=len(lines) > wanted.size,
        wanted=wanted,
        query=shown_query(wanted),
    )
