"""Logins at the endpoints that we host, and the passwords, keys and addresses that prove them; passwords as hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg

from data_connections.errors import ConfigurationError, UnknownName
from data_connections.ledger.database import Ledger, LedgerConnection

Kind = Literal["password", "public_key", "address"]

_SECRETS = """
select l.id as login_id, l.login, l.connection_id, c.name as connection, l.created_at as login_created_at,
       l.retired_at as login_retired_at, l.failures, l.last_failure_at,
       s.id, s.kind, s.verifier, s.fingerprint, s.label, s.created_at, s.created_by, s.valid_until, s.retired_at,
       s.uses, s.last_used_at, s.last_used_from
from hosted_login l
join connection c on c.id = l.connection_id
join hosted_secret s on s.login_id = l.id
"""


@dataclass(frozen=True)
class HostedSecret:
    """One password, public key or mail address of a login.

    Attributes:
        id: Number of the secret.
        login_id: Number of the login that it proves.
        login: The login's name, case-sensitive.
        connection_id: The connection that the login belongs to.
        connection: Its present name.
        kind: What it is.
        verifier: The password's hash, the public key as ``algorithm base64``, or what stands before the address's @.
        fingerprint: Of a public key; of an address the same as ``verifier``.
        label: What people call it.
        created_at: When it was made, in UTC like the following.
        created_by: Who made it.
        valid_until: When it ends by itself.
        retired_at: When somebody ended it, or the login.
        uses: How often it was logged in with.
        last_used_at: When that was last.
        last_used_from: Address that it came from.
        failures: Logins under this name that were refused.
        last_failure_at: When that was last.
    """

    id: int
    login_id: int
    login: str
    connection_id: int
    connection: str
    kind: Kind
    verifier: str
    fingerprint: str | None
    label: str
    created_at: datetime
    created_by: str
    valid_until: datetime | None
    retired_at: datetime | None
    uses: int
    last_used_at: datetime | None
    last_used_from: str | None
    failures: int
    last_failure_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Whether it lets anybody in at ``now``."""
        return self.retired_at is None and (self.valid_until is None or now < self.valid_until)

    def as_json(self, now: datetime) -> dict[str, Any]:
        """Return what may be shown of it: never the hash."""
        hidden = ("verifier", "login_id", "connection_id")
        return {name: value for name, value in vars(self).items() if name not in hidden} | {"valid": self.is_valid(now)}


def all_secrets(ledger: Ledger, *, connection: str | None = None, login: str | None = None) -> list[HostedSecret]:
    """Return every secret, of all logins, of a connection's or of one, in the order in which they were made."""
    query = f"""{_SECRETS}
        where c.deleted_at is null and (%(connection)s::text is null or c.name = %(connection)s)
            and (%(login)s::text is null or l.login = %(login)s)
        order by l.id, s.id"""
    return [_secret(row) for row in ledger.all(query, {"connection": connection, "login": login})]


def secrets_of(connection: LedgerConnection, login_id: int) -> list[HostedSecret]:
    """Return every secret of a login, in the order in which they were made."""
    rows = connection.execute(f"{_SECRETS} where l.id = %s order by s.id".encode(), [login_id]).fetchall()
    return [_secret(row) for row in rows]


def mail_local_parts(ledger: Ledger, login: str) -> list[str]:
    """Return what stands before the @ of the addresses that a login may mail to now, the newest first."""
    now = datetime.now(UTC)
    valid = [each for each in all_secrets(ledger, login=login) if each.kind == "address" and each.is_valid(now)]
    return [each.verifier for each in reversed(valid)]


def _secret(row: dict[str, Any]) -> HostedSecret:
    values = {name: row[name] for name in HostedSecret.__dataclass_fields__}
    return HostedSecret(**{**values, "retired_at": row["login_retired_at"] or row["retired_at"]})


def add_login(connection: LedgerConnection, connection_id: int, login: str, who: str) -> int:
    """Record a login and return its number; names are never used twice, not even those of retired ones.

    Raises:
        ConfigurationError: The name is taken.
    """
    try:
        with connection.transaction():
            row = connection.execute(
                "insert into hosted_login (connection_id, login, created_by) values (%s, %s, %s) returning id",
                [connection_id, login, who],
            ).fetchone()
    except psycopg.errors.UniqueViolation as taken:
        raise ConfigurationError(
            f"The login {login!r} exists already; names of logins are never used twice. Choose another with --login, "
            "or give the one that there is a new password or key with `connections gateway rotate-login`."
        ) from taken
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row["id"])


def find_login(connection: LedgerConnection, login: str) -> tuple[int, int]:
    """Return the numbers of a login that is not retired and of its connection, locked.

    Raises:
        UnknownName: There is none.
    """
    row = connection.execute(
        "select id, connection_id from hosted_login where login = %s and retired_at is null for update", [login]
    ).fetchone()
    if row is None:
        known = connection.execute("select login from hosted_login where retired_at is null").fetchall()
        raise UnknownName("login", login, [each["login"] for each in known])
    return row["id"], row["connection_id"]


def add_secret(
    connection: LedgerConnection,
    login_id: int,
    kind: Kind,
    verifier: str,
    who: str,
    *,
    fingerprint: str | None = None,
    label: str = "",
    valid_until: datetime | None = None,
) -> int:
    """Record a password's hash or a public key, and return its number."""
    row = connection.execute(
        """
        insert into hosted_secret (login_id, kind, verifier, fingerprint, label, created_by, valid_until)
        values (%s, %s, %s, %s, %s, %s, %s) returning id
        """,
        [login_id, kind, verifier, fingerprint, label, who, valid_until],
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row["id"])


def end_others(
    connection: LedgerConnection, login_id: int, secret_id: int, until: datetime, *, kind: Kind | None = None
) -> list[int]:
    """Let every other valid secret of a login end at ``until`` at the latest; returns their numbers.

    With ``kind`` those of other kinds stay as they are.
    """
    rows = connection.execute(
        """
        update hosted_secret set valid_until = least(valid_until, %s)
        where login_id = %s and id <> %s and retired_at is null and (valid_until is null or valid_until > now())
            and (%s::text is null or kind = %s)
        returning id
        """,
        [until, login_id, secret_id, kind, kind],
    ).fetchall()
    return [row["id"] for row in rows]


def retire_secret(connection: LedgerConnection, login_id: int, secret_id: int) -> bool:
    """End one secret of a login now; returns whether there was a valid one."""
    done = connection.execute(
        "update hosted_secret set retired_at = now() where login_id = %s and id = %s and retired_at is null",
        [login_id, secret_id],
    )
    return done.rowcount > 0


def retire_login(connection: LedgerConnection, login_id: int) -> None:
    """End a login, and with it all that proves it."""
    connection.execute("update hosted_login set retired_at = now() where id = %s", [login_id])
