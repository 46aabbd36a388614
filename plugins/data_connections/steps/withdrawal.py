"""Withdrawing a submission that should not have been: with a preview, and a list of what cannot be undone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data_connections import applying
from data_connections.catalog import activity
from data_connections.data_types import DataTypes
from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from data_connections.steps.job import read_job


@dataclass(frozen=True)
class Withdrawal:
    """What withdrawing a submission does, or would do.

    Attributes:
        submission_id: The submission.
        undone: Actions that go back to what they were before it, as ``applying.plan_withdrawal`` has them.
        kept: Actions that it cannot undo, each with its ``obstacle``.
    """

    submission_id: int
    undone: tuple[dict[str, Any], ...]
    kept: tuple[dict[str, Any], ...]


def withdraw(
    ledger: Ledger,
    submission_id: int,
    now: datetime,
    *,
    who: str,
    dry_run: bool = False,
    data_types: DataTypes | None = None,
) -> Withdrawal:
    """Undo what a submission did to actions that are not locked; orders that it brought may come again.

    An action that it made is reversed; one that it changed goes back to what it was before. What another submission
    changed since, or what is locked, stays, and is listed. Rows of it that are held are rejected.

    Args:
        ledger: The ledger.
        submission_id: The submission.
        now: The time that counts as now, for locking dates; with a time zone.
        who: Who does it, for the activity log.
        dry_run: Only say what would be done.
        data_types: Known data types; those of the installation if left out.

    Raises:
        UnknownName: There is no such submission.
        ConfigurationError: Nothing of it was applied to actions, or it was withdrawn before.
    """
    with ledger.connect() as connection:
        job = read_job(connection, submission_id, data_types, lock=True)
        submission = job.submission
        if submission.members:
            raise ConfigurationError(
                f"Submission {submission_id} is a zip of {submission.members} files: withdraw them one by one; "
                f"`connections submissions show {submission_id}` lists them."
            )
        if submission.data_type not in applying.OF_ACTIONS or submission.state not in ("applied", "partly_applied"):
            raise ConfigurationError(
                f"Submission {submission_id} cannot be withdrawn: nothing of it was applied to actions (its state is "
                f"{submission.state}, its data type {submission.data_type})."
            )
        if submission.withdrawn_at is not None:
            when = f"{submission.withdrawn_at:%Y-%m-%d %H:%M} UTC"
            raise ConfigurationError(f"Submission {submission_id} was withdrawn before, at {when}.")
        applying.lock_actions(connection, job.spec.program)
        plan = applying.plan_withdrawal(connection, submission_id, now)
        found = Withdrawal(
            submission_id,
            tuple(each for each in plan if each["obstacle"] is None),
            tuple(each for each in plan if each["obstacle"] is not None),
        )
        if dry_run:
            connection.rollback()
            return found
        applying.undo(connection, submission_id, now, who)
        activity.record(
            connection,
            who,
            "submission.withdrawn",
            f"submission {submission_id}",
            connection_id=submission.connection_id,
            details={"undone": len(found.undone), "kept": len(found.kept), "file": submission.file_name},
        )
    return found
