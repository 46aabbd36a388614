"""Links by which partners get their login details once; of each only the hash is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from data_connections.ledger.database import LedgerConnection

_LINKS = """
select k.id, k.login_id, l.login, l.connection_id, l.retired_at, k.recipient, k.created_by, k.expires_at, k.used_at,
       k.used_from
from hosted_link k join hosted_login l on l.id = k.login_id
where k.token_hash = %s
"""


@dataclass(frozen=True)
class HostedLink:
    """One link.

    Attributes:
        id: Its number.
        login_id: Number of the login that it tells of.
        login: Its name.
        connection_id: The connection of the login.
        retired_at: When the login was ended, in UTC like the following.
        recipient: Address that it was mailed to.
        created_by: Who had it mailed.
        expires_at: When it ends by itself.
        used_at: When it was used.
        used_from: Address of whoever used it.
    """

    id: int
    login_id: int
    login: str
    connection_id: int
    retired_at: datetime | None
    recipient: str
    created_by: str
    expires_at: datetime
    used_at: datetime | None
    used_from: str | None


def add(connection: LedgerConnection, login_id: int, token: str, recipient: str, who: str, until: datetime) -> int:
    """Record a link and return its number."""
    row = connection.execute(
        """
        insert into hosted_link (login_id, token_hash, recipient, created_by, expires_at)
        values (%s, %s, %s, %s, %s) returning id
        """,
        [login_id, _hash(token), recipient, who, until],
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row["id"])


def find(connection: LedgerConnection, token: str) -> HostedLink | None:
    """Return the link of a token, locked until the transaction ends; None where there is none."""
    row = connection.execute(f"{_LINKS} for update of k".encode(), [_hash(token)]).fetchone()
    return HostedLink(**row) if row is not None else None


def mark_used(connection: LedgerConnection, link_id: int, address: str) -> None:
    """Record that a link was used, which it can be once."""
    connection.execute("update hosted_link set used_at = now(), used_from = %s where id = %s", [address, link_id])


def forget(connection: LedgerConnection, link_id: int) -> None:
    """Forget a link that could not be mailed."""
    connection.execute("delete from hosted_link where id = %s and used_at is null", [link_id])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
