"""Sightings: files seen at endpoints, and what was decided about each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from data_connections.ledger.database import LedgerConnection


class SeenFile(Protocol):
    """A file as its endpoint lists it; ``endpoints.RemoteFile`` is one."""

    @property
    def path(self) -> str:
        """Where it lies."""

    @property
    def name(self) -> str:
        """The last part of the path."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def mtime(self) -> datetime:
        """When it was last written, UTC."""

    @property
    def sender(self) -> str | None:
        """Who sent it, where it came in a mail."""


def record(connection: LedgerConnection, connection_id: int, file: SeenFile, decision: str, reason: str | None) -> int:
    """Remember that a file was seen and what was decided about it; return the sighting's id.

    Args:
        connection: The ledger.
        connection_id: Whose endpoint it was seen at.
        file: The file; path, size and mtime tell sightings apart.
        decision: ``waiting``, ``ignored`` or ``claimed``; a claim is never taken back.
        reason: Why it was not taken.
    """
    row = connection.execute(
        """
        insert into sighting (connection_id, path, name, size, mtime, sender, decision, reason)
        values (%(connection)s, %(path)s, %(name)s, %(size)s, %(mtime)s, %(sender)s, %(decision)s, %(reason)s)
        on conflict (connection_id, path, size, mtime) do update
        set last_seen_at = now(),
            decision = case when sighting.decision = 'claimed' then 'claimed' else excluded.decision end,
            reason = case when sighting.decision = 'claimed' then null else excluded.reason end
        returning id
        """,
        {
            "connection": connection_id,
            "path": file.path,
            "name": file.name,
            "size": file.size,
            "mtime": file.mtime,
            "sender": file.sender,
            "decision": decision,
            "reason": reason,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - an upsert always returns its row
    return int(row["id"])


def record_all(
    connection: LedgerConnection, connection_id: int, notes: Iterable[tuple[SeenFile, str, str | None]]
) -> None:
    """Remember what was decided about many files, each another one, in one statement: file, decision, reason."""
    noted = list(notes)
    if not noted:
        return
    files = [file for file, _, _ in noted]
    connection.execute(
        """
        insert into sighting (connection_id, path, name, size, mtime, sender, decision, reason)
        select %(connection)s, seen.* from unnest(
            %(paths)s::text[], %(names)s::text[], %(sizes)s::bigint[], %(mtimes)s::timestamptz[], %(senders)s::text[],
            %(decisions)s::text[], %(reasons)s::text[]) as seen
        on conflict (connection_id, path, size, mtime) do update
        set last_seen_at = now(),
            decision = case when sighting.decision = 'claimed' then 'claimed' else excluded.decision end,
            reason = case when sighting.decision = 'claimed' then null else excluded.reason end
        """,
        {
            "connection": connection_id,
            "paths": [file.path for file in files],
            "names": [file.name for file in files],
            "sizes": [file.size for file in files],
            "mtimes": [file.mtime for file in files],
            "senders": [file.sender for file in files],
            "decisions": [decision for _, decision, _ in noted],
            "reasons": [reason for _, _, reason in noted],
        },
    )


def open_paths(connection: LedgerConnection, connection_id: int, files: Iterable[SeenFile]) -> set[str]:
    """Return the paths of those files that were not claimed yet; a changed size or time is another sighting."""
    listed = list(files)
    rows = connection.execute(
        """
        select seen.path
        from unnest(%(paths)s::text[], %(sizes)s::bigint[], %(mtimes)s::timestamptz[]) as seen(path, size, mtime)
        left join sighting s on s.connection_id = %(connection)s and s.decision = 'claimed'
             and s.path = seen.path and s.size = seen.size and s.mtime = seen.mtime
        where s.id is null
        """,
        {
            "connection": connection_id,
            "paths": [file.path for file in listed],
            "sizes": [file.size for file in listed],
            "mtimes": [file.mtime for file in listed],
        },
    ).fetchall()
    return {row["path"] for row in rows}


def submission_of(connection: LedgerConnection, sighting_id: int) -> int | None:
    """Return the submission that claimed a sighting, or None."""
    row = connection.execute("select id from submission where sighting_id = %s", [sighting_id]).fetchone()
    return row["id"] if row else None


def file_of(connection: LedgerConnection, submission_id: int) -> dict[str, Any] | None:
    """Return ``path``, ``name``, ``size`` and ``mtime`` of the claimed file; None for a manual submission."""
    return connection.execute(
        """
        select g.path, g.name, g.size, g.mtime from submission s join sighting g on g.id = s.sighting_id
        where s.id = %s
        """,
        [submission_id],
    ).fetchone()
