"""A connection's number, which stays when the connection is renamed."""

from __future__ import annotations

from data_connections.errors import UnknownName
from data_connections.ledger.database import Ledger


def of_name(ledger: Ledger, name: str) -> int:
    """Return the number of a connection by its present name, or by the latest that it had before.

    Raises:
        UnknownName: There is none.
    """
    row = ledger.one(
        """
        select c.id from connection c
        where c.name = %(name)s
            or exists (select from connection_revision r where r.connection_id = c.id and r.spec ->> 'name' = %(name)s)
        order by c.name = %(name)s desc, c.id desc limit 1
        """,
        {"name": name},
    )
    if row is None:
        raise UnknownName("connection", name, [each["name"] for each in ledger.all("select name from connection")])
    return int(row["id"])
