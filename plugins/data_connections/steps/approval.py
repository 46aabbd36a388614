"""Deciding about submissions that wait for approval because a limit of ``hold_if`` was passed."""

from __future__ import annotations

from data_connections.catalog import activity
from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger, parcels, staging, submissions
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.submission import Submission


def approve(ledger: Ledger, submission_id: int, who: str) -> None:
    """Let a submission that is on hold be applied; approving it twice changes nothing.

    Raises:
        UnknownName: There is no such submission.
        ConfigurationError: It does not wait for approval, and was not approved before.
    """
    with ledger.connect() as connection:
        submission = submissions.get(connection, submission_id, lock=True)
        if submission.approved_at is not None:
            return
        _must_wait(submission)
        connection.execute(
            """
            update submission
            set state = 'validated', approved_by = %s, approved_at = now(), code = null, message = null
            where id = %s
            """,
            [who, submission_id],
        )
        _record(connection, submission, who, "submission.approved")


def refuse(ledger: Ledger, submission_id: int, who: str, reason: str = "") -> None:
    """Quarantine a submission that is on hold, with the code REFUSED; refusing it twice changes nothing.

    Raises:
        UnknownName: There is no such submission.
        ConfigurationError: It does not wait for approval.
    """
    with ledger.connect() as connection:
        submission = submissions.get(connection, submission_id, lock=True)
        if submission.code == "REFUSED":
            return
        _must_wait(submission)
        message = f"Refused by {who}." + (f" {reason}" if reason else "")
        submissions.set_quarantined(connection, submission_id, "REFUSED", message)
        staging.drop_attempts(connection, submission_id)
        if submission.parcel_id:
            parcels.conclude(connection, submission.parcel_id)
        _record(connection, submission, who, "submission.refused", reason)


def _must_wait(submission: Submission) -> None:
    if submission.state != "on_hold":
        raise ConfigurationError(
            f"Submission {submission.id} does not wait for approval; its state is {submission.state}."
        )


def _record(connection: LedgerConnection, submission: Submission, who: str, what: str, reason: str = "") -> None:
    activity.record(
        connection,
        who,
        what,
        f"submission {submission.id}",
        connection_id=submission.connection_id,
        details={"file": submission.file_name, "held_because": submission.message, "reason": reason},
    )
