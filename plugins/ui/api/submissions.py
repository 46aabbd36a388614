"""File submissions: listing, sending, results, deciding."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data_connections.catalog import current
from data_connections.data_types import DataTypes, load_data_types
from data_connections.formats.formula_guard import guarded
from data_connections.ledger import Ledger
from data_connections.queries.not_taken import list_not_taken
from data_connections.queries.submissions import SubmissionFilter, related
from data_connections.queries.submissions import list_submissions as listed
from data_connections.settings import Settings
from data_connections.spec import ConnectionSpec, InboundConnection
from data_connections.steps import approval, manual, replay
from data_connections.steps.description import described
from data_connections.steps.sample import check_sample
from data_connections.steps.withdrawal import withdraw
from ui.api.models import FileLeft, Newest, SubmissionLine, Taken, WithdrawalDone
from ui.api.once import IdempotencyKey, once
from ui.books import LandingDep, LedgerDep
from ui.finishing import finish_later
from ui.found import Id, Name, connection_line, submission_owner
from ui.pages import submission as pages
from ui.pages.checks import checks_of
from ui.uploads import LARGEST, on_disk
from ui.visitor import Visitor, VisitorDep

router = APIRouter(tags=["submissions"])
FileName = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^/\\\x00]+$", description="The file's name.")]
Cell = str | int | float | bool | None


class Rows(BaseModel):
    """Rows as JSON: one object each, keys are columns."""

    model_config = ConfigDict(extra="forbid")

    rows: list[dict[str, Cell]] = Field(min_length=1, max_length=10_000)


class Refusal(BaseModel):
    """Why a file is refused."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=500)


OriginalRevision = Annotated[bool, Query(description="Judge by the revision of then, not by today's.")]


@router.get("/submissions")
def list_submissions(
    visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[SubmissionFilter, Query()]
) -> Newest[SubmissionLine]:
    """List file submissions, the newest first."""
    with ledger.connect() as connection:
        found = listed(connection, visitor.visible_ids(connection), wanted)
    return Newest[SubmissionLine](
        items=[SubmissionLine(**line) for line in found[: wanted.size]],
        next_before=found[wanted.size - 1]["id"] if len(found) > wanted.size else None,
    )


@router.get("/submissions/not-taken")
def list_files_not_taken(
    visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[SubmissionFilter, Query()]
) -> Newest[FileLeft]:
    """List files that were seen and left where they are, each with the reason."""
    with ledger.connect() as connection:
        found = list_not_taken(connection, visitor.visible_ids(connection), wanted)
    return Newest[FileLeft](
        items=[FileLeft(**line) for line in found[: wanted.size]],
        next_before=found[wanted.size - 1]["id"] if len(found) > wanted.size else None,
    )


async def sent_body(request: Request) -> bytes:
    """Return the body of a request, up to the limit.

    Raises:
        HTTPException: 413 for one that is too large.
    """
    content = bytearray()
    async for block in request.stream():
        content += block
        if len(content) > LARGEST:
            raise HTTPException(413, f"The file is larger than {LARGEST // 1024**2} MB.")
    return bytes(content)


_BODY = {
    "required": True,
    "content": {
        "text/csv": {"schema": {"type": "string"}},
        "application/json": {"schema": Rows.model_json_schema()},
    },
}


@router.post("/connections/{name}/submissions", status_code=202, openapi_extra={"requestBody": _BODY})
def send_file(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    later: BackgroundTasks,
    name: Name,
    body: Annotated[bytes, Depends(sent_body)],
    file_name: FileName = "rows.csv",
    again: bool = False,
    key: IdempotencyKey = None,
) -> Taken:
    """Send a file (the body as it is) or rows (JSON) to a connection; it goes through the steps of a run."""
    _runnable(visitor, ledger, name)
    content = _as_file(request, body, current(ledger, name).spec)

    def take() -> dict[str, Any]:
        with on_disk(io.BytesIO(content), file_name) as path:
            number = manual.take(ledger, landing, name, path, who=visitor.name, again=again, data_types=_known())
        finish_later(later, ledger, landing, number)
        return {"submission_id": number}

    asked = ["submit", name, file_name, again, hashlib.sha256(content).hexdigest()]
    return Taken(**once(ledger, visitor, key, asked, take))


@router.post("/connections/{name}/submissions/check", openapi_extra={"requestBody": _BODY})
def check_rows(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    name: Name,
    body: Annotated[bytes, Depends(sent_body)],
    file_name: FileName = "rows.csv",
) -> dict[str, Any]:
    """Say what would become of a file or of rows, and keep nothing."""
    _runnable(visitor, ledger, name)
    spec = current(ledger, name).spec
    content = io.BytesIO(_as_file(request, body, spec))
    return check_sample(ledger, spec, content, file_name, _known()).as_json()


@router.get("/submissions/{submission_id}")
def get_submission(visitor: VisitorDep, ledger: LedgerDep, submission_id: Id) -> dict[str, Any]:
    """Return one submission with its totals, codes and the first rows that something was found in."""
    with ledger.connect() as connection:
        submission_owner(connection, visitor, submission_id)
        links = related(connection, submission_id)
    return {**described(ledger, submission_id), "links": links}


@router.get("/submissions/{submission_id}/checks")
def get_checks(visitor: VisitorDep, ledger: LedgerDep, submission_id: Id) -> dict[str, Any]:
    """Return what Great Expectations found: each expectation with what was looked at and what did not fit."""
    return checks_of(ledger, visitor, submission_id)


@router.get("/submissions/{submission_id}/files/{what}", response_class=Response)
def get_file(
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    submission_id: Id,
    what: Literal["original", "receipt", "summary", "rejects"],
) -> Response:
    """Download the original, or one of the files that the sender gets."""
    return pages.download(visitor, ledger, landing, submission_id, what)


@router.post("/submissions/{submission_id}/approve", status_code=204)
def approve(
    visitor: VisitorDep, ledger: LedgerDep, landing: LandingDep, later: BackgroundTasks, submission_id: Id
) -> None:
    """Let a submission that is on hold be applied."""
    pages.must_decide(visitor, ledger, submission_id)
    approval.approve(ledger, submission_id, visitor.name)
    finish_later(later, ledger, landing, submission_id)


@router.post("/submissions/{submission_id}/refuse", status_code=204)
def refuse(visitor: VisitorDep, ledger: LedgerDep, submission_id: Id, refusal: Refusal | None = None) -> None:
    """Refuse a submission that is on hold."""
    pages.must_decide(visitor, ledger, submission_id)
    approval.refuse(ledger, submission_id, visitor.name, refusal.reason if refusal else "")


@router.post("/submissions/{submission_id}/finish", status_code=202)
def go_on(
    visitor: VisitorDep, ledger: LedgerDep, landing: LandingDep, later: BackgroundTasks, submission_id: Id
) -> Taken:
    """Go on with a submission that was sent by hand and left behind when a server stopped."""
    pages.must_decide(visitor, ledger, submission_id)
    finish_later(later, ledger, landing, submission_id)
    return Taken(submission_id=submission_id)


@router.get("/submissions/{submission_id}/replay-preview")
def preview_replay(
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    submission_id: Id,
    original_revision: OriginalRevision = False,
) -> dict[str, Any]:
    """Say what would become of the same bytes today: figures then and now."""
    pages.must_decide(visitor, ledger, submission_id)
    return replay.preview(ledger, landing, submission_id, original_revision=original_revision).as_json()


@router.post("/submissions/{submission_id}/replay", status_code=202)
def take_again(
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    later: BackgroundTasks,
    submission_id: Id,
    original_revision: OriginalRevision = False,
    key: IdempotencyKey = None,
) -> Taken:
    """Judge the kept original once more, as a submission of its own."""
    pages.must_decide(visitor, ledger, submission_id)

    def take() -> dict[str, Any]:
        number = replay.take_again(ledger, submission_id, who=visitor.name, original_revision=original_revision)
        finish_later(later, ledger, landing, number)
        return {"submission_id": number}

    return Taken(**once(ledger, visitor, key, ["replay", submission_id, original_revision], take))


@router.get("/submissions/{submission_id}/withdrawal-preview")
def preview_withdrawal(visitor: VisitorDep, ledger: LedgerDep, submission_id: Id) -> WithdrawalDone:
    """Say what withdrawing would undo, and what stands in the way; nothing is changed."""
    pages.must_decide(visitor, ledger, submission_id)
    planned = withdraw(ledger, submission_id, datetime.now(UTC), who=visitor.name, dry_run=True)
    return WithdrawalDone.model_validate(planned, from_attributes=True)


@router.post("/submissions/{submission_id}/withdraw")
def withdraw_submission(visitor: VisitorDep, ledger: LedgerDep, submission_id: Id) -> WithdrawalDone:
    """Undo what the submission did to actions that are not locked; doing it again is refused."""
    pages.must_decide(visitor, ledger, submission_id)
    done = withdraw(ledger, submission_id, datetime.now(UTC), who=visitor.name)
    return WithdrawalDone.model_validate(done, from_attributes=True)


def _as_file(request: Request, body: bytes, spec: ConnectionSpec) -> bytes:
    """Return the bytes of the file: the body itself, or the CSV of its JSON rows."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return body
    try:
        rows = Rows.model_validate_json(body).rows
    except ValidationError as wrong:
        raise HTTPException(422, "; ".join(f"{each['loc']}: {each['msg']}" for each in wrong.errors()[:5])) from wrong
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    undone = isinstance(spec, InboundConnection) and spec.format.formula_guard == "undo"
    for row in rows:
        cells = [_cell(row.get(column)) for column in columns]
        writer.writerow(map(guarded, cells) if undone else cells)
    return text.getvalue().encode(errors="replace")


def _cell(value: Cell) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _known() -> DataTypes:
    return load_data_types(Settings.from_environment().schemas)


def _runnable(visitor: Visitor, ledger: Ledger, name: str) -> None:
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    visitor.must(visitor.may_run(name), f"send files to {name}")
