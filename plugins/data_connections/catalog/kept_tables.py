"""The ledger tables of data types whose rows are kept as their folder says: what they should be, and what it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from data_connections.data_types import DataType
from data_connections.errors import ConfigurationError
from data_connections.ledger.database import LedgerConnection

REPORTS_ROLE = "connections_reports"
_NAME_LENGTH = 63
_WIDER = {("bigint", "numeric"), ("bigint", "text"), ("numeric", "text"), ("boolean", "text")}
"""Changes of a column's type that lose nothing."""


@dataclass(frozen=True)
class Index:
    """An index of a table: its name, its columns, and whether no two rows may agree in them."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False

    def statement(self, table: str) -> str:
        """Return the statement that makes it; empty cells of a key are equal to each other."""
        columns = ", ".join(map(quoted, self.columns))
        kind, nulls = ("unique index", " nulls not distinct") if self.unique else ("index", "")
        return f"create {kind} {quoted(self.name)} on {quoted(table)} ({columns}){nulls}"


@dataclass(frozen=True)
class TableChange:
    """What it takes to make a table fit its folder; both are empty where it fits.

    Attributes:
        statements: SQL, in order.
        notes: What is left as it is, as sentences.
    """

    statements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def table_change(connection: LedgerConnection, data_type: DataType) -> TableChange:
    """Compare the table of a data type with its folder; nothing is changed.

    Raises:
        ConfigurationError: The table is somebody else's, or the change would lose or reinterpret values.
    """
    table = data_type.table
    if table is None:
        return TableChange()
    found = _columns(connection, table)
    if not found:
        return TableChange(tuple(_creation(connection, table, data_type)))
    _refuse_foreign(connection, table, data_type)
    wanted = wanted_columns(data_type)
    statements = [
        *_column_changes(table, found, wanted, data_type.name),
        *_index_changes(connection, table, data_type),
    ]
    left = [name for name in found if name not in wanted]
    notes = [f"{name} is no longer in the folder: the column stays in {table}, and is not written." for name in left]
    return TableChange(tuple(statements), tuple(notes))


def wanted_columns(data_type: DataType) -> dict[str, str]:
    """Return name and type of each column that the table of a data type has."""
    own = [column for column in data_type.columns if not column.carried]
    return {
        "program_id": "bigint not null",
        "dataset": "text not null",
        **{column.field: column.sql_type for column in own},
        "extra": "jsonb",
        "received_at": "timestamp with time zone not null",
        "submission_id": "bigint not null",
        "line": "bigint not null",
    }


def key_index(data_type: DataType) -> Index:
    """Return the index that tells the rows of a data type apart."""
    assert data_type.keep is not None  # noqa: S101 - only data types with a table have one
    key = tuple(data_type.column(name).field for name in data_type.keep.key)
    columns = ("program_id", "dataset", *key) if key else ("submission_id", "line")
    return Index(f"{data_type.table}_key", columns, unique=True)


def quoted(name: str) -> str:
    """Return an identifier as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def _indexes(data_type: DataType) -> Iterator[Index]:
    yield key_index(data_type)
    assert data_type.keep is not None  # noqa: S101 - as above
    for columns in data_type.keep.indexes:
        fields = tuple(data_type.column(name).field for name in columns)
        yield Index(f"{data_type.table}_by_{'_'.join(fields)}"[:_NAME_LENGTH], fields)


def _creation(connection: LedgerConnection, table: str, data_type: DataType) -> Iterator[str]:
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in wanted_columns(data_type).items())
    yield f"create table {quoted(table)} ({columns})"
    yield from (index.statement(table) for index in _indexes(data_type))
    role = connection.execute("select from pg_roles where rolname = %s", [REPORTS_ROLE]).fetchone()
    if role is not None:
        yield f"grant select on {quoted(table)} to {REPORTS_ROLE}"


def _columns(connection: LedgerConnection, table: str) -> dict[str, str]:
    rows = connection.execute(
        """
        select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
        where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
        """,
        [quoted(table)],
    ).fetchall()
    return {row["name"]: row["type"] for row in rows}


def _refuse_foreign(connection: LedgerConnection, table: str, data_type: DataType) -> None:
    row = connection.execute("select name from data_type where table_name = %s", [table]).fetchone()
    if row is None or row["name"] != data_type.name:
        owner = f"the data type {row['name']}" if row else "Connections itself"
        raise ConfigurationError(
            f"The table {table} belongs to {owner}. Give {data_type.name} another one (`keep.table`).",
            field="keep.table",
        )


def _column_changes(table: str, found: Mapping[str, str], wanted: Mapping[str, str], data_type: str) -> Iterator[str]:
    for name, kind in wanted.items():
        bare = _SPELLED.get(kind, kind.removesuffix(" not null"))
        if name not in found:
            yield f"alter table {quoted(table)} add column {quoted(name)} {bare}"
        elif found[name] != bare:
            if (found[name], bare) not in _WIDER:
                raise ConfigurationError(
                    f"The data type {data_type} now keeps {name} as {bare}, its table has {found[name]}: that could "
                    "lose values. Give the column a new name; the old one stays in the table."
                )
            yield f"alter table {quoted(table)} alter column {quoted(name)} type {bare}"


_SPELLED = {"timestamptz": "timestamp with time zone"}


def _index_changes(connection: LedgerConnection, table: str, data_type: DataType) -> Iterator[str]:
    found = _found_indexes(connection, table)
    for index in _indexes(data_type):
        if found.get(index.name) != index.columns:
            if index.name in found:
                yield f"drop index {quoted(index.name)}"
            yield index.statement(table)


def _found_indexes(connection: LedgerConnection, table: str) -> dict[str, tuple[str, ...]]:
    rows: Sequence[Mapping[str, object]] = connection.execute(
        """
        select c.relname as name, array_agg(a.attname::text order by k.position) as columns
        from pg_index i join pg_class c on c.oid = i.indexrelid
        cross join unnest(i.indkey) with ordinality as k (number, position)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
        where i.indrelid = to_regclass(%s) group by c.relname
        """,
        [quoted(table)],
    ).fetchall()
    return {str(row["name"]): tuple(row["columns"]) for row in rows}  # type: ignore[arg-type]  # a text array
