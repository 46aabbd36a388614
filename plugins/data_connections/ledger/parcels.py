"""Parcels in the ledger: a zip with several files, each a submission of its own that names the parcel's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.submission import FINAL, Submission
from data_connections.ledger.submissions import get


@dataclass(frozen=True)
class Member:
    """One file of a parcel, kept in the landing area."""

    file_name: str
    landing_key: str
    sha256: str
    size: int


def unpack(
    connection: LedgerConnection, parcel: Submission, taken: Sequence[Member], warnings: Sequence[dict[str, Any]]
) -> None:
    """Make each member of a fetched parcel a submission, in their order; one that was unpacked before is left alone.

    They stand in the parcel's turn, before every file that was claimed after it.
    """
    connection.execute("select from connection where id = %s for no key update", [parcel.connection_id])
    if get(connection, parcel.id, lock=True).state != "fetched":
        return
    for member in taken:
        connection.execute(_ADD, {**vars(member), "parcel": parcel.id})
    connection.execute(
        """
        update submission set state = 'validated', members = %s, warnings = warnings || %s, validated_at = now()
        where id = %s
        """,
        [len(taken), Jsonb(list(warnings)), parcel.id],
    )


_ADD = """
    insert into submission (connection_id, revision, number, data_type, file_name, received_at, origin, state, size,
                            sha256, landing_key, fetched_at, run_id, leased_by, leased_until, replays_id,
                            apply_anyway, parcel_id, parcel_number)
    select p.connection_id, p.revision, (select max(number) + 1 from submission where connection_id = p.connection_id),
           p.data_type, %(file_name)s, p.received_at, p.origin, 'fetched', %(size)s, %(sha256)s, %(landing_key)s,
           now(), p.run_id, p.leased_by, p.leased_until, p.replays_id, p.apply_anyway, p.id, p.turn
    from submission p where p.id = %(parcel)s
"""


def members(connection: LedgerConnection, parcel_id: int) -> list[dict[str, Any]]:
    """Return what came in a parcel, in order: ``id``, ``file``, state, code and counts."""
    return connection.execute(
        """
        select id, file_name as file, state, code, rows, accepted, warned, rejected, duplicate, held
        from submission where parcel_id = %s order by number
        """,
        [parcel_id],
    ).fetchall()


def conclude(connection: LedgerConnection, parcel_id: int) -> None:
    """Give a parcel its final state once all of its members have theirs; before that, and later, nothing changes."""
    parcel = connection.execute(
        "select state from submission where id = %s and members is not null for update", [parcel_id]
    ).fetchone()
    states = Counter(member["state"] for member in members(connection, parcel_id))
    if parcel is None or parcel["state"] in FINAL or not states or set(states) - set(FINAL):
        return
    state = _state_of(states)
    counted = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(states.items()))
    connection.execute(
        """
        update submission
        set state = %s, code = %s, message = %s, finished_at = now(), leased_until = null where id = %s
        """,
        [
            state,
            "PARCEL_REFUSED" if state == "quarantined" else None,
            f"It held {states.total()} files, each a submission of its own: {counted}.",
            parcel_id,
        ],
    )


def _state_of(states: Counter[str]) -> str:
    """Return the state of a parcel: that of its members where all agree, else how much of it was applied."""
    if len(states) == 1:
        return next(iter(states))
    if "tested" in states:
        return "tested"
    if set(states) <= {"applied", "duplicate"}:
        return "applied"
    return "partly_applied"
