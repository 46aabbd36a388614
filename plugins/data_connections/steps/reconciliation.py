"""Reconciliation: the books of the whole ledger checked against themselves, and the result kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from data_connections.ledger import Ledger
from data_connections.queries.movements import KEYS, KNOWN, SUMMED
from data_connections.steps.month_sums import forget_months

MOST_SHOWN = 20
"""Examples that are kept of one kind of mismatch."""


@dataclass(frozen=True)
class Reconciled:
    """What one check of the books found.

    Attributes:
        submissions: Final submissions that were looked at.
        actions: Actions that were looked at.
        mismatches: For each kind of mismatch how many there are, and the first of them.
    """

    submissions: int
    actions: int
    mismatches: dict[str, dict[str, Any]]

    @property
    def good(self) -> bool:
        """Whether all books agree."""
        return not self.mismatches


def reconcile(ledger: Ledger) -> Reconciled:
    """Check all final submissions and all actions, at one moment of the ledger, and store the result.

    Rows, pieces and money of every submission are compared with its totals by outcome and currency and with what it
    wrote; every action is compared with its items and with the chain of its updates. Sums of months that are wrong are
    dropped, so that statements are right and the sums are made again.
    """
    with ledger.connect() as connection:
        connection.execute("set transaction isolation level repeatable read")
        counted = connection.execute(_COUNT).fetchone()
        assert counted is not None  # noqa: S101 - aggregates always give one row
        mismatches = {}
        for name, query in CHECKS.items():
            found = connection.execute(query).fetchall()
            if found:
                first = [{key: str(value) for key, value in row.items()} for row in found[:MOST_SHOWN]]
                mismatches[name] = {"count": len(found), "first": first}
        if MONTHS in mismatches:
            forget_months(connection)
        connection.execute(
            "insert into reconciliation (submissions, actions, mismatches) values (%s, %s, %s)",
            [counted["submissions"], counted["actions"], Jsonb(mismatches)],
        )
    return Reconciled(counted["submissions"], counted["actions"], mismatches)


_COUNT = b"""
    select (select count(*) from submission where state in ('applied', 'partly_applied', 'duplicate')) as submissions,
           (select count(*) from action) as actions
"""

MONTHS = "sums of months and the movements in them"
_COMPARED = ", ".join((*KEYS, *SUMMED, "first_action", "last_action"))
CHECKS: dict[str, bytes] = {
    "rows of a submission and its totals": b"""
        select s.id as submission, s.accepted, s.rejected, s.duplicate, s.held, t.accepted as totals_accepted,
               t.rejected as totals_rejected, t.duplicate as totals_duplicate, t.held as totals_held
        from submission s left join (
            select submission_id, coalesce(sum(rows) filter (where outcome = 'accepted'), 0) as accepted,
                   coalesce(sum(rows) filter (where outcome = 'rejected'), 0) as rejected,
                   coalesce(sum(rows) filter (where outcome = 'duplicate'), 0) as duplicate,
                   coalesce(sum(rows) filter (where outcome = 'held'), 0) as held
            from submission_total group by submission_id
        ) t on t.submission_id = s.id
        where s.state in ('applied', 'partly_applied')
          and (s.accepted, s.rejected, s.duplicate, s.held) is distinct from
              (coalesce(t.accepted, 0), coalesce(t.rejected, 0), coalesce(t.duplicate, 0), coalesce(t.held, 0))
    """,
    "held rows of a submission and those that are kept": b"""
        select s.id as submission, s.held, count(h.line) as kept
        from submission s left join held_row h on h.submission_id = s.id
        where s.state in ('applied', 'partly_applied')
          and s.data_type in ('conversions', 'action_modifications')
        group by s.id having s.held <> count(h.line)
    """,
    "money of an orders file and its actions": b"""
        select t.submission_id as submission, t.currency, t.amount, w.amount as written
        from submission_total t join submission s on s.id = t.submission_id and s.data_type = 'conversions'
        left join (
            select a.submission_id, a.currency, sum(coalesce(f.old_amount, a.amount)) as amount
            from action a left join (
                select distinct on (action_id) action_id, old_amount from action_update order by action_id, id
            ) f on f.action_id = a.id
            group by a.submission_id, a.currency
        ) w on w.submission_id = t.submission_id and w.currency = t.currency
        where t.outcome = 'accepted' and s.state in ('applied', 'partly_applied') and t.amount <> coalesce(w.amount, 0)
    """,
    "rows and money of a modifications file and its updates": b"""
        select t.submission_id as submission, t.currency, t.rows, t.amount, t.quantity, w.rows as written_rows,
               w.amount as written_amount, w.quantity as written_quantity
        from submission_total t join submission s on s.id = t.submission_id and s.data_type = 'action_modifications'
        left join (
            select submission_id, currency, count(*) as rows, coalesce(sum(given_amount), 0) as amount,
                   coalesce(sum(given_quantity), 0) as quantity
            from action_update where submission_id is not null group by submission_id, currency
        ) w on w.submission_id = t.submission_id and w.currency = t.currency
        where t.outcome = 'accepted' and s.state in ('applied', 'partly_applied')
          and (t.rows, t.amount, t.quantity) is distinct from
              (coalesce(w.rows, 0), coalesce(w.amount, 0), coalesce(w.quantity, 0))
    """,
    "an action and its items": b"""
        select a.id as action, a.amount, sum(i.amount) as items
        from action a join action_item i on i.action_id = a.id group by a.id having a.amount <> sum(i.amount)
    """,
    "an action and its last update": b"""
        select a.id as action, a.state, a.amount, a.payout, u.new_state, u.new_amount, u.new_payout
        from action a join (
            select distinct on (action_id) action_id, new_state, new_amount, new_payout
            from action_update order by action_id, id desc
        ) u on u.action_id = a.id
        where (a.state, a.amount, a.payout) is distinct from (u.new_state, u.new_amount, u.new_payout)
    """,
    "an update and the one before it": b"""
        select action_id as action, id as update, old_state, old_amount, before_state, before_amount
        from (
            select u.*, lag(new_state) over updates as before_state, lag(new_amount) over updates as before_amount,
                   lag(new_payout) over updates as before_payout, row_number() over updates as number
            from action_update u window updates as (partition by action_id order by id)
        ) chain
        where number > 1 and (old_state, old_amount, old_payout) is distinct from
                             (before_state, before_amount, before_payout)
    """,
    MONTHS: f"""
        with again as (select x.* from month_sum_mark k cross join lateral ({KNOWN}) x)
        (select 'summed' as found, {_COMPARED} from month_sum except all select 'summed', {_COMPARED} from again)
        union all
        (select 'moved', {_COMPARED} from again except all select 'moved', {_COMPARED} from month_sum)
    """.encode(),
}
"""Queries that find what does not agree, by the name of the mismatch; each finds nothing in books that are right."""
