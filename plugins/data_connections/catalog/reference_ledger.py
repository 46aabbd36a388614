"""Reference data in the ledger: programs, event types and partners, brought to what YAML says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from psycopg.rows import DictRow

from data_connections.catalog import activity
from data_connections.catalog.content import Change, changes_between
from data_connections.catalog.reference import Reference
from data_connections.errors import ConfigurationError
from data_connections.ledger.database import Ledger, LedgerConnection

Table = Literal["program", "event_type", "partner"]

_LOCK = b"select pg_advisory_xact_lock(hashtext('data_connections.reference'))"


@dataclass(frozen=True)
class ReferenceStep:
    """What happens to one row of reference data; ``changes`` is empty where nothing does."""

    table: Table
    row: Mapping[str, Any]
    is_new: bool
    changes: tuple[Change, ...]

    @property
    def subject(self) -> str:
        """Its name for people, such as ``event type 2001 (Online sale)``."""
        return f"{self.table.replace('_', ' ')} {self.row['id']} ({self.row['name']})"

    @property
    def action(self) -> Literal["create", "change", "keep"]:
        """What happens."""
        if self.is_new:
            return "create"
        return "change" if self.changes else "keep"

    def as_json(self) -> dict[str, Any]:
        """Return the step for ``--json``."""
        changes = [change.as_json() for change in self.changes]
        return {"table": self.table, "id": self.row["id"], "action": self.action, "changes": changes}


def apply_reference(ledger: Ledger, reference: Reference, who: str, *, dry_run: bool = False) -> list[ReferenceStep]:
    """Add and change programs, event types and partners, all or none; what YAML does not name stays as it is.

    Args:
        ledger: The ledger.
        reference: What YAML says.
        who: Who does it, for the activity log.
        dry_run: Only say what would be done.

    Raises:
        ConfigurationError: An event type would move to another program, or a key or code has another id.
    """
    with ledger.connect() as connection:
        connection.execute(_LOCK)
        steps = [_step(connection, table, row) for table, row in _rows(reference)]
        if not dry_run:
            for step in steps:
                _write(connection, step, who)
        return steps


def list_reference(ledger: Ledger) -> dict[str, list[DictRow]]:
    """Return all ``programs`` (each with its ``event_types``) and ``partners``, by id."""
    with ledger.connect() as connection:
        programs = connection.execute(b"select * from program order by id").fetchall()
        event_types = connection.execute(b"select * from event_type order by id").fetchall()
        partners = connection.execute(b"select * from partner order by id").fetchall()
    for program in programs:
        program["event_types"] = [each for each in event_types if each["program_id"] == program["id"]]
    return {"programs": programs, "partners": partners}


def program_keys(ledger: Ledger) -> frozenset[str]:
    """Return the keys of all programs."""
    return frozenset(row["key"] for row in ledger.all("select key from program"))


def _rows(reference: Reference) -> Iterator[tuple[Table, dict[str, Any]]]:
    for program in reference.programs:
        yield "program", program.model_dump(exclude={"event_types"})
        for event_type in program.event_types:
            yield "event_type", {**event_type.model_dump(), "program_id": program.id}
    for partner in reference.partners:
        yield "partner", partner.model_dump()


def _step(connection: LedgerConnection, table: Table, row: dict[str, Any]) -> ReferenceStep:
    old = connection.execute(f"select * from {table} where id = %(id)s".encode(), row).fetchone()
    if old and old.get("program_id") != row.get("program_id"):
        raise ConfigurationError(
            f"Event type {row['id']} belongs to program {old['program_id']} and cannot move to {row['program_id']}: "
            "its actions stay where they are. Give the other program an event type with an id of its own."
        )
    _check_free(connection, table, row)
    return ReferenceStep(table, row, old is None, changes_between(old or {}, row))


def _check_free(connection: LedgerConnection, table: Table, row: dict[str, Any]) -> None:
    if table == "partner":
        return
    query, name = (
        (b"select id from program where key = %(key)s and id <> %(id)s", f"key {row.get('key')!r}")
        if table == "program"
        else (
            b"select id from event_type where program_id = %(program_id)s and code = %(code)s and id <> %(id)s",
            f"code {row.get('code')!r}",
        )
    )
    other = connection.execute(query, row).fetchone()
    if other:
        raise ConfigurationError(
            f"The {name} belongs to the {table.replace('_', ' ')} {other['id']} already, and not to {row['id']}."
        )


def _write(connection: LedgerConnection, step: ReferenceStep, who: str) -> None:
    if step.action == "keep":
        return
    columns = list(step.row)
    values = ", ".join(f"%({column})s" for column in columns)
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns if column != "id")
    connection.execute(
        f"""insert into {step.table} ({", ".join(columns)}) values ({values})
            on conflict (id) do update set {updates}""".encode(),
        dict(step.row),
    )
    activity.record(
        connection,
        who,
        f"{step.table}.{'created' if step.is_new else 'changed'}",
        step.subject,
        details={"changes": [change.as_json() for change in step.changes]},
    )
