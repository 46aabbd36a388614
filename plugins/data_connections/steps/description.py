"""A submission as people and programs are shown it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data_connections.currencies import money
from data_connections.ledger import Ledger, outcomes, parcels, submissions
from data_connections.ledger.staging import OUTCOMES, Seal
from data_connections.ledger.submission import Submission

ERRORS_SHOWN = 1000


def described(ledger: Ledger, submission_id: int, *, errors: int = ERRORS_SHOWN) -> dict[str, Any]:
    """Return a submission with its counts and what was found, in the words of ``connections check --json``.

    Args:
        ledger: The ledger.
        submission_id: The submission.
        errors: How many errors and warnings of rows to list.

    Raises:
        UnknownName: There is no such submission.
    """
    with ledger.connect() as connection:
        submission = submissions.get(connection, submission_id)
        totals = outcomes.totals(connection, submission_id)
        row = connection.execute("select name from connection where id = %s", [submission.connection_id]).fetchone()
        codes = outcomes.outcome_counts(connection, submission_id)
        listed = outcomes.outcomes(connection, submission_id, limit=errors)
        members = parcels.members(connection, submission_id) if submission.members else None
    totals = with_minor_units(totals)
    amounts = {
        total["currency"]: total["amount"] for total in totals if total["outcome"] == "accepted" and total["currency"]
    }
    return {
        "id": submission.id,
        "trace_id": str(submission.trace_id),
        "connection": row["name"] if row else None,
        "number": submission.number,
        "revision": submission.revision,
        "data_type": submission.data_type,
        "data_type_version": submission.data_type_version,
        "file": submission.file_name,
        "origin": submission.origin,
        "state": submission.state,
        "code": submission.code,
        "message": submission.message,
        "rows": submission.rows,
        "accepted": submission.accepted,
        "warned": submission.warned,
        "rejected": submission.rejected,
        "duplicate": submission.duplicate,
        "held": submission.held,
        "waiting": _waiting(submission),
        "amounts": amounts,
        "totals": totals,
        "errors": listed,
        "errors_total": sum(code["rows"] for code in codes),
        "file_error": _refusal(submission),
        "file_warnings": submission.warnings,
        "codes": codes,
        "parcel": submission.parcel_id,
        "members": members,
        "duplicate_of": submission.duplicate_of_id,
        "corrects": submission.corrects_id,
        "approved_by": submission.approved_by,
        "withdrawn_by": submission.withdrawn_by,
        "size": submission.size,
        "sha256": submission.sha256,
        **{name: _time(getattr(submission, name)) for name in _TIMES},
    }


def _waiting(submission: Submission) -> dict[str, int] | None:
    """Return the validated rows by outcome of a file that waits for approval: so far none of them counts."""
    if submission.state != "on_hold" or submission.seal is None:
        return None
    seal = Seal.from_json(submission.seal)
    return {"rows": seal.rows(), **{outcome: seal.rows(outcome) for outcome in OUTCOMES}}


def with_minor_units(totals: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return totals as they are shown: exact texts, money with the decimals of its currency.

    Rows without any money, such as those of a data type that has none, have no currency.
    """
    without_money = not any(total["amount"] for total in totals)
    return [
        {
            **total,
            "currency": "" if without_money else total["currency"],
            "quantity": format(total["quantity"], "f"),
            "amount": money(total["amount"], total["currency"], grouped=False),
        }
        for total in totals
    ]


_TIMES = (
    "received_at",
    "claimed_at",
    "fetched_at",
    "validated_at",
    "approved_at",
    "finished_at",
    "acknowledged_at",
    "withdrawn_at",
)


def _refusal(submission: Submission) -> dict[str, Any] | None:
    if submission.state != "quarantined":
        return None
    return {"code": submission.code, "message": submission.message, **(submission.refusal or {})}


def _time(moment: Any) -> str | None:
    return None if moment is None else str(moment.isoformat()).replace("+00:00", "Z")
