"""What is expected by a time of day, as the ledger has it: one row a rule and day, and what came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Literal

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from data_connections.ledger.database import LedgerConnection

ExpectedState = Literal["expected", "late", "met", "met_late", "missed"]


@dataclass(frozen=True)
class ExpectedDay:
    """One day's turn of a rule; instants are UTC.

    Attributes:
        rule: The rule in words.
        day: The day, in the rule's time zone.
        business_date: Outbound: of the report.
        opens_at: Files that were received before do not count.
        warn_at: When it is said that nothing is there yet.
        due_at: When the files are late.
        closes_at: When they are missed.
        state: What became of it so far.
        files: How many counted.
        met_at: When the last that was needed came.
        findings: What is not as usual, in sentences.
    """

    id: int
    connection_id: int
    rule: str
    day: date
    business_date: date | None
    opens_at: datetime
    warn_at: datetime | None
    due_at: datetime
    closes_at: datetime
    state: ExpectedState
    files: int
    met_at: datetime | None
    findings: Sequence[str]


# A zip with several files is one file of the partner's; its rows are those of its members.
_FILES = """
select file_name as name, received_at as at, state, size,
       rows + coalesce((select sum(rows) from submission member where member.parcel_id = s.id), 0)::bigint as rows
from submission s
"""
_COLUMNS = ", ".join(field.name for field in fields(ExpectedDay))


@dataclass(frozen=True)
class Came:
    """A file that came in, or a report that went out.

    Attributes:
        name: Its name.
        at: When: UTC.
        state: Of the submission; ``delivered`` for a report.
        size: Bytes; None where nobody knows yet.
        rows: Rows.
    """

    name: str
    at: datetime
    state: str
    size: int | None
    rows: int


def plan(connection: LedgerConnection, connection_id: int, days: Iterable[Mapping[str, Any]]) -> None:
    """Record days that are expected; those that are recorded already stay as they are.

    Args:
        connection: The ledger.
        connection_id: Whose they are.
        days: rule, day, business_date, opens_at, warn_at, due_at and closes_at of each.
    """
    connection.cursor().executemany(
        """
        insert into expected_files (connection_id, rule, day, business_date, opens_at, warn_at, due_at, closes_at)
        values (%(connection_id)s, %(rule)s, %(day)s, %(business_date)s, %(opens_at)s, %(warn_at)s, %(due_at)s,
                %(closes_at)s)
        on conflict do nothing
        """,
        [{**each, "connection_id": connection_id} for each in days],
    )


def last_due(connection: LedgerConnection) -> dict[tuple[int, str], datetime]:
    """Return the newest recorded day of each rule, by connection and rule."""
    rows = connection.execute("select connection_id, rule, max(due_at) as due_at from expected_files group by 1, 2")
    return {(row["connection_id"], row["rule"]): row["due_at"] for row in rows.fetchall()}


def forget(connection: LedgerConnection, kept: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """Delete what is not settled of rules that are no more, and return those rules; what is settled is history."""
    rules = list(kept)
    rows = connection.execute(
        """
        delete from expected_files e where settled_at is null and not exists (
            select from unnest(%(ids)s::bigint[], %(rules)s::text[]) as kept(connection_id, rule)
            where kept.connection_id = e.connection_id and kept.rule = e.rule)
        returning connection_id, rule
        """,
        {"ids": [connection_id for connection_id, _ in rules], "rules": [rule for _, rule in rules]},
    ).fetchall()
    return sorted({(row["connection_id"], row["rule"]) for row in rows})


def unsettled(connection: LedgerConnection, connection_id: int, *, opened_by: datetime) -> list[ExpectedDay]:
    """Return the days of a connection that have opened and are not settled, the earliest first."""
    with connection.cursor(row_factory=class_row(ExpectedDay)) as cursor:
        return cursor.execute(
            f"""
            select {_COLUMNS} from expected_files
            where connection_id = %s and settled_at is null and opens_at <= %s order by due_at, id
            """.encode(),
            [connection_id, opened_by],
        ).fetchall()


def settle(connection: LedgerConnection, day: ExpectedDay, *, final: bool) -> None:
    """Record what became of a day; a final one is not looked at again."""
    connection.execute(
        """
        update expected_files set state = %s, files = %s, met_at = %s, findings = %s,
            settled_at = case when %s then now() end
        where id = %s
        """,
        [day.state, day.files, day.met_at, Jsonb(list(day.findings)), final, day.id],
    )


def files_between(connection: LedgerConnection, connection_id: int, first: datetime, end: datetime) -> list[Came]:
    """Return the files that a connection received from one instant to before another, in that order."""
    with connection.cursor(row_factory=class_row(Came)) as cursor:
        return cursor.execute(
            f"""
            {_FILES} where connection_id = %s and received_at >= %s and received_at < %s
                and parcel_id is null and replays_id is null
            order by received_at, id
            """.encode(),
            [connection_id, first, end],
        ).fetchall()


def files_before(connection: LedgerConnection, connection_id: int, end: datetime, limit: int) -> list[Came]:
    """Return the last files with rows that were applied before an instant, the newest first."""
    with connection.cursor(row_factory=class_row(Came)) as cursor:
        return cursor.execute(
            f"""
            select * from (
                {_FILES} where connection_id = %s and received_at < %s and state in ('applied', 'partly_applied')
                    and parcel_id is null and (rows > 0 or members is not null)
                order by id desc limit %s) as files
            where rows > 0
            """.encode(),
            [connection_id, end, limit],
        ).fetchall()


def report_of(connection: LedgerConnection, connection_id: int, business_date: date, state: str) -> list[Came]:
    """Return when a day's report was first delivered, or collected; nothing where it was not."""
    instant = "delivered_at" if state == "delivered" else "collected_at"
    with connection.cursor(row_factory=class_row(Came)) as cursor:
        return cursor.execute(
            f"""
            select file_name as name, {instant} as at, state, size, rows from delivery
            where connection_id = %s and business_date = %s and {instant} is not null order by {instant} limit 1
            """.encode(),
            [connection_id, business_date],
        ).fetchall()


def reports_before(connection: LedgerConnection, connection_id: int, business_date: date, limit: int) -> list[Came]:
    """Return the last delivered reports with rows of earlier days, the newest first."""
    with connection.cursor(row_factory=class_row(Came)) as cursor:
        return cursor.execute(
            """
            select file_name as name, delivered_at as at, state, size, rows from delivery
            where connection_id = %s and business_date < %s and delivered_at is not null and rows > 0
            order by id desc limit %s
            """,
            [connection_id, business_date, limit],
        ).fetchall()


def seen_not_taken(connection: LedgerConnection, connection_id: int, since: datetime) -> list[tuple[str, str]]:
    """Return names and reasons of files that lie at the endpoint and were not taken, at most three."""
    rows = connection.execute(
        """
        select name, reason from sighting
        where connection_id = %s and decision <> 'claimed' and last_seen_at >= %s order by last_seen_at desc limit 3
        """,
        [connection_id, since],
    ).fetchall()
    return [(row["name"], row["reason"] or "") for row in rows]
