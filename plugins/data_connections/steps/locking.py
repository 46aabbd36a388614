"""Locking: actions whose locking date has come become APPROVED, and nothing can change them then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from data_connections import applying
from data_connections.catalog import activity
from data_connections.ledger import Ledger
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.submission import UNFINISHED

PATIENCE = timedelta(days=3)
"""How long after its locking date an action waits for files that were received before."""


@dataclass(frozen=True)
class Locked:
    """What was locked of one program.

    Attributes:
        program: Its key.
        locked: How many actions were locked.
        waiting: How many are due and wait for files that were received before their locking date.
        waits_for: These files, as numbers of submissions.
        went_past: Files that were waited for in vain. Their rows still count: they are judged by their received time.
    """

    program: str
    locked: int
    waiting: int
    waits_for: tuple[int, ...]
    went_past: tuple[int, ...]


def lock_due(
    ledger: Ledger, now: datetime, patience: timedelta = PATIENCE, *, who: str = "maintenance"
) -> list[Locked]:
    """Lock the actions that are due, each program in a transaction of its own; run again it finds nothing more.

    Args:
        ledger: The ledger.
        now: The time that counts as now; with a time zone.
        patience: How long actions wait for files that were received before their locking date.
        who: Stands in the activity log.

    Returns:
        One entry for each program in which something was due.
    """
    programs = ledger.all(
        """
        select p.key from program p
        where exists (select from action a where a.program_id = p.id and a.state = 'PENDING' and a.locks_at <= %s)
        order by p.key
        """,
        [now],
    )
    done = []
    for program in programs:
        with ledger.connect() as connection:
            applying.lock_actions(connection, program["key"])
            done.append(_lock(connection, program["key"], now, patience, who))
    return done


def _lock(connection: LedgerConnection, program: str, now: datetime, patience: timedelta, who: str) -> Locked:
    open_files = connection.execute(_OPEN_FILES, {"program": program, "unfinished": list(UNFINISHED)})
    waiting_for = open_files.fetchall()
    first = min((file["received_at"] for file in waiting_for), default=None)
    parameters: dict[str, Any] = {"program": program, "now": now, "given_up": now - patience, "first": first}
    locked = _one(connection, _LOCK_DUE, parameters)
    waiting = _one(connection, _STILL_DUE, parameters)
    past = tuple(f["id"] for f in waiting_for if locked["latest"] is not None and f["received_at"] < locked["latest"])
    waits_for = tuple(f["id"] for f in waiting_for if waiting["latest"] and f["received_at"] < waiting["latest"])
    done = Locked(program, locked["actions"], waiting["actions"], waits_for, past)
    if done.locked:
        details = {"locked": done.locked, "waiting": done.waiting, "went_past": list(past)}
        activity.record(connection, who, "actions.locked", f"program {program}", details=details)
    return done


def _one(connection: LedgerConnection, query: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always gives one row
    return row


_OPEN_FILES = b"""
    select s.id, s.received_at from submission s
    join connection_revision v on v.connection_id = s.connection_id and v.number = s.revision
    where v.spec ->> 'program' = %(program)s and s.data_type = 'action_modifications' and s.state = any(%(unfinished)s)
    order by s.id
"""
_LOCK_DUE = b"""
    with locked as (
        update action a set state = 'APPROVED', locked_at = greatest(a.locks_at, a.received_at), locked_by = 'date'
        from program p
        where p.key = %(program)s and a.program_id = p.id and a.state = 'PENDING' and a.locks_at <= %(now)s
          and (%(first)s::timestamptz is null or a.locks_at <= %(first)s or a.locks_at <= %(given_up)s)
        returning a.id, a.locks_at, a.locked_at, a.amount, a.payout, a.currency, a.term_id
    ), recorded as (
        insert into action_update (action_id, kind, received_at, old_state, new_state, old_amount, new_amount,
                                   old_payout, new_payout, currency, term_id)
        select id, 'locked', locked_at, 'PENDING', 'APPROVED', amount, amount, payout, payout, currency, term_id
        from locked
    )
    select count(*) as actions, max(locks_at) as latest from locked
"""
_STILL_DUE = b"""
    select count(*) as actions, max(a.locks_at) as latest from action a join program p on p.id = a.program_id
    where p.key = %(program)s and a.state = 'PENDING' and a.locks_at <= %(now)s
"""
