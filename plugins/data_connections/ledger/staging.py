"""Staging: the validated rows of one attempt in UNLOGGED tables, and the seal that says what they must be."""

from __future__ import annotations

import io
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv

from data_connections.errors import SealBroken
from data_connections.ledger.database import LedgerConnection

OUTCOMES = ("accepted", "rejected", "duplicate", "held")
"""Names of the outcomes; staging keeps their positions."""

LINE = "line"
OUTCOME = "outcome"
AMOUNT = "measured_amount"
CURRENCY = "measured_currency"
_UTC_TIME = pa.timestamp("us", tz="UTC")
_ALWAYS = {LINE: "bigint", OUTCOME: "smallint", AMOUNT: "numeric", CURRENCY: "text"}

_FINDING_TYPES = {
    "line": "bigint",
    "number": "integer",
    "severity": "text",
    "code": "text",
    "column_name": "text",
    "message": "text",
}


@dataclass(frozen=True)
class Sum:
    """Rows, pieces and money of one outcome in one currency; the last two are exact decimals as text."""

    outcome: str
    currency: str
    rows: int
    quantity: str
    amount: str


@dataclass(frozen=True)
class Seal:
    """What the staged rows of an attempt add up to.

    Attributes:
        sums: By outcome and currency.
        findings: Rows of the findings table.
        hash: Of all rows and findings, whatever their order.
    """

    sums: tuple[Sum, ...]
    findings: int
    hash: str

    def as_json(self) -> dict[str, Any]:
        """Return the seal as the ledger keeps it; ``from_json`` reads it back."""
        return {"sums": [asdict(each) for each in self.sums], "findings": self.findings, "hash": self.hash}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Seal:
        """Return the seal that ``as_json`` wrote."""
        return cls(tuple(Sum(**each) for each in value["sums"]), value["findings"], value["hash"])

    def rows(self, outcome: str | None = None) -> int:
        """Return how many rows have an outcome; all rows when None."""
        return sum(each.rows for each in self.sums if outcome in (None, each.outcome))

    def amounts(self, outcome: str) -> dict[str, Decimal]:
        """Return the money of an outcome by currency."""
        return {each.currency: Decimal(each.amount) for each in self.sums if each.outcome == outcome}


class Attempt:
    """The two staging tables of one attempt to stage a submission.

    Args:
        name: As the submission keeps it; ``new_name`` makes one.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows = sql.Identifier("staging", f"rows_{name}")
        self.findings = sql.Identifier("staging", f"findings_{name}")

    @staticmethod
    def new_name(submission_id: int) -> str:
        """Return a name that no other attempt has."""
        return f"{submission_id}_{secrets.token_hex(8)}"

    def create(self, connection: LedgerConnection, columns: Mapping[str, str]) -> None:
        """Create both tables; ``columns`` are the PostgreSQL types of the file's columns by name."""
        _create(connection, self.rows, _ALWAYS | dict(columns))
        _create(connection, self.findings, _FINDING_TYPES)

    def add_rows(self, connection: LedgerConnection, rows: pa.Table) -> None:
        """Copy a block of rows; its columns are those of the table, in any order, or some of them."""
        _copy(connection, self.rows, rows)

    def add_findings(self, connection: LedgerConnection, findings: Sequence[tuple[Any, ...]]) -> None:
        """Copy findings: line, number within the line, severity, code, column, message."""
        if findings:
            columns = list(zip(*findings, strict=True))
            types = (pa.int64(), pa.int64(), *[pa.string()] * 4)
            arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
            _copy(connection, self.findings, pa.table(arrays, names=list(_FINDING_TYPES)))

    def analyze(self, connection: LedgerConnection) -> None:
        """Tell the planner what is in the tables."""
        for table in (self.rows, self.findings):
            connection.execute(sql.SQL("analyze {}").format(table))

    def currencies(self, connection: LedgerConnection, first: int, last: int) -> list[str]:
        """Return the currency of each staged row from the line ``first`` to ``last``, by line."""
        query = sql.SQL("select {} as currency from {} where line between {} and {} order by line").format(
            sql.Identifier(CURRENCY), self.rows, sql.Literal(first), sql.Literal(last)
        )
        return [row["currency"] for row in connection.execute(query)]

    def drop(self, connection: LedgerConnection) -> None:
        """Remove both tables, if they are there."""
        connection.execute(sql.SQL("drop table if exists {}, {}").format(self.rows, self.findings))

    def _gone(self) -> SealBroken:
        return SealBroken(f"The staged rows of attempt {self.name} are gone; they are staged again.")

    def columns(self, connection: LedgerConnection) -> frozenset[str]:
        """Return the names of the columns of the rows table.

        Raises:
            SealBroken: The tables are not there.
        """
        try:
            with connection.transaction():
                found = connection.execute(sql.SQL("select * from {} limit 0").format(self.rows))
        except psycopg.errors.UndefinedTable as missing:
            raise self._gone() from missing
        return frozenset(column.name for column in found.description or ())

    def measure(self, connection: LedgerConnection, quantity: str | None) -> Seal:
        """Add up what is staged now.

        Args:
            connection: The ledger.
            quantity: Column with the number of pieces; one that the file does not have counts as 0.

        Raises:
            SealBroken: The tables are not there.
        """
        pieces = sql.Identifier(quantity) if quantity in self.columns(connection) and quantity else sql.SQL("0")
        try:
            with connection.transaction():
                rows = connection.execute(_MEASURE_ROWS.format(quantity=pieces, rows=self.rows)).fetchall()
                findings = connection.execute(_MEASURE_FINDINGS.format(findings=self.findings)).fetchone()
        except psycopg.errors.UndefinedTable as missing:
            raise self._gone() from missing
        assert findings is not None  # noqa: S101 - an aggregate always gives one row
        sums = tuple(
            Sum(OUTCOMES[row["outcome"]], row["currency"], row["rows"], str(row["quantity"]), str(row["amount"]))
            for row in rows
        )
        total = sum((row["hash"] for row in rows), findings["hash"])
        return Seal(sums, findings["findings"], str(total))


def drop_attempts(connection: LedgerConnection, submission_id: int, keep: str | None = None) -> None:
    """Remove the staging tables of every attempt of a submission but ``keep``; those being written are not seen."""
    found = connection.execute(
        """
        select distinct substring(tablename from position('_' in tablename) + 1) as attempt from pg_tables
        where schemaname = 'staging' and (starts_with(tablename, %s) or starts_with(tablename, %s))
        """,
        [f"rows_{submission_id}_", f"findings_{submission_id}_"],
    ).fetchall()
    for row in found:
        if row["attempt"] != keep:
            Attempt(row["attempt"]).drop(connection)


def drop_orphans(connection: LedgerConnection) -> int:
    """Remove staging tables of submissions that do not exist, such as after a restore; return how many."""
    found = connection.execute(
        r"""
        select t.tablename from pg_tables t
        where t.schemaname = 'staging' and t.tablename ~ '^(rows|findings)_\d+_[0-9a-f]+$'
          and not exists (select from submission s where s.id = split_part(t.tablename, '_', 2)::bigint)
        """
    ).fetchall()
    for row in found:
        connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier("staging", row["tablename"])))
    return len(found)


_MEASURE_ROWS = sql.SQL("""
    select outcome, coalesce(measured_currency, '') as currency, count(*) as rows,
           coalesce(sum({quantity}), 0)::numeric as quantity, coalesce(sum(measured_amount), 0) as amount,
           sum(hash_record_extended(staged, 0)) as hash
    from {rows} as staged group by 1, 2 order by 1, 2
""")
_MEASURE_FINDINGS = sql.SQL("""
    select count(*) as findings, coalesce(sum(hash_record_extended(staged, 0)), 0) as hash from {findings} as staged
""")


def _create(connection: LedgerConnection, table: sql.Identifier, columns: Mapping[str, str]) -> None:
    described = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items()
    )
    connection.execute(sql.SQL("create unlogged table {} ({})").format(table, described))


def _copy(connection: LedgerConnection, table: sql.Identifier, rows: pa.Table) -> None:
    """COPY a table as CSV, where Arrow writes null as nothing and an empty text as two quotes."""
    buffer = io.BytesIO()
    csv.write_csv(_without_zones(rows), buffer, csv.WriteOptions(include_header=False))
    names = sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(table, names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(buffer.getbuffer())


def _without_zones(rows: pa.Table) -> pa.Table:
    """Return times in UTC as the session, whose zone is UTC, takes them: Arrow writes them six times as fast."""
    plain = [
        pa.field(field.name, pa.timestamp("us") if field.type == _UTC_TIME else field.type) for field in rows.schema
    ]
    return rows.cast(pa.schema(plain))
