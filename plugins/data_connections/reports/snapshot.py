"""One unchanging view of the ledger, in which nothing can be written."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from data_connections.ledger import Ledger
from data_connections.ledger.database import LedgerConnection

ROLE = "connections_reports"
"""May read the tables that reports are made of, and nothing else; migration 0001 creates it."""

STATEMENT_TIMEOUT = 900
"""Seconds that a query may work towards its next rows."""

_VERSION = "current_setting('server_version_num')::integer"
_HAS_ROLE = f"""
select exists (
    select from pg_roles
    where rolname = %(role)s
        and pg_has_role(current_user, oid, case when {_VERSION} < 160000 then 'member' else 'set' end)
) as has_role
"""

log = logging.getLogger(__name__)


@contextmanager
def open_snapshot(ledger: Ledger, *, timeout: int = STATEMENT_TIMEOUT) -> Iterator[LedgerConnection]:
    """Open a transaction that sees the ledger as it is now, for as long as it lasts, and cannot write.

    It takes the role ``connections_reports``. Where the ledger's user may not have it (docs/decisions/0005), the
    transaction is still read-only, and the log says so.

    Args:
        ledger: The ledger.
        timeout: Seconds for one statement.

    Raises:
        LedgerUnavailable: The ledger does not answer.
    """
    with ledger.connect() as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        found = connection.execute(_HAS_ROLE.encode(), {"role": ROLE}).fetchone()
        if found and found["has_role"]:
            connection.execute(f"set local role {ROLE}".encode())
        else:
            log.warning(
                "The role %s is missing in the ledger's server, so reports run as the ledger's own user, read-only. "
                "docs/reports.md says how an administrator creates it.",
                ROLE,
            )
        connection.execute("select set_config('statement_timeout', %s, true)", (f"{timeout}s",))
        yield connection
        connection.rollback()
