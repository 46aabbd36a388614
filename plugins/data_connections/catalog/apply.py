"""Applying specs: all of them in one transaction, or none."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from data_connections.catalog import activity
from data_connections.catalog.content import hash_of
from data_connections.catalog.planning import Intent, Known, Plan, Step, make_plan
from data_connections.catalog.revisions import read_current
from data_connections.ledger.database import Ledger, LedgerConnection
from data_connections.spec import LoadedSpec

_LOCK = b"select pg_advisory_xact_lock(hashtext('data_connections.catalog'))"
_SAYS = {
    "create": "connection.created",
    "change": "connection.changed",
    "restore": "connection.restored",
    "take over": "connection.taken_over",
    "delete": "connection.deleted",
}


def plan_specs(ledger: Ledger, specs: Sequence[LoadedSpec], known: Known, intent: Intent) -> Plan:
    """Return what `apply_specs` would do now, and change nothing.

    Raises:
        Mistakes: Everything that keeps the specs from being applied.
    """
    with ledger.connect() as connection:
        return make_plan(specs, read_current(connection, with_deleted=True), known, intent)


def apply_specs(ledger: Ledger, specs: Sequence[LoadedSpec], known: Known, intent: Intent, who: str) -> Plan:
    """Make the catalog hold ``specs``, and return what was done.

    Each changed connection gets a new revision, and each change an entry in the activity log. Others who apply at
    the same time wait for each other.

    Args:
        ledger: The ledger.
        specs: The specs, each name once.
        known: The names that they may refer to.
        intent: What manages them, and what else may be done.
        who: Who does it, for the activity log.

    Raises:
        Mistakes: Everything that keeps the specs from being applied; nothing was changed.
    """
    with ledger.connect() as connection:
        connection.execute(_LOCK)
        plan = make_plan(specs, read_current(connection, with_deleted=True), known, intent)
        for step in plan.changing:
            _do(connection, step, intent.source, who)
        return plan


def _do(connection: LedgerConnection, step: Step, source: str, who: str) -> None:
    if step.old is None:
        connection_id, number = _create(connection, step, source), 1
    elif step.action == "delete":
        connection_id, number = step.old.connection_id, step.old.number
        connection.execute(
            b"update connection set deleted_at = now(), updated_at = now() where id = %s", [connection_id]
        )
    else:
        connection_id, number = step.old.connection_id, step.old.number + bool(step.changes)
        connection.execute(
            b"""update connection set name = %s, managed_by = %s, revision = %s, refusal = null,
                                      deleted_at = null, updated_at = now()
                where id = %s""",
            [step.name, source, number, connection_id],
        )
    if step.content is not None and (step.old is None or step.changes):
        _add_revision(connection, connection_id, number, step, who)
    activity.record(
        connection, who, _what(step), step.name, connection_id=connection_id, details=_details(step, source, number)
    )


def _create(connection: LedgerConnection, step: Step, source: str) -> int:
    row = connection.execute(
        b"insert into connection (name, managed_by, revision) values (%s, %s, 1) returning id", [step.name, source]
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert that returns
    return int(row["id"])


def _add_revision(connection: LedgerConnection, connection_id: int, number: int, step: Step, who: str) -> None:
    content = dict(step.content or {})
    connection.execute(
        b"insert into connection_revision (connection_id, number, spec, hash, created_by) values (%s, %s, %s, %s, %s)",
        [connection_id, number, Jsonb(content), hash_of(content), who],
    )


def _what(step: Step) -> str:
    return "connection.renamed" if step.renamed_from and step.action == "change" else _SAYS[step.action]


def _details(step: Step, source: str, number: int) -> dict[str, object]:
    details: dict[str, object] = {"source": source, "revision": number}
    if step.changes:
        details["changes"] = [change.as_json() for change in step.changes]
    if step.old and step.old.managed_by != source:
        details["managed_before_by"] = step.old.managed_by
    return details
