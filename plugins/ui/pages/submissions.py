"""File submissions over all connections."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from data_connections.queries.connections import file_choices
from data_connections.queries.not_taken import list_not_taken
from data_connections.queries.submissions import NOT_TAKEN, SubmissionFilter, list_submissions
from ui.books import LedgerDep
from ui.pages.connections import shown_query
from ui.rendering import render
from ui.visitor import VisitorDep

router = APIRouter(prefix="/submissions", include_in_schema=False)
LEFT_SHOWN = 10
"""How many files that were not taken stand above the list."""


@router.get("")
def submissions_page(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[SubmissionFilter, Query()]
) -> HTMLResponse:
    """Show the files that came in, the newest first."""
    only_left = wanted.state == NOT_TAKEN
    with ledger.connect() as connection:
        visible = visitor.visible_ids(connection)
        lines = [] if only_left else list_submissions(connection, visible, wanted)
        choices = file_choices(connection, visible, "inbound")
        left = list_not_taken(connection, visible, wanted) if only_left or _may_be_left(wanted) else []
    return render(
        request,
        "submissions.html",
        visitor,
        here="submissions",
        lines=lines[: wanted.size],
        left=left[: wanted.size if only_left else LEFT_SHOWN],
        left_more=len(left) > LEFT_SHOWN and not only_left,
        more=len(left if only_left else lines) > wanted.size,
        choices=choices,
        wanted=wanted,
        query=shown_query(wanted),
    )


def _may_be_left(wanted: SubmissionFilter) -> bool:
    """Whether files that were not taken belong on this page: somebody looks for one, on the first page."""
    return bool(wanted.search) and not (wanted.before or wanted.state or wanted.errors)
