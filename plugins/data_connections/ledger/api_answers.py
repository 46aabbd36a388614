"""Answers of creating calls by the key that the caller chose, kept for a day."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from data_connections.errors import ConfigurationError, OutOfTurn
from data_connections.ledger.database import Ledger


def claim(ledger: Ledger, who: str, key: str, request: str) -> dict[str, Any] | None:
    """Claim a key for one call, or return the answer that the same call got before.

    Args:
        ledger: The ledger.
        who: Who calls; keys of others do not count.
        key: What the caller chose.
        request: Hash of what is asked.

    Raises:
        ConfigurationError: The key was used for something else.
        OutOfTurn: The same call is being answered right now.
    """
    with ledger.connect() as connection:
        connection.execute("delete from api_answer where at < now() - interval '1 day'")
        claimed = connection.execute(
            "insert into api_answer (who, key, request) values (%s, %s, %s) on conflict do nothing returning key",
            [who, key, request],
        ).fetchone()
        if claimed:
            return None
        found = connection.execute(
            "select request, answer from api_answer where who = %s and key = %s", [who, key]
        ).fetchone()
    if found is None or found["answer"] is None:
        raise OutOfTurn("The same call is being answered right now; ask again in a moment.")
    if found["request"] != request:
        raise ConfigurationError("This idempotency key was used for another call.", field="Idempotency-Key")
    return dict(found["answer"])


def keep(ledger: Ledger, who: str, key: str, answer: dict[str, Any]) -> None:
    """Keep the answer of a claimed call."""
    with ledger.connect() as connection:
        connection.execute("update api_answer set answer = %s where who = %s and key = %s", [Jsonb(answer), who, key])


def release(ledger: Ledger, who: str, key: str) -> None:
    """Give a key back whose call failed, so that it may be sent again."""
    with ledger.connect() as connection:
        connection.execute("delete from api_answer where who = %s and key = %s and answer is null", [who, key])
