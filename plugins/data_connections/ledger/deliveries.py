"""Outbound files in the ledger: from the export of a report to its final name at the receiver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from data_connections.errors import ConfigurationError
from data_connections.ledger.database import Ledger, LedgerConnection
from data_connections.ledger.delivery import Delivery

_SELECT = """
select d.id, d.trace_id, d.connection_id, c.name as connection, d.revision, d.run_id, d.report, d.kind, d.business_date,
       d.last_date, d.date_from, d.version, d.state, d.note, d.message, d.file_name, d.size, d.rows, d.totals,
       d.marker_paths, d.created_at, d.checked_at, d.intended_at, d.delivered_at, d.collected_at, d.collected_by,
       d.expired_at, d.approved_by, d.approved_at, d.date_basis,
       (select jsonb_agg(to_jsonb(f) order by f.number)
        from delivery_file f where f.delivery_id = d.id) as files
from delivery d join connection c on c.id = d.connection_id
"""


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
            return Delivery.of(row)
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
    return [Delivery.of(row) for row in ledger.all(query, bound)]


def record_export(connection: LedgerConnection, values: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> int:
    """Record an export with its files and return its number.

    A task that is tried again writes over what it recorded before, as long as that went no further; everything else
    is a new version of its business date.

    Args:
        connection: The ledger; the transaction holds other exports of the same connection back.
        values: connection_id, revision, run_id, report, kind, business_date, last_date, date_from, date_basis, note,
            file_name, size, rows and totals.
        files: file_name, rows, size, sha256 and landing_key of each, in order.
    """
    connection.execute("select from connection where id = %s for update", [values["connection_id"]])
    bound = {**values, "totals": Jsonb(values["totals"])}
    again = connection.execute(_EXPORT_AGAIN, bound).fetchone()
    row = again or connection.execute(_EXPORT, bound).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    connection.execute("delete from delivery_file where delivery_id = %s", [row["id"]])
    connection.cursor().executemany(
        _FILE, [{**file, "delivery_id": row["id"], "number": number} for number, file in enumerate(files, start=1)]
    )
    return int(row["id"])


_EXPORT_AGAIN = """
update delivery
set note = %(note)s, file_name = %(file_name)s, size = %(size)s, rows = %(rows)s, totals = %(totals)s,
    date_from = %(date_from)s, date_basis = %(date_basis)s, created_at = now()
where connection_id = %(connection_id)s and run_id = %(run_id)s and business_date = %(business_date)s
    and state = 'exported'
returning id
"""
_EXPORT = """
insert into delivery (connection_id, revision, run_id, report, kind, business_date, last_date, date_from, date_basis,
                      version, state, note, file_name, size, rows, totals)
select %(connection_id)s, %(revision)s, %(run_id)s, %(report)s, %(kind)s, %(business_date)s, %(last_date)s,
       %(date_from)s, %(date_basis)s, coalesce(max(version), 0) + 1, 'exported', %(note)s, %(file_name)s, %(size)s,
       %(rows)s, %(totals)s
from delivery where connection_id = %(connection_id)s and business_date = %(business_date)s
returning id
"""
_FILE = """
insert into delivery_file (delivery_id, number, file_name, rows, size, sha256, landing_key)
values (%(delivery_id)s, %(number)s, %(file_name)s, %(rows)s, %(size)s, %(sha256)s, %(landing_key)s)
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


def is_sent_whole(connection: LedgerConnection, connection_id: int, business_date: date, over_at: datetime) -> bool:
    """Return whether a report of a business date was sent, or may have been, that was made when its days were over."""
    sent = connection.execute(
        """
        select from delivery where connection_id = %s and business_date = %s and intended_at is not null
            and created_at >= %s limit 1
        """,
        [connection_id, business_date, over_at],
    )
    return bool(sent.fetchall())


def last_day_sent(connection: LedgerConnection, connection_id: int, *, before: date) -> date | None:
    """Return the last day that got through, with deliveries of business dates before ``before``.

    Days that were sent before they were over do not count: what came later is still to be sent.
    """
    row = connection.execute(
        """
        select max(case when note is null then last_date else business_date - 1 end) as day from delivery
        where connection_id = %s and business_date < %s and state = 'delivered'
        """,
        [connection_id, before],
    ).fetchone()
    return row["day"] if row else None


@dataclass(frozen=True)
class Message:
    """The OpenPGP message that is sent in place of a file."""

    landing_key: str
    sha256: str
    size: int
    md5: str


def mark_checked(
    connection: LedgerConnection, delivery_id: int, md5: Mapping[int, str], messages: Mapping[int, Message]
) -> None:
    """Record that the files add up, with the MD5 of each by its number, and the messages that are sent for them."""
    connection.cursor().executemany(
        "update delivery_file set md5 = %s where delivery_id = %s and number = %s",
        [(digest, delivery_id, number) for number, digest in md5.items()],
    )
    connection.execute(
        """
        update delivery set state = 'checked', checked_at = now(), message = null
        where id = %s and state in ('exported', 'failed') and checked_at is null
        """,
        [delivery_id],
    )
    connection.cursor().executemany(
        """
        update delivery_file set content_key = landing_key, landing_key = %(landing_key)s, sha256 = %(sha256)s,
            size = %(size)s, md5 = %(md5)s
        where delivery_id = %(delivery)s and number = %(number)s and content_key is null
        """,
        [{**vars(message), "delivery": delivery_id, "number": number} for number, message in messages.items()],
    )
    if messages:
        connection.execute(
            """
            update delivery set size = (select sum(size) from delivery_file where delivery_id = %(id)s)
            where id = %(id)s
            """,
            {"id": delivery_id},
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
        where run_id = %s and state not in ('delivered', 'failed', 'on_hold', 'tested')
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


def intend(
    connection: LedgerConnection, delivery: Delivery, file_name: str, paths: Mapping[int, str], markers: Sequence[str]
) -> None:
    """Record, before anything can be seen at the receiver, that a delivery is sent under these names.

    Earlier versions of its business date that did not get through are given up.

    Args:
        connection: The ledger.
        delivery: The delivery.
        file_name: The name that the others are made of.
        paths: Path at the receiver of each file, by its number.
        markers: Paths of manifest and ``.fin``.
    """
    connection.execute(
        """
        update delivery
        set state = 'sending', intended_at = coalesce(intended_at, now()), message = null, file_name = %s,
            marker_paths = %s
        where id = %s and state in ('checked', 'sending', 'failed') and checked_at is not null
        """,
        [file_name, list(markers), delivery.id],
    )
    connection.cursor().executemany(
        """
        update delivery_file set remote_path = %(path)s, file_name = regexp_replace(%(path)s, '^.*/', '')
        where delivery_id = %(delivery)s and number = %(number)s
        """,
        [{"path": path, "delivery": delivery.id, "number": number} for number, path in paths.items()],
    )
    connection.execute(
        """
        update delivery set state = 'failed', message = 'Version ' || %(version)s || ' took its place.'
        where connection_id = %(connection)s and business_date = %(day)s and version < %(version)s
            and state in ('exported', 'checked', 'on_hold', 'sending')
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


def mark_tested(connection: LedgerConnection, delivery_id: int, message: str) -> None:
    """Record that a delivery went as far as one goes while its connection is tried out: nothing was sent."""
    connection.execute(
        "update delivery set state = 'tested', message = %s where id = %s and state in ('checked', 'failed')",
        [message, delivery_id],
    )


def earlier_paths(connection: LedgerConnection, delivery: Delivery) -> tuple[list[str], list[str]]:
    """Return what earlier deliveries in this one's place may have left at the receiver: paths of files, and of markers.

    In its place are those of the same connection with the same business date or the same name.
    """
    row = connection.execute(
        """
        with earlier as (
            select id, marker_paths from delivery
            where connection_id = %(connection)s and id <> %(id)s and intended_at is not null
                and (business_date = %(day)s or file_name = %(name)s)
        )
        select array(select distinct remote_path from delivery_file join earlier on earlier.id = delivery_id
                     where remote_path is not null) as files,
               array(select distinct unnest(marker_paths) from earlier) as markers
        """,
        {
            "connection": delivery.connection_id,
            "id": delivery.id,
            "day": delivery.business_date,
            "name": delivery.file_name,
        },
    ).fetchone()
    return (row["files"], row["markers"]) if row else ([], [])
