"""The last good copy of the catalog in a file, for when the ledger does not answer."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar

import psycopg

from data_connections.catalog.revisions import StoredSpec, all_current
from data_connections.errors import ConnectionsError, LedgerUnavailable
from data_connections.ledger.database import Ledger
from data_connections.postgres import embedded
from data_connections.postgres.ledger_address import LEDGER_DATABASE
from data_connections.settings import Settings

TIMEOUT = 2.0
"""Seconds after which the ledger counts as not answering (decision 2 of the design)."""

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


def load_for_generation(settings: Settings, only: str | None = None) -> list[StoredSpec]:
    """Return the current revision of every connection, from the ledger or else from the last good snapshot.

    Reading all of them from the ledger also renews the snapshot.

    Args:
        settings: Where the ledger and the snapshot are. An embedded database that does not run is not started.
        only: Name of the one connection that is needed; the result is empty when there is none.

    Raises:
        LedgerUnavailable: The ledger does not answer, and there is no snapshot yet.
    """
    path = snapshot_path(settings)
    try:
        stored = within(TIMEOUT, lambda: _read_ledger(settings, only))
    except (ConnectionsError, psycopg.Error, TimeoutError) as lost:
        _log.warning("The ledger does not answer; connections come from the last snapshot (%s).", lost)
        return [each for each in read_snapshot(path) if only in (None, each.name)]
    if only is None:
        write_snapshot(path, stored)
    return stored


def snapshot_path(settings: Settings) -> Path:
    """Return where the snapshot of this installation is kept."""
    return settings.home / "catalog-snapshot.json"


def write_snapshot(path: Path, stored: list[StoredSpec]) -> None:
    """Write the snapshot as a whole or not at all, and only when it differs."""
    text = json.dumps([asdict(each) for each in stored], default=datetime.isoformat, indent=1, ensure_ascii=False)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=path.name, delete=False) as temporary:
        temporary.write(text)
        temporary.flush()
        os.fsync(temporary.fileno())
    Path(temporary.name).replace(path)


def read_snapshot(path: Path) -> list[StoredSpec]:
    """Return what the last snapshot holds.

    Raises:
        LedgerUnavailable: There is none yet.
    """
    try:
        return [_restored(each) for each in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError as missing:
        raise LedgerUnavailable(
            f"The ledger does not answer, and there is no snapshot of the connections at {path} yet. "
            "Check that PostgreSQL runs and that CONNECTIONS_DATABASE_URL is right."
        ) from missing


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what ``work`` returns.

    A frozen server keeps a query waiting, whatever time-outs it was told; so the work has a thread of its own,
    which is left behind.

    Raises:
        TimeoutError: It took longer than ``seconds``.
    """
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # handed to the caller, whatever it is
            done.set_exception(error)

    threading.Thread(target=run, name="catalog", daemon=True).start()
    return done.result(timeout=seconds)


def _read_ledger(settings: Settings, only: str | None) -> list[StoredSpec]:
    url = settings.database_url or embedded(settings).url(LEDGER_DATABASE)
    return all_current(Ledger(url, timeout=int(TIMEOUT)), only=only)


def _restored(kept: dict[str, Any]) -> StoredSpec:
    times = {name: datetime.fromisoformat(kept[name]) for name in ("created_at", "deleted_at") if kept[name]}
    last_built = _restored(kept["last_built"]) if kept["last_built"] else None
    known = {each.name for each in fields(StoredSpec)}
    return StoredSpec(
        **{key: value for key, value in {**kept, **times}.items() if key in known} | {"last_built": last_built}
    )
