"""Columns that the last file of a connection had and this one has not."""

from __future__ import annotations

from data_connections.data_types import header_key
from data_connections.errors import FileRefused
from data_connections.ledger.database import LedgerConnection
from data_connections.steps.job import Job
from data_connections.validation import Finding, Header

_LAST_COLUMNS = """
    select number, file_name, format -> 'columns' as columns from submission
    where connection_id = %s and number < %s and state in ('applied', 'partly_applied') and format ? 'columns'
    order by number desc limit 1
"""


def vanished_columns(connection: LedgerConnection, job: Job, header: Header) -> list[Finding]:
    """Compare a file's header with that of the connection's last file that was applied.

    Args:
        connection: To the ledger.
        job: The submission.
        header: Its header; a rejects file that came back is not compared.

    Returns:
        A warning for each column that vanished.

    Raises:
        FileRefused: VANISHED_COLUMN, where the connection rejects such files.
    """
    if job.spec.vanished_columns == "ignore" or header.added:
        return []
    last = connection.execute(_LAST_COLUMNS, [job.submission.connection_id, job.submission.number]).fetchone()
    if last is None:
        return []
    here = set(map(header_key, header.names))
    findings = [
        Finding(
            None, name, "VANISHED_COLUMN", f"{last['file_name']} had the column {name}, this file has not.", "warning"
        )
        for name in last["columns"]
        if header_key(name) not in here
    ]
    if findings and job.spec.vanished_columns == "reject":
        raise FileRefused("VANISHED_COLUMN", f"{findings[0].message} This connection takes no such files.")
    return findings
