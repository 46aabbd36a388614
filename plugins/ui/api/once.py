"""Creating calls that may be sent twice: the idempotency key of a call makes its effect happen once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Header

from data_connections.ledger import Ledger, api_answers
from ui.visitor import Visitor

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Your own name of this call: sent again with the same one within a day, it is not done again.",
    ),
]


def once(
    ledger: Ledger, visitor: Visitor, key: str | None, asked: Any, work: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Return what ``work`` returns, or what it returned to the same call before.

    Args:
        ledger: Keeps the answers.
        visitor: Who calls.
        key: The caller's key; None does the work without one.
        asked: What is asked: the same key with something else is refused.
        work: Does it, and returns the answer as JSON values.
    """
    if key is None:
        return work()
    request = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
    known = api_answers.claim(ledger, visitor.name, key, request)
    if known is not None:
        return known
    try:
        answer = work()
    except BaseException:
        api_answers.release(ledger, visitor.name, key)
        raise
    api_answers.keep(ledger, visitor.name, key, answer)
    return answer
