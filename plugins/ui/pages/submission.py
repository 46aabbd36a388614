"""One submission: totals, outcomes, rejected rows, downloads, and deciding about it."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from data_connections import applying
from data_connections.ledger import submissions
from data_connections.queries.submissions import related
from data_connections.steps import approval, replay
from data_connections.steps.acknowledgement import SPOOLED, result_files
from data_connections.steps.description import described
from data_connections.steps.job import read_job
from ui.answers import go_back
from ui.books import LandingDep, LedgerDep
from ui.downloads import attachment, kept_file
from ui.finishing import finish_later
from ui.found import Id, submission_owner
from ui.rendering import render
from ui.visitor import VisitorDep

router = APIRouter(prefix="/submissions/{submission_id}", include_in_schema=False)
ROWS_SHOWN = 100
Original = Annotated[bool, Form(description="Judge by the revision of then.")]


@router.get("")
def submission_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, submission_id: Id) -> HTMLResponse:
    """Show one file that came in, and what became of it."""
    with ledger.connect() as connection:
        submission_owner(connection, visitor, submission_id)
    return show_submission(request, visitor, ledger, submission_id)


@router.get("/download/{what}")
def download(
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    submission_id: Id,
    what: Literal["original", "receipt", "summary", "rejects"],
) -> Response:
    """Download the original, or one of the files that the sender gets."""
    with ledger.connect() as connection:
        submission_owner(connection, visitor, submission_id)
        submission = submissions.get(connection, submission_id)
        job = None if what == "original" else read_job(connection, submission_id)
    if job is None:
        return kept_file(landing, submission.landing_key, submission.file_name)
    if not submission.is_final:
        raise HTTPException(409, f"Submission {submission_id} is not finished; its results come when it is.")
    for result in result_files(ledger, job, landing):
        if _kind(result.name) == what:
            target = SpooledTemporaryFile(max_size=SPOOLED)  # noqa: SIM115 - closed when it was sent
            result.write(target)  # type: ignore[arg-type]  # a binary file that may live in memory
            target.seek(0)
            return attachment(target, result.name)  # type: ignore[arg-type]
    raise HTTPException(404, f"Submission {submission_id} has no rejected rows.")


def _kind(name: str) -> str:
    if name.startswith("receipt_"):
        return "receipt"
    return "summary" if name.endswith("_summary.json") else "rejects"


@router.post("/approve")
def approve(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    later: BackgroundTasks,
    submission_id: Id,
) -> RedirectResponse:
    """Let a submission that is on hold be applied."""
    must_decide(visitor, ledger, submission_id)
    approval.approve(ledger, submission_id, visitor.name)
    finish_later(later, ledger, landing, submission_id)
    return go_back(request, f"submissions/{submission_id}", "approved")


@router.post("/refuse")
def refuse(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    submission_id: Id,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> RedirectResponse:
    """Refuse a submission that is on hold."""
    must_decide(visitor, ledger, submission_id)
    approval.refuse(ledger, submission_id, visitor.name, reason)
    return go_back(request, f"submissions/{submission_id}", "refused")


@router.post("/finish")
def go_on(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    later: BackgroundTasks,
    submission_id: Id,
) -> RedirectResponse:
    """Go on with a submission that was sent by hand and left behind when a server stopped."""
    must_decide(visitor, ledger, submission_id)
    finish_later(later, ledger, landing, submission_id)
    return go_back(request, f"submissions/{submission_id}", "going_on")


@router.post("/replay-preview")
def replay_preview(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    submission_id: Id,
    original: Original = False,
) -> HTMLResponse:
    """Show what would become of the same bytes, by today's revision or by that of then; nothing is changed."""
    must_decide(visitor, ledger, submission_id)
    difference = replay.preview(ledger, landing, submission_id, original_revision=original)
    return show_submission(request, visitor, ledger, submission_id, difference=difference, original=original)


@router.post("/replay")
def take_again(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    later: BackgroundTasks,
    submission_id: Id,
    original: Original = False,
) -> RedirectResponse:
    """Judge the kept original once more, as a submission of its own."""
    must_decide(visitor, ledger, submission_id)
    again = replay.take_again(ledger, submission_id, who=visitor.name, original_revision=original)
    finish_later(later, ledger, landing, again)
    return go_back(request, f"submissions/{again}", "replayed")


def must_decide(visitor: VisitorDep, ledger: LedgerDep, submission_id: int) -> None:
    """Refuse the request unless the user may decide about files of the submission's connection.

    Raises:
        HTTPException: 404 where the submission is not to be seen, 403 where the right is missing.
    """
    with ledger.connect() as connection:
        name = submission_owner(connection, visitor, submission_id)
    visitor.must(visitor.may_run(name), f"decide about files of {name}")


def show_submission(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, submission_id: int, **values: Any
) -> HTMLResponse:
    """Return the page of a submission, with what was asked to be shown before it is done."""
    shown = described(ledger, submission_id, errors=ROWS_SHOWN)
    with ledger.connect() as connection:
        links = related(connection, submission_id)
    return render(
        request,
        "submission.html",
        visitor,
        here="submissions",
        one=shown,
        links=links,
        can_withdraw=shown["data_type"] in applying.OF_ACTIONS and shown["state"] in ("applied", "partly_applied"),
        **{"difference": None, "original": False, "withdrawal": None, **values},
    )
