"""The list of connections: each with its setup status, its last run and where its files are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from psycopg.rows import DictRow
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from data_connections.ledger.database import LedgerConnection
from data_connections.queries.filters import PAGE_SIZE, Day, Direction, Size, Text, left_out

SORTS = {
    "name": "name",
    "program": "program",
    "data_type": "data_type",
    "direction": "direction",
    "method": "method",
    "owner": "coalesce(nullif(owner, ''), connected_by)",
    "status": "state",
    "last_active": "last_active",
    "next_run": "case when not paused then next_run end",
}
SETUPS = ("active", "initializing", "error")
STATUSES = ("none", "in_progress", "completed", "failed")

_LISTED = """
select c.id, c.name, coalesce(nullif(v.spec ->> 'display_name', ''), c.name) as title, c.managed_by, c.revision,
       c.built_revision, c.refusal, c.updated_at, c.deleted_at, v.created_by as connected_by,
       v.spec ->> 'program' as program, v.spec ->> 'data_type' as data_type, v.spec ->> 'direction' as direction,
       v.spec ->> 'method' as method, v.spec ->> 'methodology' as methodology, v.spec ->> 'schedule' as schedule,
       v.spec ->> 'time_zone' as time_zone, v.spec ->> 'owner' as owner, v.spec ->> 'credentials' as credentials,
       v.spec ->> 'credentials' is null as hosted, v.spec #>> '{details,host}' as host,
       v.spec #>> '{details,folder}' as folder,
       case when c.refusal is not null then 'error'
            when c.built_revision is null then 'initializing' else 'active' end as setup,
       coalesce(l.state, 'none') as state, l.reason, l.dag_run_id, l.files, l.rows, l.accepted, l.rejected,
       coalesce(l.finished_at, l.started_at) as last_active
from connection c
join connection_revision v on v.connection_id = c.id and v.number = c.revision
left join lateral (
    select state, reason, dag_run_id, files, rows, accepted, rejected, started_at, finished_at from connection_run
    where connection_id = c.id order by started_at desc, id desc limit 1
) l on true
where c.name = any(%(visible)s)
"""
_FITS = """
(%(program)s::text is null or program = %(program)s) and (%(data_type)s::text is null or data_type = %(data_type)s)
and (%(direction)s::text is null or direction = %(direction)s) and (%(method)s::text is null or method = %(method)s)
and (%(status)s::text is null or state = %(status)s) and (%(setup)s::text is null or setup = %(setup)s)
and (%(owner)s::text is null or coalesce(nullif(owner, ''), connected_by) = %(owner)s)
and (%(active_since)s::date is null or last_active >= %(active_since)s)
and (%(active_until)s::date is null or last_active < %(active_until)s::date + 1)
and (%(next_run)s::text is null
     or case when paused then 'paused' when next_run is null then 'none' else 'scheduled' end = %(next_run)s)
and (%(search)s::text is null
     or position(lower(%(search)s) in lower(concat_ws(' ', name, title, host, credentials))) > 0)
and deleted_at is null
"""
_CHOICES = """
select array_agg(distinct v.spec ->> 'program') as program, array_agg(distinct v.spec ->> 'data_type') as data_type,
       array_agg(distinct v.spec ->> 'method') as method,
       array_agg(distinct coalesce(nullif(v.spec ->> 'owner', ''), v.created_by)) as owner
from connection c join connection_revision v on v.connection_id = c.id and v.number = c.revision
where c.name = any(%(visible)s) and c.deleted_at is null
"""


_FILE_CHOICES = """
select array_agg(distinct v.spec ->> 'program') as program, array_agg(distinct v.spec ->> 'data_type') as data_type
from connection c join connection_revision v on v.connection_id = c.id and v.number = c.revision
where v.spec ->> 'direction' = %(direction)s and (%(visible)s::bigint[] is null or c.id = any(%(visible)s))
"""


class ConnectionFilter(BaseModel):
    """What the list of connections shows, and in which order."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    program: Text = Field(default=None, description="Only this program.")
    data_type: Text = Field(default=None, description="Only this data type or report.")
    direction: Direction = Field(default=None, description="Only inbound or outbound.")
    method: Text = Field(default=None, description="Only this method.")
    status: Annotated[Literal["none", "in_progress", "completed", "failed"] | None, BeforeValidator(left_out)] = Field(
        default=None, description="Only this last processing status."
    )
    setup: Annotated[Literal["active", "initializing", "error"] | None, BeforeValidator(left_out)] = Field(
        default=None, description="Only this setup status."
    )
    owner: Text = Field(default=None, description="Only those of this owner, or connected by them where none is named.")
    active_since: Day = Field(default=None, description="Only those active on this day or later, UTC.")
    active_until: Day = Field(default=None, description="Only those last active on this day or before, UTC.")
    next_run: Annotated[Literal["scheduled", "paused", "none"] | None, BeforeValidator(left_out)] = Field(
        default=None, description="Only those with a next run, those that are paused, or those with neither."
    )
    search: Text = Field(default=None, description="Part of the name, the host or the credentials.")
    sort: Annotated[
        Literal["name", "program", "data_type", "direction", "method", "owner", "status", "last_active", "next_run"],
        BeforeValidator(lambda value: left_out(value) or "name"),
    ] = Field(default="name", description="What the lines are ordered by.")
    descending: bool = Field(default=False, description="The other way round.")
    page: int = Field(default=1, ge=1, le=100_000, description="Page, from 1.")
    size: Size = Field(default=PAGE_SIZE, description="Lines on a page.")


@dataclass(frozen=True)
class ConnectionPage:
    """One page of the list.

    Attributes:
        lines: The connections of this page.
        total: How many fit, on all pages.
        choices: What there is to filter by: programs, data types, methods, owners.
    """

    lines: list[DictRow]
    total: int
    choices: dict[str, list[str]]


@dataclass(frozen=True)
class NextRun:
    """What Airflow's scheduler is to do with a connection.

    Attributes:
        paused: Whether the schedule rests.
        next_run: When the next run may begin, in UTC; None where nothing is scheduled.
    """

    paused: bool
    next_run: datetime | None


def list_connections(
    connection: LedgerConnection,
    visible: Collection[str],
    wanted: ConnectionFilter,
    next_runs: Mapping[str, NextRun] | None = None,
) -> ConnectionPage:
    """Return one page of the connections named in ``visible`` that fit, in two queries.

    Args:
        connection: The ledger.
        visible: Names of the connections that may be seen.
        wanted: Filters, order and page.
        next_runs: What the scheduler is to do, by name; needed where ``asks_for_next_run(wanted)``.
    """
    known = next_runs or {}
    order = f"{SORTS[wanted.sort]} {'desc' if wanted.descending else 'asc'} nulls last, name"
    query = f"""select listed.*, count(*) over () as total from ({_LISTED}) listed
                left join unnest(%(dags)s::text[], %(paused)s::bool[], %(next_runs)s::timestamptz[])
                    as dag (dag_id, paused, next_run) on dag_id = name
                where {_FITS}
                order by {order} limit %(size)s offset %(offset)s"""
    bound = {**wanted.model_dump(), "visible": list(visible), "offset": (wanted.page - 1) * wanted.size}
    bound |= {"dags": list(known), "paused": [each.paused for each in known.values()]}
    bound["next_runs"] = [each.next_run for each in known.values()]
    lines = connection.execute(query.encode(), bound).fetchall()
    choices = connection.execute(_CHOICES.encode(), {"visible": list(visible)}).fetchone() or {}
    total = lines[0]["total"] if lines else 0
    return ConnectionPage(lines, total, {name: sorted(values or ()) for name, values in choices.items()})


def asks_for_next_run(wanted: ConnectionFilter) -> bool:
    """Whether the next run decides which lines are shown, or in which order."""
    return wanted.next_run is not None or wanted.sort == "next_run"


def file_choices(connection: LedgerConnection, visible: Collection[int] | None, direction: str) -> dict[str, list[str]]:
    """Return what files can be filtered by: programs and data types of visible connections, deleted ones too."""
    bound = {"visible": None if visible is None else list(visible), "direction": direction}
    found = connection.execute(_FILE_CHOICES.encode(), bound).fetchone() or {}
    return {name: sorted(values or ()) for name, values in found.items()}


def line_of(connection: LedgerConnection, name: str) -> dict[str, Any] | None:
    """Return the line of one connection, of a deleted one too; None where there is none."""
    return connection.execute(_LISTED.encode(), {"visible": [name]}).fetchone()


def all_names(connection: LedgerConnection) -> dict[str, int]:
    """Return the id of every connection by its name, of deleted ones too: their history stays."""
    return {row["name"]: row["id"] for row in connection.execute("select id, name from connection").fetchall()}
