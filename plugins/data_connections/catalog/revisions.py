"""Revisions of connections as the ledger holds them: reading them, and noting which could be built."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from data_connections.errors import ConfigurationError, Mistakes, UnknownName
from data_connections.ledger.database import Ledger, LedgerConnection
from data_connections.spec import ConnectionSpec, parse_spec

_COLUMNS = """
    c.id as connection_id, c.name, c.managed_by, c.refusal, c.built_revision, c.deleted_at,
    r.number, r.spec as content, r.hash, r.created_at, r.created_by
"""
_CURRENT = f"""
select {_COLUMNS}, b.number as built_number, b.spec as built_content, b.hash as built_hash,
       b.created_at as built_at, b.created_by as built_by
from connection c
join connection_revision r on r.connection_id = c.id and r.number = c.revision
left join connection_revision b on b.connection_id = c.id and b.number = c.built_revision and b.number <> c.revision
"""
_ONE_REVISION = f"""
select {_COLUMNS} from connection c
join connection_revision r on r.connection_id = c.id
where r.number = %(number)s and (c.name = %(name)s or r.spec ->> 'name' = %(name)s)
order by c.name = %(name)s desc, r.created_at desc limit 1
"""


@dataclass(frozen=True)
class StoredSpec:
    """One revision of a connection.

    Attributes:
        connection_id: The connection's id; it stays when the connection is renamed.
        name: The connection's present name.
        number: Number of the revision, from 1.
        content: The spec as plain JSON values.
        hash: SHA-256 of the content.
        managed_by: What made it: ``files:<folder>``, ``screen``, ``api``.
        created_at: When the revision was made, in UTC.
        created_by: Who made it.
        deleted_at: When the connection was deleted, in UTC; None while it is there.
        built_revision: The newest revision that a DAG could be built from, None before the first.
        refusal: Why this revision could not be built, else None.
        last_built: The revision that is in use instead of a refused one; None where that is this one.
    """

    connection_id: int
    name: str
    number: int
    content: Mapping[str, Any] = field(repr=False)
    hash: str
    managed_by: str
    created_at: datetime
    created_by: str
    deleted_at: datetime | None = None
    built_revision: int | None = None
    refusal: str | None = None
    last_built: StoredSpec | None = None

    @cached_property
    def spec(self) -> ConnectionSpec:
        """The spec.

        Raises:
            Mistakes: This version of Connections does not accept it any more.
        """
        try:
            return parse_spec({**self.content, "name": self.name})
        except Mistakes as invalid:
            place = f"Connection {self.name}, revision {self.number}: "
            raise Mistakes(
                ConfigurationError(place + each.message, field=each.field, suggestion=each.suggestion)
                for each in invalid.mistakes
            ) from invalid


def all_current(ledger: Ledger, *, only: str | None = None, with_deleted: bool = False) -> list[StoredSpec]:
    """Return the current revision of every connection, or of the one named ``only``, by name, in one query."""
    with ledger.connect() as connection:
        return read_current(connection, only=only, with_deleted=with_deleted)


def read_current(
    connection: LedgerConnection,
    *,
    only: str | None = None,
    ids: Collection[int] | None = None,
    with_deleted: bool = False,
) -> list[StoredSpec]:
    """Return what `all_current` returns, inside a transaction that is open already; ``ids`` are the only ones read."""
    query = f"""{_CURRENT}
        where (%(only)s::text is null or c.name = %(only)s) and (%(with_deleted)s or c.deleted_at is null)
          and (%(ids)s::bigint[] is null or c.id = any(%(ids)s))
        order by c.name"""
    bound = {"only": only, "with_deleted": with_deleted, "ids": None if ids is None else list(ids)}
    return [_stored(row) for row in connection.execute(query.encode(), bound)]


def current(ledger: Ledger, name: str) -> StoredSpec:
    """Return the current revision of one connection.

    Raises:
        UnknownName: There is none of that name, or it was deleted.
    """
    found = all_current(ledger, only=name)
    if not found:
        raise UnknownName("connection", name, names(ledger))
    return found[0]


def revision(ledger: Ledger, name: str, number: int) -> StoredSpec:
    """Return one revision of a connection, also of one that was deleted or renamed since: runs go on with theirs.

    Raises:
        UnknownName: There is no such connection or revision.
    """
    row = ledger.one(_ONE_REVISION, {"name": name, "number": number})
    if row is None:
        known = revisions(ledger, current(ledger, name).connection_id)
        raise UnknownName(f"revision of {name}:", str(number), [str(stored.number) for stored in known])
    return _stored(row)


def revisions(ledger: Ledger, connection_id: int) -> list[StoredSpec]:
    """Return every revision of a connection, the newest first."""
    query = f"""
        select {_COLUMNS} from connection c join connection_revision r on r.connection_id = c.id
        where c.id = %s order by r.number desc
    """
    return [_stored(row) for row in ledger.all(query, [connection_id])]


def names(ledger: Ledger) -> list[str]:
    """Return the names of all connections that were not deleted."""
    return [row["name"] for row in ledger.all("select name from connection where deleted_at is null order by name")]


def record_builds(ledger: Ledger, built: Mapping[int, int], refused: Mapping[int, str]) -> None:
    """Note which revisions DAGs were built from; writes only what is not noted already.

    Args:
        ledger: The ledger.
        built: Connection id to the number of the current revision, which was built.
        refused: Connection id to the sentence that says why its current revision was not.
    """
    with ledger.connect() as connection:
        for connection_id, number in built.items():
            connection.execute(
                b"""update connection set built_revision = %(number)s, refusal = null
                    where id = %(id)s and revision = %(number)s
                      and (built_revision is distinct from %(number)s or refusal is not null)""",
                {"id": connection_id, "number": number},
            )
        for connection_id, reason in refused.items():
            connection.execute(
                b"update connection set refusal = %(reason)s where id = %(id)s and refusal is distinct from %(reason)s",
                {"id": connection_id, "reason": reason},
            )


def _stored(row: Mapping[str, Any]) -> StoredSpec:
    shared = {key: row[key] for key in ("connection_id", "name", "managed_by", "deleted_at", "built_revision")}
    last_built = None
    if row.get("built_number") is not None:
        last_built = StoredSpec(
            **shared,
            number=row["built_number"],
            content=row["built_content"],
            hash=row["built_hash"],
            created_at=row["built_at"],
            created_by=row["built_by"],
        )
    own = {key: row[key] for key in ("number", "content", "hash", "created_at", "created_by", "refusal")}
    return StoredSpec(**shared, **own, last_built=last_built)
