"""Columns that the last file of a connection had and this one has not."""

from __future__ import annotations

from data_connections.data_types import header_key
from data_connections.errors import FileRefused
from data_connections.ledger.database import LedgerConnection
from data_connections.steps.job import Job
from data_connections.validation import Finding, Header
from data_connections.validation.header import column_named

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
        A warning that names the columns that vanished; one that is there under another of its names did not.

    Raises:
        FileRefused: VANISHED_COLUMN, where the connection rejects such files.
    """
    if job.spec.vanished_columns == "ignore" or header.added:
        return []
    last = connection.execute(_LAST_COLUMNS, [job.submission.connection_id, job.submission.number]).fetchone()
    if last is None:
        return []
    here, mapping = set(map(header_key, header.names)), job.options().mapping
    gone = [
        name
        for name in last["columns"]
        if header_key(name) not in here and column_named(name, job.data_type, mapping) not in header.columns
    ]
    if not gone:
        return []
    message = f"{last['file_name']} had the column{'s' * (len(gone) > 1)} {', '.join(gone)}; this file has not."
    if job.spec.vanished_columns == "reject":
        raise FileRefused("VANISHED_COLUMN", f"{message} This connection takes no such files.")
    return [Finding(None, gone[0] if len(gone) == 1 else None, "VANISHED_COLUMN", message, "warning")]
