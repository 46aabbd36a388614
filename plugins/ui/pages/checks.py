"""What Great Expectations found in one file: each expectation with what was looked at and what did not fit."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from data_connections.ledger import Ledger, submissions
from ui.books import LedgerDep
from ui.found import Id, submission_owner
from ui.rendering import render
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/submissions/{submission_id}/checks", include_in_schema=False)


@router.get("")
def checks_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, submission_id: Id) -> HTMLResponse:
    """Show the expectations that a file was held against."""
    return render(request, "checks.html", visitor, here="submissions", one=checks_of(ledger, visitor, submission_id))


def checks_of(ledger: Ledger, visitor: Visitor, submission_id: int) -> dict[str, Any]:
    """Return a submission's ``expectations``, those that failed first.

    Raises:
        HTTPException: 404, whether the submission does not exist or is not to be seen.
    """
    with ledger.connect() as connection:
        name = submission_owner(connection, visitor, submission_id)
        found = submissions.get(connection, submission_id)
    return {
        "id": found.id,
        "file": found.file_name,
        "connection": name,
        "data_type": found.data_type,
        "data_type_version": found.data_type_version,
        "expectations": sorted(found.expectations, key=lambda each: bool(each["success"])),
    }
