"""What needs somebody: late or failed connections, held files, incidents that are open."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from data_connections.ledger.database import LedgerConnection

_MINE = "(%(visible)s::bigint[] is null or c.id = any(%(visible)s))"
_FAILING = f"""
select c.name, l.reason, coalesce(l.finished_at, l.started_at) as at from connection c
join lateral (select state, reason, started_at, finished_at from connection_run where connection_id = c.id
              order by started_at desc, id desc limit 1) l on l.state = 'failed'
where c.deleted_at is null and {_MINE} order by 3 desc limit 100
"""
_HELD = f"""
select s.id, c.name, s.file_name, s.message, s.received_at from submission s join connection c on c.id = s.connection_id
where s.state = 'on_hold' and {_MINE} order by s.id desc limit 100
"""
_UNSENT = f"""
select d.id, c.name, d.file_name, d.business_date, d.created_at
from delivery d join connection c on c.id = d.connection_id
where d.state = 'on_hold' and {_MINE} order by d.id desc limit 100
"""
_STUCK = f"""
select s.id, c.name, s.file_name, s.state, s.claimed_at from submission s join connection c on c.id = s.connection_id
where s.state in ('claimed', 'fetched', 'validated') and s.claimed_at < now() - interval '1 hour' and {_MINE}
order by s.id desc limit 100
"""
_REFUSED = f"""
select c.name, c.refusal from connection c where c.deleted_at is null and c.refusal is not null and {_MINE}
order by c.name limit 100
"""
_INCIDENTS = f"""
select c.name, split_part(i.kind, ': ', 1) as kind, i.runs, i.text, i.opened_at, i.channel_trouble from incident i
left join connection c on c.id = i.connection_id
where i.closed_at is null and {_MINE} order by i.id desc limit 100
"""

_ENDPOINTS = f"""
select c.name, l.address, l.message, l.since, l.looked_at
from endpoint_look l join connection c on c.id = l.connection_id
where not l.works and c.deleted_at is null and {_MINE} order by l.since desc limit 100
"""


def health(connection: LedgerConnection, visible: Collection[int] | None) -> dict[str, list[dict[str, Any]]]:
    """Return what needs somebody, in seven queries, by their names."""
    bound = {"visible": None if visible is None else list(visible)}
    queries = {
        "failing": _FAILING,
        "held": _HELD,
        "unsent": _UNSENT,
        "stuck": _STUCK,
        "refused": _REFUSED,
        "incidents": _INCIDENTS,
        "endpoints": _ENDPOINTS,
    }
    return {name: connection.execute(query.encode(), bound).fetchall() for name, query in queries.items()}
