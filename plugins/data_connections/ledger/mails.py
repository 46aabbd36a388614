"""Mails in the ledger: which files of one mail are still to be done, and which refused senders were told."""

from __future__ import annotations

from dataclasses import dataclass

from data_connections.ledger.database import LedgerConnection


@dataclass(frozen=True)
class MailProgress:
    """How far the files of one mail are.

    Attributes:
        is_done: Every file that a connection took from it has its outcome, and none waits to be taken.
        has_failed: One of them was refused whole.
    """

    is_done: bool
    has_failed: bool


def progress(connection: LedgerConnection, connection_id: int, files: str) -> MailProgress:
    """Return how far a connection is with a mail.

    Args:
        connection: The ledger.
        connection_id: The connection.
        files: What the paths of all files in the mail begin with.
    """
    row = connection.execute(
        """
        select coalesce(bool_and(case g.decision when 'claimed' then s.finished_at is not null
                                 else g.decision = 'ignored' end), false) as is_done,
               coalesce(bool_or(s.state = 'quarantined'), false) as has_failed
        from sighting g left join submission s on s.sighting_id = g.id
        where g.connection_id = %s and starts_with(g.path, %s)
        """,
        [connection_id, files],
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always returns its row
    return MailProgress(bool(row["is_done"]), bool(row["has_failed"]))


def refused_senders(connection: LedgerConnection, connection_id: int) -> list[str]:
    """Return the proven senders whose mails were refused and who were never told."""
    rows = connection.execute(
        """
        select distinct g.sender from sighting g
        where g.connection_id = %s and g.reason = 'sender_refused' and g.sender <> ''
          and not exists (select from mail_reply r where r.connection_id = g.connection_id and r.sender = g.sender)
        order by g.sender
        """,
        [connection_id],
    ).fetchall()
    return [row["sender"] for row in rows]


def claim_reply(connection: LedgerConnection, connection_id: int, sender: str) -> bool:
    """Take it upon this run to tell a sender; False where another run has. It is never given back."""
    taken = connection.execute(
        "insert into mail_reply (connection_id, sender) values (%s, %s) on conflict do nothing returning sender",
        [connection_id, sender],
    ).fetchone()
    return taken is not None


def note_reply_failed(connection: LedgerConnection, connection_id: int, sender: str, problem: str) -> None:
    """Record why a sender could not be told."""
    connection.execute(
        "update mail_reply set problem = %s where connection_id = %s and sender = %s", [problem, connection_id, sender]
    )
