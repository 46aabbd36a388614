"""Claims: sightings that became submissions, each once, and the leases by which runs work on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.sightings import SeenFile

LEASE = timedelta(minutes=30)
"""How long a run that has gone silent keeps its claims; a run that is known to have ended loses them at once."""


@dataclass(frozen=True)
class Claim:
    """A file to claim, and what a marker or manifest says of it."""

    file: SeenFile
    vouched: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Leases:
    """What a run got.

    Attributes:
        ids: The submissions, in claim order.
        new: How many of them are this run's alone: no run had them before.
        more: Claimed submissions that no run has yet.
    """

    ids: list[int]
    new: int
    more: int


_CLAIM = """
    with file as (
        select * from unnest(
            %(paths)s::text[], %(names)s::text[], %(sizes)s::bigint[], %(mtimes)s::timestamptz[], %(senders)s::text[],
            %(received)s::timestamptz[], %(vouched)s::jsonb[]) with ordinality
            as listed(path, name, size, mtime, sender, received_at, vouched, place)
    ), seen as (
        insert into sighting (connection_id, path, name, size, mtime, sender, decision, reason)
        select %(connection)s, path, name, size, mtime, sender, 'claimed', null from file
        on conflict (connection_id, path, size, mtime) do update
        set last_seen_at = now(), decision = 'claimed', reason = null
        returning id, path, size, mtime
    )
    insert into submission (connection_id, revision, number, data_type, file_name, received_at, origin, state, size,
                            sighting_id, vouched)
    select %(connection)s, %(revision)s, last.number + row_number() over (order by file.place), %(data_type)s,
           file.name, file.received_at, 'endpoint', 'claimed', file.size, seen.id, file.vouched
    from file join seen using (path, size, mtime)
    cross join (select coalesce(max(number), 0) as number from submission where connection_id = %(connection)s) as last
    where not exists (select from submission known where known.sighting_id = seen.id)
"""


def claim_all(
    connection: LedgerConnection, connection_id: int, claims: Sequence[Claim], *, revision: int, data_type: str
) -> int:
    """Make a submission of each file that has none, numbered in the order given, and return how many there were.

    The connection's row is locked until the transaction ends, so that whoever claims at the same time comes after it
    and finds nothing left. ``claims`` holds no file twice.
    """
    if not claims:
        return 0
    connection.execute("select from connection where id = %s for no key update", [connection_id])
    files, now = [claim.file for claim in claims], datetime.now(UTC)
    return connection.execute(
        _CLAIM.encode(),
        {
            "connection": connection_id,
            "revision": revision,
            "data_type": data_type,
            "paths": [file.path for file in files],
            "names": [file.name for file in files],
            "sizes": [file.size for file in files],
            "mtimes": [file.mtime for file in files],
            "senders": [file.sender for file in files],
            "received": [min(file.mtime, now) for file in files],
            "vouched": [Jsonb(dict(claim.vouched)) if claim.vouched else None for claim in claims],
        },
    ).rowcount


_LEFT_OPEN = """
    s.connection_id = %(connection)s and s.acknowledged_at is null and s.state <> 'on_hold'
    and (s.origin = 'endpoint' or s.finished_at is null)
"""
_WAITS_FOR_A_RUN = "s.run_id is null and s.origin = 'endpoint'"
_TO_BE_DONE = f"""
    {_LEFT_OPEN} and (s.run_id = %(run)s or s.leased_until < now() or r.finished_at is not null
                      or ({_WAITS_FOR_A_RUN}))
"""


@dataclass(frozen=True)
class WorkLeft:
    """What was claimed before and has not come to its end.

    Attributes:
        by_runs: Whether a run left something behind.
        by_nobody: Whether something waits for its first run.
    """

    by_runs: bool
    by_nobody: bool


def work_left(connection: LedgerConnection, connection_id: int, run_id: int) -> WorkLeft:
    """Return whether ``take_leases`` would give this run submissions that were claimed before."""
    row = connection.execute(
        f"""
        select coalesce(bool_or(not waits), false) as by_runs, coalesce(bool_or(waits), false) as by_nobody
        from (
            select {_WAITS_FOR_A_RUN} as waits
            from submission s left join connection_run r on r.id = s.run_id where {_TO_BE_DONE}
        ) as left_open
        """.encode(),
        {"connection": connection_id, "run": run_id},
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always gives one row
    return WorkLeft(row["by_runs"], row["by_nobody"])


_TAKE = f"""
    with fresh as (
        select s.id from submission s where {_LEFT_OPEN} and {_WAITS_FOR_A_RUN}
        order by s.turn, s.number
        limit greatest(0, %(most)s - (select count(*) from submission own
                                      where own.run_id = %(run)s and own.origin = 'endpoint'))
    ), open as (
        select s.id, s.origin = 'endpoint' and coalesce(s.run_id = %(run)s, true) as is_new
        from submission s left join connection_run r on r.id = s.run_id
        where {_TO_BE_DONE} and (s.run_id is not null or s.origin <> 'endpoint' or s.id in (select id from fresh))
        for update of s
    )
    update submission s
    set run_id = %(run)s, leased_by = 'run ' || %(run)s::text, leased_until = now() + %(lease)s
    from open where s.id = open.id
    returning s.id, s.turn, s.number, open.is_new
"""


def take_leases(connection: LedgerConnection, connection_id: int, run_id: int, *, most: int) -> Leases:
    """Lease to a run what is its own or was left by one that died, and ``most`` submissions that no run had yet.

    Left are submissions from endpoints that are not finished, or finished and not acknowledged, whose run has ended
    or whose lease ran out; and manual ones that are not finished, when their lease ran out. Those on hold wait for a
    person.
    """
    connection.execute("select from connection where id = %s for no key update", [connection_id])
    rows = connection.execute(
        _TAKE.encode(), {"connection": connection_id, "run": run_id, "lease": LEASE, "most": most}
    ).fetchall()
    waiting = connection.execute(
        f"select count(*) as more from submission s where {_LEFT_OPEN} and {_WAITS_FOR_A_RUN}".encode(),
        {"connection": connection_id},
    ).fetchone()
    assert waiting is not None  # noqa: S101 - an aggregate always gives one row
    rows.sort(key=lambda row: (row["turn"], row["number"]))
    return Leases([row["id"] for row in rows], sum(row["is_new"] for row in rows), waiting["more"])


def lease(connection: LedgerConnection, submission_id: int) -> None:
    """Keep a submission for whoever works on it; the next run takes it up when the lease runs out."""
    connection.execute("update submission set leased_until = now() + %s where id = %s", [LEASE, submission_id])


def renew_lease(connection: LedgerConnection, submission_id: int) -> None:
    """Keep a claim for another while, at the beginning of a step."""
    connection.execute(
        "update submission set leased_until = now() + %s where id = %s and leased_until is not null",
        [LEASE, submission_id],
    )
