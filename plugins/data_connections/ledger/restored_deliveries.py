"""Deliveries that were sent before the ledger was restored, as the journal of the landing area has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from data_connections.ledger.database import LedgerConnection


def restore(
    connection: LedgerConnection, connection_id: int, revision: int, trace_id: UUID, values: Mapping[str, Any]
) -> int:
    """Have a delivery in the ledger again that was sent before the ledger was restored; return its number.

    Args:
        connection: The ledger.
        connection_id: Whose delivery it is.
        revision: Number of the connection's present revision.
        trace_id: Of the delivery; where the ledger has it, it is only marked as delivered.
        values: report, kind, business_date, last_date, date_from, file_name, size, rows, totals, marker_paths,
            created_at, checked_at, intended_at, ``files``, and date_basis where it was written down.
    """
    known = connection.execute(
        "update delivery set state = 'delivered', message = null, delivered_at = now(), restored_at = now()"
        " where trace_id = %s returning id",
        [trace_id],
    ).fetchone()
    if known:
        return int(known["id"])
    connection.execute("select from connection where id = %s for update", [connection_id])
    bound = {
        "date_basis": None,
        **values,
        "connection_id": connection_id,
        "revision": revision,
        "trace_id": trace_id,
        "totals": Jsonb(values["totals"]),
        "marker_paths": list(values["marker_paths"]),
    }
    row = connection.execute(_RESTORE, bound).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    files = [{**file, "delivery_id": row["id"]} for file in values["files"]]
    connection.cursor().executemany(_RESTORED_FILE, files)
    return int(row["id"])


_RESTORE = """
insert into delivery (trace_id, connection_id, revision, report, kind, business_date, last_date, date_from, date_basis,
                      version, state, note, file_name, size, rows, totals, marker_paths, created_at, checked_at,
                      intended_at, delivered_at, restored_at)
select %(trace_id)s, %(connection_id)s, %(revision)s, %(report)s, %(kind)s, %(business_date)s, %(last_date)s,
       %(date_from)s, %(date_basis)s, coalesce(max(version), 0) + 1, 'delivered',
       'Sent before the ledger was restored.',
       %(file_name)s, %(size)s, %(rows)s, %(totals)s, %(marker_paths)s, %(created_at)s, %(checked_at)s,
       %(intended_at)s, %(intended_at)s, now()
from delivery where connection_id = %(connection_id)s and business_date = %(business_date)s
returning id
"""
_RESTORED_FILE = """
insert into delivery_file (delivery_id, number, file_name, rows, size, sha256, md5, landing_key, remote_path)
values (%(delivery_id)s, %(number)s, %(file_name)s, %(rows)s, %(size)s, %(sha256)s, %(md5)s, %(landing_key)s,
        %(remote_path)s)
"""


def name_restored(connection: LedgerConnection, connection_id: int, business_date: date) -> str | None:
    """Return the file name of a day's delivery that was sent before the ledger was restored; None where none was."""
    row = connection.execute(
        """
        select file_name from delivery
        where connection_id = %s and business_date = %s and restored_at is not null order by version desc limit 1
        """,
        [connection_id, business_date],
    ).fetchone()
    return row["file_name"] if row else None
