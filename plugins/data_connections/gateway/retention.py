"""Reports that wait to be collected, for as long as their connection says."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from data_connections.gateway.folder import FILES
from data_connections.gateway.journal import Journal
from data_connections.spec import ConnectionSpec
from data_connections.spec.details import OutboundHostedDetails


def expire_collected(hosted: Path, specs: Mapping[int, ConnectionSpec], journal: Journal) -> int:
    """Delete files whose time to be collected is over, and return how many.

    Args:
        hosted: Folder with a folder for each connection.
        specs: Specs by connection id; those that send nothing are left alone.
        journal: Where it is written down.
    """
    expired = 0
    for connection_id, spec in specs.items():
        if isinstance(spec.details, OutboundHostedDetails):
            oldest = time.time() - spec.details.keep_for.total_seconds()
            expired += sum(
                _expire(hosted, connection_id, path, journal) for path in _older(hosted, connection_id, oldest)
            )
    return expired


def _older(hosted: Path, connection_id: int, oldest: float) -> list[Path]:
    folder = hosted / str(connection_id) / FILES
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < oldest]


def _expire(hosted: Path, connection_id: int, path: Path, journal: Journal) -> int:
    path.unlink(missing_ok=True)
    journal.expired(connection_id, f"/{path.name}")
    return 1
