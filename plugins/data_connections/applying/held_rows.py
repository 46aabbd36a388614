"""Held rows: kept as they were staged, and put to the rules again when what they wait for may have come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg import sql

from data_connections.applying.rules import Application
from data_connections.data_types import DataType
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import Attempt
from data_connections.ledger.submission import Submission
from data_connections.spec.dataset import Dataset

Totals = Mapping[tuple[str, str], tuple[int, Decimal, Decimal]]


def keep_held(connection: LedgerConnection, application: Application, hold_for: timedelta) -> None:
    """Keep the rows that a verdict holds, for so long from now on: the time that we were down counts for nobody."""
    connection.execute(
        sql.SQL("""
            insert into held_row (submission_id, line, program, data_type, code, held_until, staged)
            select %(submission)s, s.line, %(program)s, %(data_type)s, v.code, now() + %(time)s, to_jsonb(s)
            from verdict v join {rows} s using (line) where v.outcome = 'held'
        """).format(rows=application.attempt.rows),
        {
            "submission": application.submission_id,
            "program": application.program,
            "data_type": application.data_type.name,
            "time": hold_for,
        },
    )


def stage_held(
    connection: LedgerConnection,
    submission: Submission,
    program: str,
    data_type: DataType,
    dataset: Dataset,
    now: datetime,
) -> Application | None:
    """Stage the held rows of a submission again; None where it has none.

    Their rows are rejected instead of held where the time that they are held for is up.
    """
    first = connection.execute(
        "select staged, held_until from held_row where submission_id = %s order by line limit 1", [submission.id]
    ).fetchone()
    if first is None:
        return None
    attempt = Attempt(Attempt.new_name(submission.id))
    types = {column.field: column.sql_type for column in data_type.columns if column.field in first["staged"]}
    attempt.create(connection, types)
    connection.execute(
        sql.SQL("""
            insert into {rows}
            select (jsonb_populate_record(null::{rows}, h.staged || '{{"outcome": 0}}')).*
            from held_row h where h.submission_id = {submission} order by h.line
        """).format(rows=attempt.rows, submission=sql.Literal(submission.id))
    )
    attempt.analyze(connection)
    quantity = data_type.measures.quantity
    seal = attempt.measure(connection, data_type.column(quantity).field if quantity else None)
    application = Application(
        submission.id, submission.received_at, program, data_type, attempt, seal, attempt.columns(connection), dataset
    )
    return replace(application, holds=now < first["held_until"])


def settle_held(connection: LedgerConnection, submission_id: int, totals: Totals) -> dict[str, int]:
    """Replace what was recorded of held rows by what became of them, and return rows by outcome.

    Args:
        connection: The transaction, with the verdicts on the staged rows.
        submission_id: The submission.
        totals: Sums of the rows that had been held, by their outcomes now.
    """
    for statement in _REPLACE_OUTCOMES:
        connection.execute(statement, {"id": submission_id})
    connection.execute("delete from submission_total where submission_id = %s and outcome = 'held'", [submission_id])
    counts = {"accepted": 0, "rejected": 0, "duplicate": 0, "held": 0}
    for (outcome, currency), (rows, quantity, amount) in totals.items():
        if rows:
            counts[outcome] += rows
            connection.execute(_ADD_TOTAL, [submission_id, outcome, currency, rows, quantity, amount])
    parameters: dict[str, Any] = {**counts, "id": submission_id}
    connection.execute(_SETTLE, parameters)
    return counts


_REPLACE_OUTCOMES = (
    b"""
    create temporary table settled on commit drop as
    select h.line, coalesce(v.outcome, 'accepted') as outcome
    from held_row h left join verdict v using (line)
    where h.submission_id = %(id)s and v.outcome is distinct from 'held'
    """,
    b"delete from held_row h using settled s where h.submission_id = %(id)s and h.line = s.line",
    b"""
    delete from outcome o using settled s
    where o.submission_id = %(id)s and o.line = s.line and o.outcome = 'held' and o.severity = 'error'
    """,
    b"update outcome o set outcome = s.outcome from settled s where o.submission_id = %(id)s and o.line = s.line",
    b"""
    insert into outcome (submission_id, line, number, outcome, severity, code, column_name, message)
    select %(id)s, f.line,
           coalesce((select max(o.number) from outcome o where o.submission_id = %(id)s and o.line = f.line), 0)
           + row_number() over (partition by f.line order by f.code),
           s.outcome, f.severity, f.code, f.column_name, f.message
    from (
        select line, 'error' as severity, code, column_name, message from verdict
        union all select line, 'warning', code, column_name, message from remark
    ) f join settled s using (line)
    """,
)
_ADD_TOTAL = b"""
    insert into submission_total (submission_id, outcome, currency, rows, quantity, amount)
    values (%s, %s, %s, %s, %s, %s)
    on conflict (submission_id, outcome, currency) do update
    set rows = submission_total.rows + excluded.rows, quantity = submission_total.quantity + excluded.quantity,
        amount = submission_total.amount + excluded.amount
"""
_SETTLE = b"""
    update submission
    set accepted = accepted + %(accepted)s, rejected = rejected + %(rejected)s, duplicate = duplicate + %(duplicate)s,
        held = %(held)s,
        state = case when rejected + %(rejected)s > 0 then 'partly_applied' else 'applied' end,
        warned = (select count(distinct line) from outcome where submission_id = %(id)s and outcome = 'accepted')
    where id = %(id)s
"""
