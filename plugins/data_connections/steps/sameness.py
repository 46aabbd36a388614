"""Files that come under a name that was there before, or after younger ones: decided by setting, and always told."""

from __future__ import annotations

from typing import Any

from data_connections import applying
from data_connections.catalog import activity
from data_connections.endpoints.names import shown
from data_connections.errors import FileRefused
from data_connections.ledger import Ledger, submissions
from data_connections.ledger import sameness as likeness
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.submission import Submission
from data_connections.steps.job import Job
from data_connections.validation import Finding

SAME_NAME = "SAME_NAME"
CAME_LATE = "CAME_LATE"
WHO = "connections"


def tell(ledger: Ledger, job: Job) -> None:
    """Note a fetched file whose name came before with other bytes, or that is older than one that was applied.

    Both stand in the activity log and among the warnings of the submission. Doing it twice notes it once.

    Raises:
        FileRefused: SAME_NAME, where the connection's ``same_name`` is ``refuse``.
    """
    submission = job.submission
    if submission.replays_id is not None or any(note["code"] in (SAME_NAME, CAME_LATE) for note in submission.warnings):
        return
    with ledger.connect() as connection:
        named = likeness.same_name(connection, submission)
        younger = likeness.younger_applied(connection, submission) if applying.is_absolute(job.data_type) else None
        if younger is not None:
            _note(connection, submission, CAME_LATE, _late(submission, younger), {"younger": younger.id})
        if named is not None:
            decision = job.spec.same_name
            _note(connection, submission, SAME_NAME, _same(submission, named), {"as": named.id, "decision": decision})
            if decision == "correct":
                likeness.set_replaces(connection, submission.id, named.id)
    if named is not None and decision == "refuse":
        raise FileRefused(
            SAME_NAME, f"{_same(submission, named)} This connection refuses that: send it under a name of its own."
        )


def withdraw_replaced(connection: LedgerConnection, job: Job) -> None:
    """Undo what the file did that this one corrects, in the transaction that applies it; once, as far as it can be."""
    replaced = job.submission.replaces_id
    if replaced is None or job.data_type.name not in applying.OF_ACTIONS:
        return
    earlier = submissions.get(connection, replaced, lock=True)
    if earlier.withdrawn_at is not None:
        return
    plan = applying.plan_withdrawal(connection, replaced, job.submission.received_at)
    applying.undo(connection, replaced, job.submission.received_at, WHO)
    kept = sum(each["obstacle"] is not None for each in plan)
    _record(
        connection,
        earlier,
        "submission.withdrawn",
        {"undone": len(plan) - kept, "kept": kept, "corrected_by": job.submission.id},
    )


def _same(submission: Submission, earlier: Submission) -> str:
    return (
        f"{shown(submission.file_name)} came before with other bytes, as submission {earlier.id} "
        f"({earlier.received_at:%Y-%m-%d %H:%M} UTC)."
    )


def _late(submission: Submission, younger: Submission) -> str:
    return (
        f"{shown(submission.file_name)} is of {submission.received_at:%Y-%m-%d %H:%M:%S} UTC and came after submission "
        f"{younger.id} ({shown(younger.file_name)}), which is younger. Files are applied as they come."
    )


def _note(
    connection: LedgerConnection, submission: Submission, code: str, message: str, details: dict[str, Any]
) -> None:
    submissions.add_warning(connection, submission.id, Finding(None, None, code, message, "warning")._asdict())
    _record(connection, submission, f"submission.{code.lower()}", details | {"message": message})


def _record(connection: LedgerConnection, submission: Submission, what: str, details: dict[str, Any]) -> None:
    activity.record(
        connection,
        WHO,
        what,
        f"submission {submission.id}",
        connection_id=submission.connection_id,
        details={"file": submission.file_name, **details},
    )
