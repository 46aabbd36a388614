"""DAGs that were paused for an upgrade or a move; others that are paused are nobody's business here."""

from __future__ import annotations

from collections.abc import Iterable

from data_connections.ledger.database import LedgerConnection


def remember(connection: LedgerConnection, dag_ids: Iterable[str], who: str) -> None:
    """Note, before they are paused, that these DAGs are to go on afterwards."""
    connection.execute(
        "insert into drained_dag (dag_id, who) select unnest(%s::text[]), %s on conflict (dag_id) do nothing",
        [list(dag_ids), who],
    )


def remembered(connection: LedgerConnection) -> list[str]:
    """Return the DAGs that are to go on afterwards."""
    return [row["dag_id"] for row in connection.execute("select dag_id from drained_dag order by dag_id").fetchall()]


def forget(connection: LedgerConnection, dag_id: str) -> None:
    """Note that a DAG goes on again."""
    connection.execute("delete from drained_dag where dag_id = %s", [dag_id])
