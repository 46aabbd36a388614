"""Files in partners' folders whose time is over: reports to collect, mails that nothing was taken from, trials."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from data_connections.endpoints.names import decode_name
from data_connections.gateway.folder import FILES, TRIALS
from data_connections.gateway.journal import Journal
from data_connections.gateway.mailbox import MAILS
from data_connections.spec import ConnectionSpec, InboundHostedMailDetails
from data_connections.spec.details import InboundHostedDetails, OutboundHostedDetails

TRIALS_STAY = timedelta(days=30)
"""How long trial files and their answers lie there: they count towards the room that files to be taken need."""


def expire_collected(hosted: Path, specs: Mapping[int, ConnectionSpec], journal: Journal) -> int:
    """Delete files whose time to be collected is over, and old mails and trials; return how many.

    Args:
        hosted: Folder with a folder for each connection.
        specs: Specs by connection id; what partners put into a main folder is left alone.
        journal: Where it is written down.
    """
    expired = 0
    for connection_id, spec in specs.items():
        for folder, stays in _passing(spec):
            oldest = time.time() - stays.total_seconds()
            shown = f"/{TRIALS.decode()}/" if folder.name == TRIALS.decode() else "/"
            for path in _older(hosted / str(connection_id) / folder, oldest):
                path.unlink(missing_ok=True)
                journal.expired(connection_id, shown + decode_name(os.fsencode(path.name)))
                expired += 1
    return expired


def _passing(spec: ConnectionSpec) -> list[tuple[Path, timedelta]]:
    """Return the folders whose files pass, within that of the connection, and how long they stay."""
    details = spec.details
    if isinstance(details, OutboundHostedDetails):
        return [(Path(FILES), details.keep_for)]
    if isinstance(details, InboundHostedMailDetails):
        return [(Path(MAILS), details.keep_for)]
    return [(Path(FILES, TRIALS.decode()), TRIALS_STAY)] if isinstance(details, InboundHostedDetails) else []


def _older(folder: Path, oldest: float) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < oldest]
