"""Verdicts: which staged rows the ledger does not take, and the outcomes that are kept of a file."""

from __future__ import annotations

from psycopg import sql

from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import Attempt, Sum


def create_verdicts(connection: LedgerConnection) -> None:
    """Create the tables ``verdict``, one at most a line, and ``remark``, one a code and line, for the transaction."""
    connection.execute("""
        create temporary table verdict (
            line bigint primary key, outcome text not null, code text not null, column_name text, message text not null
        ) on commit drop;
        create temporary table remark (
            line bigint, code text, column_name text, message text not null, primary key (line, code)
        ) on commit drop
    """)


def verdict_sums(connection: LedgerConnection, attempt: Attempt, quantity: sql.Composable) -> list[Sum]:
    """Return rows, pieces and money of the rows with a verdict, by outcome and currency."""
    query = sql.SQL("""
        select v.outcome, s.measured_currency as currency, count(*) as rows,
               coalesce(sum({quantity}), 0)::numeric as quantity, coalesce(sum(s.measured_amount), 0) as amount
        from verdict v join {rows} s using (line) group by 1, 2
    """).format(quantity=quantity, rows=attempt.rows)
    found = connection.execute(query).fetchall()
    return [
        Sum(row["outcome"], row["currency"], row["rows"], str(row["quantity"]), str(row["amount"])) for row in found
    ]


def write_outcomes(connection: LedgerConnection, submission_id: int, attempt: Attempt) -> int:
    """Keep what is to be said about rows, of validation and of the rules, and return how many accepted rows warn.

    Rows that were simply accepted have no entry: what they became says so.
    """
    parameters = {"id": submission_id}
    connection.execute(_FINDINGS.format(rows=attempt.rows, findings=attempt.findings), parameters)
    connection.execute(_VERDICTS.format(findings=attempt.findings), parameters)
    connection.execute(_REMARKS.format(findings=attempt.findings), parameters)
    warned = connection.execute(
        "select count(distinct line) as warned from outcome where submission_id = %(id)s and outcome = 'accepted'",
        parameters,
    ).fetchone()
    assert warned is not None  # noqa: S101 - an aggregate always gives one row
    return int(warned["warned"])


_FINDINGS = sql.SQL("""
    insert into outcome (submission_id, line, number, outcome, severity, code, column_name, message)
    select %(id)s, f.line, f.number,
           coalesce(v.outcome, (array['accepted', 'rejected', 'duplicate', 'held'])[s.outcome + 1]),
           f.severity, f.code, f.column_name, f.message
    from {findings} f join {rows} s using (line) left join verdict v using (line)
""")
_VERDICTS = sql.SQL("""
    insert into outcome (submission_id, line, number, outcome, severity, code, column_name, message)
    select %(id)s, v.line, coalesce(f.number, 0) + 1, v.outcome, 'error', v.code, v.column_name, v.message
    from verdict v left join (select line, max(number) as number from {findings} group by line) f using (line)
""")
_REMARKS = sql.SQL("""
    insert into outcome (submission_id, line, number, outcome, severity, code, column_name, message)
    select %(id)s, r.line, coalesce(f.number, 0) + row_number() over (partition by r.line order by r.code), 'accepted',
           'warning', r.code, r.column_name, r.message
    from remark r left join (select line, max(number) as number from {findings} group by line) f using (line)
""")
