"""Statements of one application: SQL with named parts, filled in and run."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from data_connections.ledger.database import LedgerConnection


class Statements:
    """Runs queries in which ``{name}`` stands for a part: a table, a column, a literal or a fragment.

    Args:
        connection: The open transaction.
        parts: Parts by name; ``fill`` adds more, which may use those that are there.
    """

    def __init__(self, connection: LedgerConnection, parts: dict[str, sql.Composable]) -> None:
        self._connection = connection
        self._parts = dict(parts)

    def fill(self, **fragments: str) -> None:
        """Add fragments, or put others in their place; they are filled in with the parts of before."""
        filled = {name: sql.SQL(fragment).format(**self._parts) for name, fragment in fragments.items()}
        self._parts.update(filled)

    def put(self, **parts: sql.Composable) -> None:
        """Add parts, or put others in their place."""
        self._parts.update(parts)

    def part(self, name: str) -> sql.Composable:
        """Return a part, as it is now."""
        return self._parts[name]

    def __call__(self, query: str, **parts: sql.Composable) -> list[dict[str, Any]]:
        """Run a query and return its rows; none where it has no result."""
        statement = sql.SQL(query).format(**{**self._parts, **parts})
        cursor = self._connection.execute(statement)
        return [dict(row) for row in cursor] if cursor.description else []

    def any(self, query: str) -> bool:
        """Whether a query finds a row; it has to select something."""
        return bool(self(query))
