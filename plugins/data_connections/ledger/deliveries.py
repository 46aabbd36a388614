"""Outbound files in the ledger: from the export of a report to its final name at the receiver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from data_connections.errors import ConfigurationError
from data_connections.ledger.database import Ledger, LedgerConnection

DeliveryState = Literal["exported", "checked", "sending", "delivered", "failed"]
STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)

_SELECT = """
select d.id, d.trace_id, d.connection_id, c.name as connection, d.revision, d.run_id, d.report, d.business_date,
       d.last_date, d.version, d.state, d.note, d.message, d.file_name, d.size, d.sha256, d.landing_key, d.rows,
       d.totals, d.remote_path, d.created_at, d.checked_at, d.intended_at, d.delivered_at, d.collected_at,
       d.collected_by, d.expired_at
from delivery d join connection c on c.id = d.connection_id
"""


@dataclass(frozen=True)
class Delivery:
    """One outbound file as the ledger has it.

    Attributes:
        id: Number in the ledger.
        trace_id: Identifies it towards the receiver and in temporary names.
        connection_id: Of ``connection``.
        connection: The connection's present name.
        revision: Number of the revision that it was made by.
        run_id: Of ``connection_run``; None outside Airflow.
        report: Name of the report.
        business_date: First day of the report, in the connection's calendar.
        last_date: Last day of the report.
        version: Counts the deliveries of one business date, from 1.
        state: Where it is on its way.
        note: What should be known about the content, such as a day that was not over.
        message: Why it failed, or did not get through so far.
        file_name: Name at the receiver.
        size: Bytes.
        sha256: Hexadecimal hash of the bytes.
        landing_key: Where the bytes are kept.
        rows: Lines without the header.
        totals: What the ledger said that the file has to add up to, by group.
        remote_path: Path at the receiver, known once it is to be sent.
        created_at: When it was exported, in UTC like the following.
        checked_at: When it was found to add up.
        intended_at: When it was first about to be sent.
        delivered_at: When it stood under its final name.
        collected_at: When the partner had fetched it whole from a folder that we host.
        collected_by: The login that did.
        expired_at: When it was deleted there because its time was over.
    """

    id: int
    trace_id: UUID
    connection_id: int
    connection: str
    revision: int
    run_id: int | None
    report: str
    business_date: date
    last_date: date
    version: int
    state: DeliveryState
    note: str | None
    message: str | None
    file_name: str
    size: int
    sha256: str
    landing_key: str
    rows: int
    totals: dict[str, dict[str, str]]
    remote_path: str | None
    created_at: datetime
    checked_at: datetime | None
    intended_at: datetime | None
    delivered_at: datetime | None
    collected_at: datetime | None = None
    collected_by: str | None = None
    expired_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what tasks hand on and show, as small JSON values."""
        return {
            "delivery_id": self.id,
            "state": self.state,
            "connection": self.connection,
            "report": self.report,
            "business_date": self.business_date.isoformat(),
            "last_date": self.last_date.isoformat(),
            "version": self.version,
            "file_name": self.file_name,
            "remote_path": self.remote_path,
            "rows": self.rows,
            "size": self.size,
            "sha256": self.sha256,
            "totals": self.totals,
            "message": self.message or self.note,
        }


def get(connection: LedgerConnection, delivery_id: int) -> Delivery:
    """Return the delivery of that number; ConfigurationError where there is none."""
    return find(connection, str(delivery_id))


def find(connection: LedgerConnection, which: str) -> Delivery:
    """Return the delivery of that number, or of that trace id.

    Raises:
        ConfigurationError: There is none.
    """
    column = "id" if which.isdecimal() else "trace_id"
    with suppress(psycopg.errors.InvalidTextRepresentation, psycopg.errors.NumericValueOutOfRange):
        row = connection.execute(f"{_SELECT} where d.{column} = %s".encode(), [which]).fetchone()
        if row is not None:
            return Delivery(**row)
    raise ConfigurationError(f"There is no delivery {which!r}; `connections deliveries` lists those that there are.")


def recent(
    ledger: Ledger, *, connection: str | None = None, states: Sequence[str] = (), limit: int = 50
) -> list[Delivery]:
    """Return the latest deliveries, newest first, of all connections or of one, in any state or in some."""
    query = f"""{_SELECT}
        where (%(name)s::text is null or c.name = %(name)s)
            and (%(states)s::text[] = '{{}}' or d.state = any(%(states)s))
        order by d.id desc limit %(limit)s"""
    bound = {"name": connection, "states": list(states), "limit": limit}
    return [Delivery(**row) for row in ledger.all(query, bound)]


def record_export(connection: LedgerConnection, values: Mapping[str, Any]) -> int:
    """Record an exported file and return its number.

    A task that is tried again writes over what it recorded before, as long as that went no further; everything else
    is a new version of its business date.

    Args:
        connection: The ledger; the transaction holds other exports of the same connection back.
        values: connection_id, revision, run_id, report, business_date, last_date, note, file_name, size, sha256,
            landing_key, rows and totals.
    """
    connection.execute("select from connection where id = %s for update", [values["connection_id"]])
    bound = {**values, "totals": Jsonb(values["totals"])}
    again = connection.execute(_EXPORT_AGAIN, bound).fetchone()
    row = again or connection.execute(_EXPORT, bound).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row["id"])


_EXPORT_AGAIN = """
update delivery
set note = %(note)s, file_name = %(file_name)s, size = %(size)s, sha256 = %(sha256)s, landing_key = %(landing_key)s,
    rows = %(rows)s, totals = %(totals)s, created_at = now()
where connection_id = %(connection_id)s and run_id = %(run_id)s and business_date = %(business_date)s
    and state = 'exported'
returning id
"""
_EXPORT = """
insert into delivery (connection_id, revision, run_id, report, business_date, last_date, version, state, note,
                      file_name, size, sha256, landing_key, rows, totals)
select %(connection_id)s, %(revision)s, %(run_id)s, %(report)s, %(business_date)s, %(last_date)s,
       coalesce(max(version), 0) + 1, 'exported', %(note)s, %(file_name)s, %(size)s, %(sha256)s, %(landing_key)s,
       %(rows)s, %(totals)s
from delivery where connection_id = %(connection_id)s and business_date = %(business_date)s
returning id
"""


def names_used(connection: LedgerConnection, connection_id: int, business_date: date) -> int:
    """Return how many file names of a business date were sent, or may have been."""
    row = connection.execute(
        """
        select count(distinct file_name) as names from delivery
        where connection_id = %s and business_date = %s and intended_at is not null
        """,
        [connection_id, business_date],
    ).fetchone()
    return int(row["names"]) if row else 0


def mark_checked(connection: LedgerConnection, delivery_id: int) -> None:
    """Record that the file adds up."""
    connection.execute(
        """
        update delivery set state = 'checked', checked_at = now(), message = null
        where id = %s and state in ('exported', 'failed') and checked_at is null
        """,
        [delivery_id],
    )


def mark_failed(connection: LedgerConnection, delivery_id: int, message: str) -> None:
    """Record why a delivery failed; one that was delivered stays so."""
    connection.execute(
        "update delivery set state = 'failed', message = %s where id = %s and state <> 'delivered'",
        [message, delivery_id],
    )


def mark_troubled(connection: LedgerConnection, delivery_id: int, message: str) -> None:
    """Record what kept a delivery from getting through this time; it stays where it is."""
    connection.execute(
        "update delivery set message = %s where id = %s and state <> 'delivered'", [message, delivery_id]
    )


def fail_unsent(connection: LedgerConnection, run_id: int, message: str) -> None:
    """Record that what a run has not delivered failed; where the delivery has a reason of its own, that one stays."""
    connection.execute(
        """
        update delivery set state = 'failed', message = coalesce(message, %s)
        where run_id = %s and state not in ('delivered', 'failed')
        """,
        [message, run_id],
    )


def overtaken_by(connection: LedgerConnection, delivery: Delivery) -> int | None:
    """Return the later version of the same business date that was sent, or may have been; None where there is none."""
    row = connection.execute(
        """
        select max(version) as version from delivery
        where connection_id = %s and business_date = %s and version > %s and intended_at is not null
        """,
        [delivery.connection_id, delivery.business_date, delivery.version],
    ).fetchone()
    return row["version"] if row else None


def intend(connection: LedgerConnection, delivery: Delivery, file_name: str, remote_path: str) -> None:
    """Record, before anything can be seen at the receiver, that a delivery is sent under this name.

    Earlier versions of its business date that did not get through are given up.
    """
    connection.execute(
        """
        update delivery
        set state = 'sending', intended_at = coalesce(intended_at, now()), message = null, file_name = %s,
            remote_path = %s
        where id = %s and state in ('checked', 'sending', 'failed') and checked_at is not null
        """,
        [file_name, remote_path, delivery.id],
    )
    connection.execute(
        """
        update delivery set state = 'failed', message = 'Version ' || %(version)s || ' took its place.'
        where connection_id = %(connection)s and business_date = %(day)s and version < %(version)s
            and state in ('exported', 'checked', 'sending')
        """,
        {"version": delivery.version, "connection": delivery.connection_id, "day": delivery.business_date},
    )


def mark_delivered(connection: LedgerConnection, delivery_id: int) -> None:
    """Record that the file stands under its final name."""
    connection.execute(
        """
        update delivery set state = 'delivered', message = null, delivered_at = now()
        where id = %s and state <> 'delivered'
        """,
        [delivery_id],
    )
