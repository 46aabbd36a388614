"""Held rows, tried again: after a submission that may have brought what they wait for, and every day."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from data_connections import applying
from data_connections.data_types import DataTypes
from data_connections.errors import ConfigurationError, TotalsMismatch
from data_connections.ledger import Ledger
from data_connections.ledger.standstill import halted
from data_connections.steps.job import read_job

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Freed:
    """What became of the held rows of one submission; ``held`` still wait.

    Attributes:
        problem: Why its rows could not be tried again and were left as they are; None where they were.
    """

    submission_id: int
    accepted: int = 0
    rejected: int = 0
    duplicate: int = 0
    held: int = 0
    problem: str | None = None


def retry_held(
    ledger: Ledger, now: datetime, *, program: str | None = None, data_types: DataTypes | None = None
) -> list[Freed]:
    """Put held rows to the rules again where what they wait for is there, or their time is up.

    Submissions come in the order in which they were received, each in a transaction of its own. What is freed may free
    more, so that this goes on until nothing is. One whose totals do not agree is left as it is and named; it keeps no
    other from being freed.

    Args:
        ledger: The ledger.
        now: The time that counts as now; with a time zone.
        program: Only rows of this program.
        data_types: Known data types; those of the installation if left out.
    """
    with ledger.connect() as connection:
        if halted(connection) is not None:
            _log.info("Held rows wait on: all applying is stopped.")
            return []
    done: list[Freed] = []
    while True:
        left = [each.submission_id for each in done if each.problem]
        rows = ledger.all(_RIPE, {"now": now, "program": program, "left": left})
        tried = [_retry(ledger, row["id"], now, data_types) for row in rows]
        done += tried
        if not any(each.accepted for each in tried):
            return done


def _retry(ledger: Ledger, submission_id: int, now: datetime, data_types: DataTypes | None) -> Freed:
    try:
        with ledger.connect() as connection:
            job = read_job(connection, submission_id, data_types, lock=True)
            applying.lock_family(connection, job.data_type, job.spec.program)
            counts = applying.retry_rows(
                connection, job.submission, job.spec.program, job.data_type, job.spec.dataset, now
            )
    except (TotalsMismatch, ConfigurationError) as failed:
        _log.exception("The held rows of submission %d were left as they are.", submission_id)
        return Freed(submission_id, problem=str(failed))
    return Freed(submission_id, counts["accepted"], counts["rejected"], counts["duplicate"], counts["held"])


_RIPE = """
    select s.id, min(s.received_at) as received_at from held_row h join submission s on s.id = h.submission_id
    join program p on p.key = h.program
    where (%(program)s::text is null or h.program = %(program)s) and s.id <> all(%(left)s::bigint[])
      and (h.held_until <= %(now)s
           or exists (select from action a
                      where h.data_type = 'action_modifications' and a.order_id = h.staged ->> 'order_id'
                        and a.event_type_id = (h.staged ->> 'action_tracker_id')::bigint)
           or exists (select from action a join event_type t on t.parent_id = a.event_type_id
                      where h.data_type = 'conversions' and a.program_id = p.id
                        and a.customer_id = h.staged ->> 'customer_id'
                        and (t.id = (h.staged ->> 'action_tracker_id')::bigint
                             or t.code = h.staged ->> 'event_type_code')))
    group by s.id order by 2, 1
"""
