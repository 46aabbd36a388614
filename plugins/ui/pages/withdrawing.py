"""Withdrawing a submission that should not have been: what it would undo is shown first."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from data_connections.steps.withdrawal import withdraw
from ui.answers import go_back
from ui.books import LedgerDep
from ui.found import Id
from ui.pages.submission import must_decide, show_submission
from ui.visitor import VisitorDep

router = APIRouter(prefix="/submissions/{submission_id}", include_in_schema=False)


@router.post("/withdrawal-preview")
def preview_withdrawal(request: Request, visitor: VisitorDep, ledger: LedgerDep, submission_id: Id) -> HTMLResponse:
    """Show which actions would go back to what they were; nothing is changed."""
    must_decide(visitor, ledger, submission_id)
    planned = withdraw(ledger, submission_id, datetime.now(UTC), who=visitor.name, dry_run=True)
    return show_submission(request, visitor, ledger, submission_id, withdrawal=planned)


@router.post("/withdraw")
def withdraw_submission(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, submission_id: Id
) -> RedirectResponse:
    """Undo what the submission did to actions that are not locked."""
    must_decide(visitor, ledger, submission_id)
    withdraw(ledger, submission_id, datetime.now(UTC), who=visitor.name)
    return go_back(request, f"submissions/{submission_id}", "withdrawn")
