"""File submissions over all connections, the newest first."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from psycopg.rows import DictRow
from pydantic import BeforeValidator, Field

from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.files_of_order import submissions_of
from data_connections.queries.filters import ListFilter, Number, Text, left_out

_SELECT = """
select s.id, s.trace_id, s.number, c.name as connection, v.spec ->> 'program' as program, s.data_type, s.file_name,
       s.origin, s.state, s.code, s.message, s.received_at, s.finished_at, s.size, s.rows, s.accepted, s.warned,
       s.rejected, s.duplicate, s.held, s.corrects_id, s.replays_id, s.duplicate_of_id, s.parcel_id, s.members
from submission s
join connection c on c.id = s.connection_id
join connection_revision v on v.connection_id = c.id and v.number = c.revision
"""
_FEW_DAYS = timedelta(days=92)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{8,64}", re.IGNORECASE)

State = Literal[
    "claimed", "fetched", "validated", "on_hold", "applied", "partly_applied", "quarantined", "duplicate", "tested"
]
NOT_TAKEN = "not_taken"
"""Stands in place of a state for files that were seen and left where they are."""
_UNDER_WAY = ("claimed", "fetched", "validated")


class SubmissionFilter(ListFilter):
    """What the list of file submissions shows."""

    data_type: Text = Field(default=None, description="Only this data type.")
    state: Annotated[State | Literal["under_way", "not_taken"] | None, BeforeValidator(left_out)] = Field(
        default=None, description="Only this state."
    )
    run: Number = Field(default=None, description="Only what this run took, by the ledger's number of the run.")
    errors: Annotated[bool | None, BeforeValidator(left_out)] = Field(
        default=None, description="Only those refused or with rejected rows."
    )


def list_submissions(
    connection: LedgerConnection, visible: Collection[int] | None, wanted: SubmissionFilter
) -> list[DictRow]:
    """Return one page of submissions, one line more where there is a next page.

    Args:
        connection: The ledger.
        visible: Ids of the connections that may be seen; None means every one.
        wanted: The filters. ``search`` is a number, a trace id, the first 8 or more digits of a SHA-256, the order id
            of an action that the file made or changed or of a row of it that is held, the sender of its mail (from the
            beginning, or all of ``@domain``), or the beginning of a file's name.
    """
    conditions = ["s.id < %(before)s"] if wanted.before else []
    bound: dict[str, Any] = {**wanted.model_dump(), "limit": wanted.size + 1}
    if visible is not None:
        conditions.append("s.connection_id = any(%(visible)s)")
        bound["visible"] = list(visible)
    if wanted.connection:
        conditions.append("s.connection_id = (select id from connection where name = %(connection)s)")
    if wanted.program:
        conditions.append(
            """s.connection_id = any(array(select o.id from connection o join connection_revision r
               on r.connection_id = o.id and r.number = o.revision where r.spec ->> 'program' = %(program)s))"""
        )
    conditions += _conditions(wanted, bound)
    where = f"where {' and '.join(conditions)}" if conditions else ""
    if _is_short(wanted):
        # The sum keeps PostgreSQL from walking back from the newest of all submissions to those of the days.
        where = f"where s.id in (select s.id from submission s {where} order by s.id + 0 desc limit %(limit)s)"
    return connection.execute(f"{_SELECT} {where} order by s.id desc limit %(limit)s".encode(), bound).fetchall()


def _is_short(wanted: SubmissionFilter) -> bool:
    """Whether so few days are asked for that looking at all their submissions is the faster way."""
    if wanted.since is None:
        return False
    return (wanted.until or datetime.now(UTC).date()) - wanted.since <= _FEW_DAYS


def _conditions(wanted: SubmissionFilter, bound: dict[str, Any]) -> list[str]:
    conditions = []
    if wanted.run:
        conditions.append("s.run_id = %(run)s")
    if wanted.data_type:
        conditions.append("s.data_type = %(data_type)s")
    if wanted.state:
        conditions.append("s.state = any(%(states)s)")
        bound["states"] = list(_UNDER_WAY) if wanted.state == "under_way" else [wanted.state]
    if wanted.errors:
        conditions.append("(s.rejected > 0 or s.state = 'quarantined')")
    if wanted.since:
        conditions.append("s.received_at >= %(since)s")
    if wanted.until:
        conditions.append("s.received_at < %(until)s::date + 1")
    if wanted.search:
        conditions.append(_search(wanted.search.strip(), bound))
    return conditions


def _search(text: str, bound: dict[str, Any]) -> str:
    bound["text"] = text
    if _UUID.fullmatch(text):
        return "s.trace_id = %(text)s::uuid"
    as_pattern = re.sub(r"([%_\\])", r"\\\1", text.lower())
    bound["beginning"] = as_pattern + "%"
    named = f"lower(s.file_name) like %(beginning)s or s.id = any(array({_OF_ORDER}))"
    if _SHA256.fullmatch(text):
        # Of all digits the last is f: what lies below g begins like this.
        named += " or s.sha256 between lower(%(text)s) and lower(%(text)s) || 'g'"
    if "@" in text:
        bound["mailed_by"] = f"%{as_pattern}" if text.startswith("@") else bound["beginning"]
        named += f" or s.sighting_id = any(array({_OF_SENDER}))"
    if text.isdecimal() and len(text) < 19:
        bound["id"] = int(text)
        named += " or s.id = %(id)s"
    return f"({named})"


_OF_ORDER = submissions_of("%(text)s")
_OF_SENDER = "select id from sighting where sender is not null and sender like %(mailed_by)s"


def connection_of(connection: LedgerConnection, submission_id: int) -> str | None:
    """Return the name of a submission's connection; None where there is no such submission."""
    row = connection.execute(
        "select c.name from submission s join connection c on c.id = s.connection_id where s.id = %s", [submission_id]
    ).fetchone()
    return str(row["name"]) if row else None


def related(connection: LedgerConnection, submission_id: int) -> list[DictRow]:
    """Return the submissions that correct, replay or copy this one or came in it, oldest first."""
    return connection.execute(
        """select id, file_name, state, case when corrects_id = %(id)s then 'corrects'
                  when replays_id = %(id)s then 'replays'
                  when parcel_id = %(id)s then 'came in' else 'is a copy of' end as how
           from submission
           where corrects_id = %(id)s or replays_id = %(id)s or duplicate_of_id = %(id)s or parcel_id = %(id)s
           order by id limit 50""",
        {"id": submission_id},
    ).fetchall()
