"""The versions of data types that the ledger knows: what a changed folder changes, in words and in its table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import errors
from psycopg.types.json import Jsonb

from data_connections.catalog import activity
from data_connections.catalog.content import Change, changes_between
from data_connections.catalog.kept_tables import TableChange, table_change
from data_connections.data_types import DataType
from data_connections.errors import ConfigurationError
from data_connections.ledger.database import Ledger, LedgerConnection

_LOCK = b"select pg_advisory_xact_lock(hashtext('data_connections.data_types'))"
_LISTS = {"columns": "name"}


@dataclass(frozen=True)
class DataTypeStep:
    """What happens to one data type when its folder is applied.

    Attributes:
        data_type: As its folder is now.
        before: The version that the ledger has; None for a new one.
        changes: Fields of the folder that differ.
        table: What happens to its table.
    """

    data_type: DataType
    before: str | None
    changes: tuple[Change, ...]
    table: TableChange

    @property
    def action(self) -> Literal["create", "change", "keep"]:
        """What happens."""
        if self.before is None:
            return "create"
        return "keep" if self.before == self.data_type.version and not self.table.statements else "change"

    def as_json(self) -> dict[str, Any]:
        """Return the step for ``--json``."""
        return {
            "data_type": self.data_type.name,
            "action": self.action,
            "version_before": self.before,
            "version": self.data_type.version,
            "changes": [change.as_json() for change in self.changes],
            "table": self.data_type.table,
            "statements": list(self.table.statements),
            "notes": list(self.table.notes),
        }


def apply_data_types(
    ledger: Ledger, data_types: Iterable[DataType], who: str, *, dry_run: bool = False
) -> list[DataTypeStep]:
    """Bring the ledger's tables to what the folders say, all or none, and record their versions.

    Args:
        ledger: The ledger.
        data_types: As their folders are now.
        who: Who does it, for the activity log.
        dry_run: Only say what would be done.

    Raises:
        ConfigurationError: A table would lose values, is somebody else's, or holds rows that a new key cannot tell
            apart.
    """
    wanted = list(data_types)
    _refuse_shared_tables(wanted)
    with ledger.connect() as connection:
        connection.execute(_LOCK)
        steps = [_step(connection, data_type) for data_type in wanted]
        if not dry_run:
            for step in steps:
                _write(connection, step, who)
        return steps


def record_version(connection: LedgerConnection, data_type: DataType) -> None:
    """Keep the content of a data type's version, which submissions refer to; one that is known is left alone."""
    connection.execute(
        """
        insert into data_type_version (name, version, content) values (%s, %s, %s)
        on conflict (name, version) do nothing
        """,
        [data_type.name, data_type.version, Jsonb(_content(data_type))],
    )


def must_fit(connection: LedgerConnection, data_type: DataType) -> None:
    """Make sure that the table of a data type is what its folder says.

    Raises:
        ConfigurationError: It is not; the message says what to run.
    """
    if table_change(connection, data_type).statements:
        raise ConfigurationError(
            f"The folder of the data type {data_type.name} has changed, and its table {data_type.table} has not yet. "
            "`connections data-types apply --dry-run` shows the change, `connections data-types apply` makes it."
        )


def _refuse_shared_tables(data_types: Iterable[DataType]) -> None:
    owners: dict[str, str] = {}
    for data_type in data_types:
        if data_type.table is None:
            continue
        owner = owners.setdefault(data_type.table, data_type.name)
        if owner != data_type.name:
            raise ConfigurationError(
                f"The data types {owner} and {data_type.name} both keep their rows in the table {data_type.table}. "
                "Give one of them another `keep.table`."
            )


def _step(connection: LedgerConnection, data_type: DataType) -> DataTypeStep:
    row = connection.execute(
        """
        select t.version, v.content from data_type t
        left join data_type_version v on v.name = t.name and v.version = t.version where t.name = %s
        """,
        [data_type.name],
    ).fetchone()
    before = row["version"] if row else None
    changes: tuple[Change, ...] = ()
    if row and row["content"] is not None and before != data_type.version:
        changes = changes_between(_comparable(row["content"]), _comparable(_content(data_type)))
    return DataTypeStep(data_type, before, changes, table_change(connection, data_type))


def _write(connection: LedgerConnection, step: DataTypeStep, who: str) -> None:
    if step.action == "keep":
        return
    for statement in step.table.statements:
        try:
            connection.execute(statement.encode())
        except errors.UniqueViolation as several:
            raise ConfigurationError(
                f"The table {step.data_type.table} holds rows that the key of {step.data_type.name} does not tell "
                f"apart: {several.diag.message_detail or several}"
            ) from several
    record_version(connection, step.data_type)
    connection.execute(
        """
        insert into data_type (name, table_name, version) values (%(name)s, %(table)s, %(version)s)
        on conflict (name) do update
        set table_name = excluded.table_name, version = excluded.version, changed_at = now()
        """,
        {"name": step.data_type.name, "table": step.data_type.table, "version": step.data_type.version},
    )
    what = "data_type.created" if step.before is None else "data_type.changed"
    activity.record(connection, who, what, f"data type {step.data_type.name}", details=step.as_json())


def _content(data_type: DataType) -> dict[str, Any]:
    content: dict[str, Any] = data_type.model_dump(mode="json", exclude_defaults=True, exclude={"version"})
    return content


def _comparable(content: dict[str, Any]) -> dict[str, Any]:
    """Return a content in which a column is found by its name, so that a new one does not move all others."""
    named = {key: {each[name]: each for each in content[key]} for key, name in _LISTS.items() if key in content}
    return {**content, **named}
