"""What became of the rows of submissions: totals, codes, and what was found about each row."""

from __future__ import annotations

from typing import Any

from data_connections.ledger.database import LedgerConnection


def totals(connection: LedgerConnection, submission_id: int) -> list[dict[str, Any]]:
    """Return rows, quantity and money of a finished submission by outcome and currency."""
    return connection.execute(
        """
        select outcome, currency, rows, quantity, amount from submission_total
        where submission_id = %s order by outcome, currency
        """,
        [submission_id],
    ).fetchall()


def outcome_counts(connection: LedgerConnection, submission_id: int) -> list[dict[str, Any]]:
    """Return how many entries each code has among the outcomes of a submission, the most frequent first."""
    return connection.execute(
        """
        select code, outcome, severity, count(*) as rows from outcome where submission_id = %s
        group by code, outcome, severity order by count(*) desc, code
        """,
        [submission_id],
    ).fetchall()


def outcomes(connection: LedgerConnection, submission_id: int, *, limit: int) -> list[dict[str, Any]]:
    """Return the first errors and warnings of rows, by line, as findings of validation are written."""
    return connection.execute(
        """
        select line, column_name as column, code, message, severity, outcome from outcome
        where submission_id = %s order by line, number limit %s
        """,
        [submission_id, limit],
    ).fetchall()
