"""What runs read and write, as Airflow's assets: other DAGs can wait for them, and lineage tools follow them."""

from __future__ import annotations

from airflow.sdk import Asset

from data_connections.spec import ConnectionSpec, OutboundConnection

_WRITE_ACTIONS = ("conversions", "action_modifications")


def place_asset(spec: ConnectionSpec) -> Asset:
    """Return the partner's folder of a connection; connections to the same folder have the same one."""
    place = spec.details.place
    return Asset(place if "://" in place else f"connections://place/{spec.name}")


def ledger_asset(spec: ConnectionSpec) -> Asset:
    """Return the part of the ledger that a connection writes to, or makes its report of."""
    is_actions = isinstance(spec, OutboundConnection) or spec.data_type in _WRITE_ACTIONS
    return Asset(f"connections://ledger/{spec.program}/{'actions' if is_actions else spec.data_type}")
