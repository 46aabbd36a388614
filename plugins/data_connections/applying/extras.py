"""The columns of a row that have no column in the ledger, as one JSON object."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from data_connections.applying.rules import Application

_PAIRS_AT_ONCE = 40


def extra_object(application: Application, names: Iterable[str]) -> sql.Composable:
    """Return the JSON object of those of the columns that the file has, without empty ones; null when it is empty."""
    pairs = [
        sql.SQL("{}, {}").format(sql.Literal(name), application.field(name)) for name in names if application.has(name)
    ]
    if not pairs:
        return sql.SQL("null::jsonb")
    objects = [
        sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs[start : start + _PAIRS_AT_ONCE]))
        for start in range(0, len(pairs), _PAIRS_AT_ONCE)
    ]
    return sql.SQL("nullif(jsonb_strip_nulls({}), '{{}}'::jsonb)").format(sql.SQL(" || ").join(objects))
