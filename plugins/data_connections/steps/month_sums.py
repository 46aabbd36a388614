"""Sums of months brought up to date, so that a statement of a million actions adds up months and not actions."""

from __future__ import annotations

from data_connections import applying
from data_connections.ledger import Ledger
from data_connections.ledger.database import LedgerConnection
from data_connections.queries.movements import KEYS, MARK, NEWER, SUMMED


def sum_up_months(ledger: Ledger) -> list[str]:
    """Add to ``month_sum`` what moved since the last time, each program in a transaction of its own.

    A program whose actions are being written is left for the next time. Where its time zone has changed, its months are
    others, and all of them are summed again.

    Returns:
        Keys of the programs that were summed.
    """
    programs = ledger.all(
        """
        select p.key from program p
        left join month_sum_mark k on k.program_id = p.id and k.time_zone = p.time_zone
        where coalesce(k.last_action, 0) < (select max(id) from action)
           or coalesce(k.last_update, 0) < (select max(id) from action_update)
        order by p.key
        """
    )
    done = []
    for program in programs:
        with ledger.connect() as connection:
            if applying.lock_idle_actions(connection, program["key"]):
                _sum_up(connection, program["key"])
                done.append(program["key"])
    return done


def forget_months(connection: LedgerConnection) -> None:
    """Drop all sums: statements read the actions themselves until they are summed again."""
    connection.execute("delete from month_sum")
    connection.execute("delete from month_sum_mark")


def _sum_up(connection: LedgerConnection, program: str) -> None:
    bound = connection.execute(_PROGRAM, [program]).fetchone()
    assert bound is not None  # noqa: S101 - programs are never deleted
    bound |= connection.execute(MARK, bound).fetchone() or {}
    connection.execute(_DROP_OTHER_MONTHS, bound)
    connection.execute(_ADD, bound)
    connection.execute(_SET_MARK, bound)


_PROGRAM = b"""
    select id as program, time_zone as zone, (select coalesce(max(id), 0) from action) as newest_action,
           (select coalesce(max(id), 0) from action_update) as newest_update
    from program where key = %s
"""
_DROP_OTHER_MONTHS = b"""
    delete from month_sum where program_id = %(program)s and not exists (
        select from month_sum_mark where program_id = %(program)s and time_zone = %(zone)s)
"""
_ADD = f"""
    insert into month_sum ({", ".join((*KEYS, *SUMMED, "first_action", "last_action"))})
    {NEWER}
    on conflict ({", ".join(KEYS)}) do update set
        {", ".join(f"{column} = month_sum.{column} + excluded.{column}" for column in SUMMED)},
        first_action = least(month_sum.first_action, excluded.first_action),
        last_action = greatest(month_sum.last_action, excluded.last_action)
""".encode()
_SET_MARK = b"""
    insert into month_sum_mark (program_id, time_zone, last_action, last_update)
    values (%(program)s, %(zone)s, %(newest_action)s, %(newest_update)s)
    on conflict (program_id) do update set time_zone = excluded.time_zone, last_action = excluded.last_action,
                                           last_update = excluded.last_update
"""
