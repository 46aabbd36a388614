"""How rows are applied whose folder says how they are kept: appended, or written and replaced by key."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from psycopg import sql

from data_connections.applying import kept_queries as queries
from data_connections.applying.extras import extra_object
from data_connections.applying.rules import Application, Effect, Hold, Rules
from data_connections.applying.statements import Statements
from data_connections.applying.sums import merged
from data_connections.catalog.data_type_versions import must_fit
from data_connections.catalog.kept_tables import key_index
from data_connections.data_types import Column, DataType, Keep
from data_connections.errors import ConfigurationError
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import Sum


def rules_of(data_type: DataType, keep: Keep) -> Rules:
    """Return the rules of a data type that are all in its folder."""
    by_key = keep.how != "append"
    return Rules(
        family=f"rows of {data_type.table}",
        strict_order=by_key,
        decide=decide,
        write=write,
        effect=effect,
        hold=hold if by_key else None,
    )


def decide(connection: LedgerConnection, application: Application) -> list[Sum]:
    """Find rows of other programs, rows whose key comes again further down, and removals of what is not there.

    Raises:
        ConfigurationError: The program is not known, or the table is not yet what the folder says.
    """
    must_fit(connection, application.data_type)
    run = KeptStatements(connection, application)
    if run.keep.program and application.has(run.keep.program):
        run(queries.REJECT_OTHER_PROGRAMS)
    if run.keep.key:
        run(queries.MARK_REPEATED)
    if not run.keep.key and run.any(queries.COPIES):
        run(queries.MARK_KNOWN)
    if run.keep.key and run.is_replay:
        run(queries.MARK_SUPERSEDED)
    if run.removes:
        run(queries.MARK_NOTHING_TO_REMOVE)
    return []


def hold(connection: LedgerConnection, application: Application) -> Hold | None:
    """Return why a file that would take many rows away has to be approved, if it has to."""
    run = KeptStatements(connection, application)
    if not run.removes and not run.is_whole_set:
        return None
    [found] = run(queries.GOING_OF_FULL if run.is_whole_set else queries.GOING_OF_DELTA)
    own = application.dataset.most_removed
    most = run.keep.most_removed if own is None else own
    if found["going"] <= most * found["kept"]:
        return None
    return Hold(
        "ROWS_VANISH",
        f"The file would take away {found['going']:,} of the {found['kept']:,} rows that are kept; above "
        f"{most:.0%} somebody has to approve it.",
    )


def effect(connection: LedgerConnection, application: Application) -> list[Effect]:
    """Return how many rows would be written, by currency, and how many would be taken away."""
    run = KeptStatements(connection, application)
    effects = [Effect(**row) for row in run(queries.WRITTEN)]
    if run.removes or run.is_whole_set:
        [found] = run(queries.GOING_OF_FULL if run.is_whole_set else queries.GOING_OF_DELTA)
        effects += [Effect("REMOVED", None, -found["going"], Decimal(0))] if found["going"] else []
    return effects


def write(connection: LedgerConnection, application: Application) -> list[Sum]:
    """Write, remove and sweep, and return what was written, by currency."""
    run = KeptStatements(connection, application)
    sums = run(queries.REMOVE) if run.removes else []
    sums += run(queries.WRITE)
    if run.is_whole_set:
        run(queries.SWEEP)
    return merged(sums)


class KeptStatements(Statements):
    """Statements about kept rows, with table, columns and scope of one application filled in."""

    def __init__(self, connection: LedgerConnection, application: Application) -> None:
        keep = application.data_type.keep
        assert keep is not None  # noqa: S101 - other data types have rules of their own
        self._application = application
        self.keep = keep
        self.removes = bool(keep.removal and application.has(keep.removal.column))
        self.is_whole_set = keep.how == "replace" and application.dataset.form == "full"
        self._key = [application.data_type.column(name) for name in keep.key]
        super().__init__(
            connection,
            {
                "rows": application.attempt.rows,
                "table": sql.Identifier(str(application.data_type.table)),
                "submission": sql.Literal(application.submission_id),
                "received_at": sql.Literal(application.received_at),
                "dataset": sql.Literal(application.dataset.name),
                "program_key": sql.Literal(application.program),
            },
        )
        self._fill_scope()
        self.is_replay = self.any(queries.IS_REPLAY)
        self.fill(copies=queries.COPIES)
        self.fill(may_go="t.received_at <= {received_at}" if self.is_replay else "true")
        self.put(**dict(self._column_parts()))
        self.put(**dict(self._key_parts()) if self._key else {})
        self.put(on_conflict=self._on_conflict() if self._key else sql.SQL(""))

    def _fill_scope(self) -> None:
        program = self(queries.PROGRAM)
        if not program:
            raise ConfigurationError(f"There is no program {self._application.program!r}: connections reference apply.")
        number, active = program[0]["id"], program[0]["active"]
        self.put(program=sql.Literal(number), active_program=sql.Literal(number if active else 0))
        self.fill(in_scope="t.program_id = {program} and t.dataset = {dataset}", open=queries.OPEN)

    def _column_parts(self) -> Iterator[tuple[str, sql.Composable]]:
        application, keep = self._application, self.keep
        own = [column for column in application.data_type.columns if not column.carried]
        yield "fields", sql.SQL("").join(sql.SQL("{}, ").format(sql.Identifier(column.field)) for column in own)
        yield "values", sql.SQL("").join(sql.SQL("{}, ").format(application.field(column.name)) for column in own)
        carried = [column.name for column in application.data_type.columns if column.carried]
        yield "extra", extra_object(application, carried)
        if keep.program:
            yield "program_name", sql.Literal(keep.program)
            yield "program_field", application.field(keep.program)
        yield "is_removal", self._is_removal()
        money = application.data_type.measures.amounts
        yield "currency", sql.SQL("s.measured_currency" if money else "null::text")
        quantity = application.data_type.measures.quantity
        yield "quantity", application.field(quantity) if quantity else sql.SQL("0")
        yield "kept_quantity", self._kept([quantity] if quantity else [])
        yield "kept_amount", self._kept(application.data_type.measures.amounts)

    def _is_removal(self) -> sql.Composable:
        removal = self.keep.removal
        if removal is None or not self.removes:
            return sql.SQL("false")
        return sql.SQL("coalesce(lower({}) = {}, false)").format(
            self._application.field(removal.column), sql.Literal(removal.value.lower())
        )

    def _kept(self, terms: tuple[str, ...] | list[str]) -> sql.Composable:
        """Return the first of some terms that has a value in the kept row; a term is a column or a product."""
        data_type = self._application.data_type
        products = [
            sql.SQL(" * ").join(sql.SQL("t.{}").format(sql.Identifier(data_type.column(part).field)) for part in parts)
            for parts in (term.split("*") for term in terms)
            if all(self._application.has(part) for part in parts)
        ]
        return sql.SQL("coalesce({}, 0)").format(sql.SQL(", ").join(products)) if products else sql.SQL("0")

    def _key_parts(self) -> Iterator[tuple[str, sql.Composable]]:
        yield "key", sql.SQL(", ").join(self._application.field(column.name) for column in self._key)
        yield "key_name", sql.Literal(self._key[-1].name)
        yield "key_names", sql.Literal(" and ".join(column.name for column in self._key))
        yield "same_key", sql.SQL(" and ").join(map(self._same, self._key))

    def _same(self, column: Column) -> sql.Composable:
        form = "t.{} = {}" if column.required else "t.{} is not distinct from {}"
        return sql.SQL(form).format(sql.Identifier(column.field), self._application.field(column.name))

    def _on_conflict(self) -> sql.Composable:
        """Return what a row does to the one with its key: a whole set replaces it, else only the file's columns do."""
        data_type, application = self._application.data_type, self._application
        keys = set(self.keep.key)
        written = [
            column
            for column in data_type.columns
            if not column.carried and column.name not in keys and (self.is_whole_set or application.has(column.name))
        ]
        assignments = [self._assignment(column.field, merged=column.type == "json") for column in written]
        assignments += [self._assignment(name) for name in ("received_at", "submission_id", "line")]
        assignments.append(self._assignment("extra", merged=True))
        index = sql.SQL(", ").join(map(sql.Identifier, key_index(data_type).columns))
        return sql.SQL(queries.ON_CONFLICT).format(index=index, assignments=sql.SQL(", ").join(assignments))

    def _assignment(self, name: str, *, merged: bool = False) -> sql.Composable:
        """Return how a column takes its new value; an object keeps what the new one does not have."""
        form = "{0} = excluded.{0}"
        if merged and not self.is_whole_set:
            form = "{0} = coalesce(t.{0} || excluded.{0}, excluded.{0}, t.{0})"
        return sql.SQL(form).format(sql.Identifier(name))
