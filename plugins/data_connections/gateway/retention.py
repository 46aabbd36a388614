"""Reports that wait to be collected, for as long as their connection says."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from data_connections.gateway.folder import FILES
from data_connections.gateway.journal import Journal
from data_connections.gateway.mailbox import MAILS
from data_connections.spec import ConnectionSpec, InboundHostedMailDetails
from data_connections.spec.details import OutboundHostedDetails


def expire_collected(hosted: Path, specs: Mapping[int, ConnectionSpec], journal: Journal) -> int:
    """Delete files whose time to be collected is over, and mails that nothing was taken from; return how many.

    Args:
        hosted: Folder with a folder for each connection.
        specs: Specs by connection id; those of folders that partners put files into are left alone.
        journal: Where it is written down.
    """
    expired = 0
    for connection_id, spec in specs.items():
        if isinstance(spec.details, OutboundHostedDetails | InboundHostedMailDetails):
            folder = FILES if isinstance(spec.details, OutboundHostedDetails) else MAILS
            oldest = time.time() - spec.details.keep_for.total_seconds()
            expired += sum(
                _expire(connection_id, path, journal) for path in _older(hosted / str(connection_id) / folder, oldest)
            )
    return expired


def _older(folder: Path, oldest: float) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < oldest]


def _expire(connection_id: int, path: Path, journal: Journal) -> int:
    path.unlink(missing_ok=True)
    journal.expired(connection_id, f"/{path.name}")
    return 1
