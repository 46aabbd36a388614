"""What of the ledger and the landing area is old enough to go, and what never goes.

Submissions, deliveries, hashes, business keys and totals stay for ever: by them a file or an order is known again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.rows import class_row

from data_connections.ledger.database import LedgerConnection

# Final, given back to the partner where it came from one, and nothing of it waits for anything.
_DONE_WITH = """
    s.state in ('applied', 'partly_applied', 'quarantined', 'duplicate', 'tested')
    and s.finished_at < %(before)s
    and (s.acknowledged_at is not null or s.origin <> 'endpoint' or s.parcel_id is not null)
    and not exists (select from held_row h where h.submission_id = s.id)
"""
_ORIGINALS = f"""
select s.id, s.landing_key, s.message_key, s.size from submission s where s.landing_key is not null and {_DONE_WITH}
"""
_SENT = """
select f.delivery_id, f.number, f.landing_key, f.content_key, f.size
from delivery_file f join delivery d on d.id = f.delivery_id
where f.deleted_at is null and d.state in ('delivered', 'failed', 'tested')
    and greatest(d.created_at, d.intended_at, d.delivered_at) < %(before)s
"""
HISTORY = {
    "outcomes": f"delete from outcome o using submission s where s.id = o.submission_id and {_DONE_WITH}",
    "files not taken": "delete from sighting where decision <> 'claimed' and last_seen_at < %(before)s",
    "incidents": "delete from incident where closed_at < %(before)s",
    "expected days": "delete from expected_files where settled_at < %(before)s",
}
"""What belongs to the history of files and runs, by what people call it."""
ACTIVITY = "delete from activity where at < %(before)s"


@dataclass(frozen=True)
class ReleasedFile:
    """A kept file that the ledger has let go of, and that is to be deleted where nothing else refers to it.

    Attributes:
        key: Where it lies in the landing area.
        kind: Whether it came in or went out.
        size: Bytes.
    """

    key: str
    kind: Literal["originals", "sent"]
    size: int


def release_originals(connection: LedgerConnection, before: datetime) -> None:
    """Forget where originals lie whose submissions were done with before an instant, and note them as released."""
    rows = connection.execute(
        f"""
        with old as ({_ORIGINALS} for update of s skip locked)
        update submission s set landing_key = null, message_key = null from old where s.id = old.id
        returning old.landing_key, old.message_key, coalesce(old.size, 0) as size
        """.encode(),
        {"before": before},
    ).fetchall()
    messages = [(row["message_key"], 0) for row in rows if row["message_key"]]
    _note_released(connection, "originals", [*((row["landing_key"], row["size"]) for row in rows), *messages])


def release_sent(connection: LedgerConnection, before: datetime) -> None:
    """Note that the files of deliveries that ended before an instant are deleted, and as released."""
    rows = connection.execute(
        f"""
        with old as ({_SENT} for update of f skip locked)
        update delivery_file f set deleted_at = now() from old
        where f.delivery_id = old.delivery_id and f.number = old.number
        returning old.landing_key, old.content_key, coalesce(old.size, 0) as size
        """.encode(),
        {"before": before},
    ).fetchall()
    contents = [(row["content_key"], 0) for row in rows if row["content_key"]]
    _note_released(connection, "sent", [*((row["landing_key"], row["size"]) for row in rows), *contents])


def _note_released(connection: LedgerConnection, kind: str, files: Sequence[tuple[str, int]]) -> None:
    connection.execute(
        """
        insert into released_file (key, kind, size)
        select distinct on (key) key, %s, size from unnest(%s::text[], %s::bigint[]) as file (key, size)
        on conflict do nothing
        """,
        [kind, [key for key, _ in files], [size for _, size in files]],
    )


def released(connection: LedgerConnection) -> list[ReleasedFile]:
    """Return what was released and not deleted yet, by this clean-up or by earlier ones that did not come so far."""
    with connection.cursor(row_factory=class_row(ReleasedFile)) as cursor:
        return cursor.execute("select key, kind, size from released_file order by key").fetchall()


def settle_released(connection: LedgerConnection, keys: Collection[str]) -> None:
    """Note that released files are gone, or are referred to again."""
    connection.execute("delete from released_file where key = any(%s)", [list(keys)])


def unused(connection: LedgerConnection, keys: Sequence[str]) -> list[str]:
    """Return those keys that no submission and no delivery refers to any more."""
    rows = connection.execute(
        """
        select key from unnest(%s::text[]) as key
        where not exists (select from submission where landing_key = key)
          and not exists (select from submission where message_key = key)
          and not exists (select from delivery_file where landing_key = key and deleted_at is null)
          and not exists (select from delivery_file where content_key = key and deleted_at is null)
        """,
        [list(keys)],
    ).fetchall()
    return [row["key"] for row in rows]


def delete(connection: LedgerConnection, statement: str, before: datetime) -> int:
    """Run one of the statements of this module; return how many rows went."""
    return connection.execute(statement.encode(), {"before": before}).rowcount
