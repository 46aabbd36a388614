"""Sums of what was written, one for each currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from data_connections.ledger.staging import Sum


def merged(rows: Iterable[Mapping[str, Any]]) -> list[Sum]:
    """Return one sum for each currency, of query results with ``currency``, ``rows``, ``quantity`` and ``amount``."""
    by_currency: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_currency.setdefault(row["currency"], []).append(row)
    return [
        Sum(
            "accepted",
            currency,
            sum(row["rows"] for row in group),
            str(sum((Decimal(row["quantity"]) for row in group), Decimal(0))),
            str(sum((Decimal(row["amount"]) for row in group), Decimal(0))),
        )
        for currency, group in by_currency.items()
    ]
