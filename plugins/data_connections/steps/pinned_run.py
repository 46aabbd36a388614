"""A run of a connection, pinned to the revision that it started with."""

from __future__ import annotations

from dataclasses import dataclass

from data_connections.catalog import revision as read_revision
from data_connections.ledger import runs
from data_connections.ledger.database import Ledger
from data_connections.spec import ConnectionSpec


@dataclass(frozen=True)
class PinnedRun:
    """A run in the ledger and the spec that holds for all of it.

    Attributes:
        id: Of ``connection_run``.
        connection_id: Of ``connection``.
        revision: Number of the revision that was current when the run began.
        spec: That revision's spec, whatever was applied since.
    """

    id: int
    connection_id: int
    revision: int
    spec: ConnectionSpec


def begin_run(ledger: Ledger, name: str, revision: int, dag_run_id: str) -> PinnedRun:
    """Record that a run is in progress; one that was begun before keeps the revision that it began with.

    Args:
        ledger: The ledger.
        name: The connection.
        revision: Number of the revision that the run's DAG was built from.
        dag_run_id: Airflow's id of the run.

    Raises:
        UnknownName: There is no such connection or revision.
        LedgerUnavailable: The ledger does not answer.
    """
    stored = read_revision(ledger, name, revision)
    with ledger.connect() as connection:
        run_id = runs.begin(connection, stored.connection_id, revision, dag_run_id)
        row = connection.execute("select revision from connection_run where id = %s", [run_id]).fetchone()
    assert row is not None  # noqa: S101 - it was just begun
    if row["revision"] != revision:
        stored = read_revision(ledger, name, row["revision"])
    return PinnedRun(run_id, stored.connection_id, stored.number, stored.spec)


def find_run(ledger: Ledger, name: str, revision: int, dag_run_id: str) -> PinnedRun:
    """Return the run as it was begun, and begin it where that has not happened yet; errors as in ``begin_run``."""
    row = ledger.one(
        """
        select r.id, r.revision from connection_run r join connection c on c.id = r.connection_id
        where c.name = %s and r.dag_run_id = %s
        """,
        [name, dag_run_id],
    )
    if row is None:
        return begin_run(ledger, name, revision, dag_run_id)
    stored = read_revision(ledger, name, row["revision"])
    return PinnedRun(row["id"], stored.connection_id, stored.number, stored.spec)
