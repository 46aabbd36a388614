"""Submissions that are like an earlier one: by their bytes, by their name, or by their place in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_connections.ledger import submissions
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.submission import COLUMNS, Submission, rows_of


def fully_applied_twin(connection: LedgerConnection, submission: Submission, *, absolute: bool) -> int | None:
    """Return the earliest submission of the same connection with equal bytes that was applied to the last row.

    Args:
        connection: The ledger.
        submission: The one that might be a copy.
        absolute: Whether such rows say what is to be: then bytes that come again after something else for the same
            rows was applied, or still may be, are no copy: A, B, A ends at A.
    """
    identity = _identity(submission) | {"revision": submission.revision, "program": None, "absolute": absolute}
    return _twin(connection, identity)


def twin_of_bytes(
    connection: LedgerConnection, sha256: str, connection_id: int, program: str, *, absolute: bool
) -> Submission | None:
    """Return the submission whose copy these bytes would be if the connection took them now.

    Args:
        connection: The ledger.
        sha256: Hexadecimal hash of the bytes.
        connection_id: Which connection would take them.
        program: Key of its program.
        absolute: As for ``fully_applied_twin``.
    """
    nothing_yet = {"id": None, "revision": None, "sha256": sha256, "connection": connection_id}
    twin = _twin(connection, {**nothing_yet, "program": program, "absolute": absolute})
    return None if twin is None else submissions.get(connection, twin)


def _twin(connection: LedgerConnection, parameters: Mapping[str, Any]) -> int | None:
    """Return the twin of bytes; those of no submission yet (``id`` is null) come after all that there are."""
    twin = connection.execute(
        """
        select min(t.id) as id from submission t
        where t.sha256 = %(sha256)s and t.connection_id = %(connection)s and t.id is distinct from %(id)s::bigint
          and t.state = 'applied' and t.withdrawn_at is null
          and not (%(absolute)s and exists (
              select from submission later
              join connection_revision r on r.connection_id = later.connection_id and r.number = later.revision
              where case when later.connection_id = t.connection_id
                         then (later.turn, later.number) > (t.turn, t.number)
                              and (%(id)s::bigint is null or (later.turn, later.number)
                                  < (select own.turn, own.number from submission own where own.id = %(id)s))
                         else later.id > t.id and (%(id)s::bigint is null or later.id < %(id)s) end
                and later.parcel_id is distinct from t.id and later.members is null and later.data_type = t.data_type
                and later.state not in ('quarantined', 'duplicate') and later.sha256 is distinct from t.sha256
                and r.spec ->> 'program' = coalesce(
                    %(program)s::text, (select spec ->> 'program' from connection_revision own
                                        where own.connection_id = %(connection)s and own.number = %(revision)s))))
        """,
        parameters,
    ).fetchone()
    return twin["id"] if twin else None


def same_name(connection: LedgerConnection, submission: Submission) -> Submission | None:
    """Return the newest earlier submission of the connection with the same name and other bytes that was applied."""
    query = f"""
        select {COLUMNS} from submission
        where connection_id = %(connection)s and id < %(id)s and lower(file_name) = lower(%(name)s)
          and file_name = %(name)s and sha256 is distinct from %(sha256)s and state in ('applied', 'partly_applied')
          and withdrawn_at is null
        order by id desc limit 1
    """
    found = rows_of(connection, query, _identity(submission))
    return found[0] if found else None


def younger_applied(connection: LedgerConnection, submission: Submission) -> Submission | None:
    """Return the youngest submission of the connection that was claimed before, is younger and was applied."""
    query = f"""
        select {COLUMNS} from submission
        where connection_id = %(connection)s and id < %(id)s and received_at > %(received)s
          and data_type = %(data_type)s and members is null and state in ('applied', 'partly_applied')
        order by received_at desc limit 1
    """
    found = rows_of(connection, query, _identity(submission))
    return found[0] if found else None


def _identity(submission: Submission) -> dict[str, Any]:
    return {
        "connection": submission.connection_id,
        "id": submission.id,
        "name": submission.file_name,
        "sha256": submission.sha256,
        "received": submission.received_at,
        "data_type": submission.data_type,
    }


def set_replaces(connection: LedgerConnection, submission_id: int, earlier_id: int) -> None:
    """Record which submission is undone when this one is applied."""
    connection.execute(
        "update submission set replaces_id = %s where id = %s and replaces_id is null", [earlier_id, submission_id]
    )
