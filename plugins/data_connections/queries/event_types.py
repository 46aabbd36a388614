"""Event types of programs: when their actions lock, which reason codes they know, how their returns come."""

from __future__ import annotations

from collections.abc import Collection

from psycopg.rows import DictRow

from data_connections.ledger.database import LedgerConnection

_SELECT = """
select t.id, t.code, t.name, t.active, t.duplicate_window_days, t.late_after_days, t.locking_after, t.locking_months,
       t.locking_days, t.parent_id, p.id as program_id, p.key as program, p.name as program_name, p.time_zone,
       (select name from event_type where id = t.parent_id) as parent,
       c.id as returns_connection_id, c.name as returns_connection, c.deleted_at as returns_deleted_at,
       v.spec ->> 'method' as returns_method, v.spec ->> 'methodology' as returns_methodology,
       v.spec ->> 'credentials' as returns_credentials, v.spec #>> '{details,host}' as returns_host,
       v.spec #>> '{details,folder}' as returns_folder, v.spec #>> '{details,file_pattern}' as returns_pattern
from event_type t
join program p on p.id = t.program_id
left join connection c on c.id = t.returns_connection_id
     and (%(visible)s::bigint[] is null or c.id = any(%(visible)s))
left join connection_revision v on v.connection_id = c.id and v.number = c.revision
where p.key in (
    select r.spec ->> 'program' from connection o
    join connection_revision r on r.connection_id = o.id and r.number = o.revision
    where %(visible)s::bigint[] is null or o.id = any(%(visible)s))
"""


def list_event_types(connection: LedgerConnection, visible: Collection[int] | None) -> list[DictRow]:
    """Return the event types of programs that have connections which may be seen, by program and number."""
    return connection.execute(f"{_SELECT} order by p.name, t.id".encode(), _bound(visible)).fetchall()


def event_type(connection: LedgerConnection, visible: Collection[int] | None, number: int) -> DictRow | None:
    """Return one event type with its own ``reason_codes``; None where there is none, or none to be seen."""
    found = connection.execute(
        f"{_SELECT} and t.id = %(number)s".encode(), {**_bound(visible), "number": number}
    ).fetchone()
    if found is not None:
        found["reason_codes"] = connection.execute(
            "select code, effect, name, active from reason_code where event_type_id = %s order by code", [number]
        ).fetchall()
    return found


def takers_of_returns(connection: LedgerConnection, visible: Collection[int] | None, program: str) -> list[DictRow]:
    """Return the connections of a program that take action modifications and may be seen, by name."""
    return connection.execute(
        """
        select c.id, c.name, c.managed_by, v.spec ->> 'method' as method, v.spec ->> 'methodology' as methodology
        from connection c join connection_revision v on v.connection_id = c.id and v.number = c.revision
        where c.deleted_at is null and v.spec ->> 'program' = %(program)s
          and v.spec ->> 'data_type' = 'action_modifications' and v.spec ->> 'direction' = 'inbound'
          and (%(visible)s::bigint[] is null or c.id = any(%(visible)s))
        order by c.name
        """,
        {**_bound(visible), "program": program},
    ).fetchall()


def set_returns_connection(connection: LedgerConnection, number: int, connection_id: int | None) -> None:
    """Say which connection takes the returns of an event type; None for none."""
    connection.execute("update event_type set returns_connection_id = %s where id = %s", [connection_id, number])


def _bound(visible: Collection[int] | None) -> dict[str, list[int] | None]:
    return {"visible": None if visible is None else list(visible)}
