"""What a connection lets a file do unasked: its limits, as validation and applying need them."""

from __future__ import annotations

from datetime import datetime

from data_connections.applying import Bounds, Hold
from data_connections.currencies import money
from data_connections.ledger.staging import Seal
from data_connections.spec import HoldIf, InboundConnection, next_run


def bounds_of(spec: InboundConnection, received_at: datetime) -> Bounds:
    """Return what a connection lets a file do that was received then."""
    return Bounds(
        spec.limits.hold_rows_for,
        spec.limits.hold_if.reversed_share_over,
        next_run(spec.schedule, spec.name, spec.time_zone, received_at),
    )


def limit_passed(limits: HoldIf, seal: Seal) -> Hold | None:
    """Return why a file has to be approved that has so many rows, or so much money, if it has to."""
    if limits.rows_over is not None and seal.rows() > limits.rows_over:
        return _held(f"The file has {seal.rows():,} rows; above {limits.rows_over:,} somebody has to approve it.")
    for currency, amount in seal.amounts("accepted").items():
        most = limits.amount_over.get(currency)
        if most is not None and amount > most:
            found, limit = money(amount, currency), money(most, currency)
            return _held(f"The accepted rows amount to {found} {currency}; above {limit} somebody has to approve it.")
    return None


def _held(message: str) -> Hold:
    return Hold("HELD_BY_LIMIT", message)
