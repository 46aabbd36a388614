"""Deleting one connection, and taking that back: its data, history and revisions stay."""

from __future__ import annotations

from data_connections.catalog import activity
from data_connections.catalog.revisions import StoredSpec, names, read_current
from data_connections.errors import ConfigurationError, UnknownName
from data_connections.ledger.database import Ledger, LedgerConnection


def delete(ledger: Ledger, name: str, who: str) -> None:
    """Delete a connection: its DAG and its schedule go, everything it ever did stays. Twice is the same as once.

    Raises:
        UnknownName: There is none of that name.
        ConfigurationError: Files manage it, so it has to be deleted there.
    """
    with ledger.connect() as connection:
        stored = _locked(ledger, connection, name)
        if stored.managed_by.startswith("files:"):
            raise ConfigurationError(
                f"{name} is managed by {stored.managed_by}: delete its YAML there and apply with --prune, or it would "
                "come back with the next apply."
            )
        if stored.deleted_at is None:
            connection.execute(
                b"update connection set deleted_at = now(), updated_at = now() where id = %s", [stored.connection_id]
            )
            _record(connection, stored, who, "connection.deleted")


def undelete(ledger: Ledger, name: str, who: str) -> None:
    """Take a deletion back: the connection is there again with its last revision. Twice is the same as once.

    Raises:
        UnknownName: There never was one of that name.
    """
    with ledger.connect() as connection:
        stored = _locked(ledger, connection, name)
        if stored.deleted_at is not None:
            connection.execute(
                b"update connection set deleted_at = null, updated_at = now() where id = %s", [stored.connection_id]
            )
            _record(connection, stored, who, "connection.restored")


def _locked(ledger: Ledger, connection: LedgerConnection, name: str) -> StoredSpec:
    connection.execute(b"select pg_advisory_xact_lock(hashtext('data_connections.catalog'))")
    found = read_current(connection, only=name, with_deleted=True)
    if not found:
        raise UnknownName("connection", name, names(ledger))
    return found[0]


def _record(connection: LedgerConnection, stored: StoredSpec, who: str, what: str) -> None:
    details = {"source": stored.managed_by, "revision": stored.number}
    activity.record(connection, who, what, stored.name, connection_id=stored.connection_id, details=details)
