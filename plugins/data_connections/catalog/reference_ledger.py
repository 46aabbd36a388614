"""Reference data in the ledger: programs, partners and contracts, brought to what YAML says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from psycopg.rows import DictRow

from data_connections.catalog import activity
from data_connections.catalog.content import Change, changes_between
from data_connections.catalog.reference import Reference
from data_connections.catalog.reference_rows import TABLES, Row, Table, rows_of
from data_connections.errors import ConfigurationError
from data_connections.ledger.database import Ledger, LedgerConnection

_LOCK = b"select pg_advisory_xact_lock(hashtext('data_connections.reference'))"
_DONE = {"create": "created", "change": "changed", "remove": "replaced"}
_ORDER = {"contract_term": "starts, id", "bonus_tier": "threshold"}
"""Tables whose rows are replaced and never changed, with the order in which they are shown."""


@dataclass(frozen=True)
class ReferenceStep:
    """What happens to one entry of reference data; ``changes`` is empty where nothing does."""

    table: Table
    row: Mapping[str, Any]
    action: Literal["create", "change", "remove", "keep"]
    changes: tuple[Change, ...]

    @property
    def subject(self) -> str:
        """Its name for people, such as ``event type 2001 (Online sale)``."""
        return f"{self.table.title} {self.table.called.format(**self.row)}"

    def as_json(self) -> dict[str, Any]:
        """Return the step for ``--json``."""
        changes = [change.as_json() for change in self.changes]
        names = {"table": self.table.name, "id": self.row.get("id"), "subject": self.subject}
        return {**names, "action": self.action, "changes": changes}


def apply_reference(ledger: Ledger, reference: Reference, who: str, *, dry_run: bool = False) -> list[ReferenceStep]:
    """Add and change entries, all or none; what YAML does not name stays as it is, but for the terms of a contract.

    Terms are never changed: another rate is a new term beside the old one, which actions that were priced with it
    keep. A term that its contract no longer names holds for no new action. The tiers of a bonus are kept likewise.

    Args:
        ledger: The ledger.
        reference: What YAML says.
        who: Who does it, for the activity log.
        dry_run: Only say what would be done.

    Raises:
        ConfigurationError: An entry would move, names another that does not exist, or what is unique exists twice.
    """
    with ledger.connect() as connection:
        connection.execute(_LOCK)
        programs = connection.execute(b"select key, id from program").fetchall()
        known = {program["key"]: program["id"] for program in programs}
        steps = []
        for table, row in rows_of(reference, known):
            steps.append(_step(connection, table, row))
            _write(connection, steps[-1], who)
        for step in (*_removed_terms(connection, reference), *_removed_tiers(connection, reference)):
            steps.append(step)
            _write(connection, step, who)
        if dry_run:
            connection.rollback()
        return steps


def list_reference(ledger: Ledger) -> dict[str, list[DictRow]]:
    """Return ``programs``, ``partners`` and ``contracts`` by id, each with what belongs to it inside."""
    with ledger.connect() as connection:
        found = {
            name: connection.execute(
                f"select * from {name} {'where replaced_at is null' if name in _ORDER else ''} "
                f"order by {_ORDER.get(name, 'id')}".encode()
            ).fetchall()
            for name in TABLES
        }
    _nest(found, "event_type", "event_type_id", reason_codes="reason_code")
    _nest(found, "program", "program_id", event_types="event_type")
    _nest(found, "partner", "partner_id", media="media", promo_codes="promo_code")
    _nest(found, "bonus", "bonus_id", tiers="bonus_tier")
    _nest(found, "contract", "contract_id", terms="contract_term", bonuses="bonus")
    return {"programs": found["program"], "partners": found["partner"], "contracts": found["contract"]}


def _nest(found: Mapping[str, list[DictRow]], outer: str, key: str, **inner: str) -> None:
    for entry in found[outer]:
        for name, table in inner.items():
            entry[name] = [each for each in found[table] if each[key] == entry["id"]]


def program_keys(ledger: Ledger) -> frozenset[str]:
    """Return the keys of all programs."""
    return frozenset(row["key"] for row in ledger.all("select key from program"))


def _step(connection: LedgerConnection, table: Table, row: Row) -> ReferenceStep:
    old = connection.execute(f"select * from {table.name} where {table.key}".encode(), row).fetchone()
    _check_place(table, old, row)
    _check_references(connection, table, row)
    _check_free(connection, table, row, old)
    if old is None:
        return ReferenceStep(table, row, "create", changes_between({}, row))
    changes = changes_between({name: _plain(old[name]) for name in row}, row)
    return ReferenceStep(table, row, "change" if changes else "keep", changes)


def _check_place(table: Table, old: DictRow | None, row: Row) -> None:
    moved = old and table.name in ("event_type", "contract") and old["program_id"] != row["program_id"]
    if old and table.name == "bonus" and old["contract_id"] != row["contract_id"]:
        raise ConfigurationError(
            f"Bonus {row['id']} belongs to contract {old['contract_id']} and cannot move to {row['contract_id']}. "
            "Give the other contract one with an id of its own."
        )
    if old and moved:
        raise ConfigurationError(
            f"{table.title.capitalize()} {row['id']} belongs to program {old['program_id']} and cannot move to "
            f"{row['program_id']}: its actions stay where they are. Give the other program one with an id of its own."
        )


def _check_references(connection: LedgerConnection, table: Table, row: Row) -> None:
    for column, other in table.refers.items():
        number = row[column]
        if number is None or connection.execute(f"select id from {other} where id = %s".encode(), [number]).fetchone():
            continue
        raise ConfigurationError(
            f"The {table.title} {table.called.format(**row)} names the {TABLES[other].title} {number}, and there is "
            "none of that number."
        )
    if table.name == "contract_term":
        _check_program(connection, row, "term", row["event_type_id"])
    for event_type_id in row.get("event_type_ids", ()):
        _check_program(connection, row, "bonus", event_type_id)


def _check_program(connection: LedgerConnection, row: Row, what: str, event_type_id: int) -> None:
    query = b"select e.id from event_type e join contract c using (program_id) where e.id = %s and c.id = %s"
    if not connection.execute(query, [event_type_id, row["contract_id"]]).fetchone():
        raise ConfigurationError(
            f"The contract {row['contract_id']} has a {what} for the event type {event_type_id}, which is not "
            "one of its program."
        )


def _check_free(connection: LedgerConnection, table: Table, row: Row, old: DictRow | None) -> None:
    if table.unique is None:
        return
    condition, name = table.unique
    query = f"select id from {table.name} where {condition} and id <> %(id)s"
    other = connection.execute(query.encode(), row).fetchone()
    if other:
        raise ConfigurationError(
            f"The {name.format(**row)} belongs to the {table.title} {other['id']} already, and not to {row['id']}."
        )


def _removed_terms(connection: LedgerConnection, reference: Reference) -> Iterator[ReferenceStep]:
    table = TABLES["contract_term"]
    for contract in reference.contracts:
        kept = {(term.event_type, (term.category or "").lower(), term.currency, term.starts) for term in contract.terms}
        query = b"select * from contract_term where contract_id = %s and replaced_at is null order by id"
        for old in connection.execute(query, [contract.id]).fetchall():
            if (old["event_type_id"], (old["category"] or "").lower(), old["currency"], old["starts"]) not in kept:
                row = {name: _plain(value) for name, value in old.items()}
                yield ReferenceStep(table, row, "remove", ())


def _removed_tiers(connection: LedgerConnection, reference: Reference) -> Iterator[ReferenceStep]:
    table = TABLES["bonus_tier"]
    for bonus in (bonus for contract in reference.contracts for bonus in contract.bonuses):
        query = b"select * from bonus_tier where bonus_id = %s and threshold <> all(%s) and replaced_at is null"
        kept = [tier.threshold for tier in bonus.tiers]
        for old in connection.execute(query, [bonus.id, kept]).fetchall():
            yield ReferenceStep(table, {name: _plain(value) for name, value in old.items()}, "remove", ())


def _write(connection: LedgerConnection, step: ReferenceStep, who: str) -> None:
    if step.action == "keep":
        return
    name, row = step.table.name, dict(step.row)
    is_kept = name in _ORDER
    if is_kept and step.action != "create":
        connection.execute(f"update {name} set replaced_at = now() where {step.table.key}".encode(), row)
    if step.action == "create" or (is_kept and step.action == "change"):
        values = ", ".join(f"%({column})s" for column in row)
        connection.execute(f"insert into {name} ({', '.join(row)}) values ({values})".encode(), row)
    elif step.action == "change":
        updates = ", ".join(f"{column} = %({column})s" for column in row)
        connection.execute(f"update {name} set {updates} where {step.table.key}".encode(), row)
    changes = [change.as_json() for change in step.changes]
    activity.record(connection, who, f"{name}.{_DONE[step.action]}", step.subject, details={"changes": changes})


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value.isoformat() if isinstance(value, date) else value
