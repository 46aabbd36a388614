"""Keeps the embedded PostgreSQL running under the supervisor: starts or adopts it, and stops it at the end."""

from __future__ import annotations

import os
import select
import signal
import sys
from types import FrameType
from typing import NoReturn

from data_connections.postgres import EmbeddedPostgres, embedded
from data_connections.settings import Settings


def keep(server: EmbeddedPostgres) -> NoReturn:
    """Start the server whenever it does not run; end with it on SIGTERM.

    Raises:
        LedgerUnavailable: It does not start.
    """
    signal.signal(signal.SIGTERM, _end)
    try:
        while True:
            running = server.ensure_running().status()
            if running is not None:
                print(f"PostgreSQL runs with process id {running.pid}.", flush=True)
                _wait_for_end_of(running.pid)
                print("PostgreSQL has ended.", flush=True)
    finally:
        server.stop()


def _wait_for_end_of(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([handle], [], [])
    finally:
        os.close(handle)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    sys.exit(0)


if __name__ == "__main__":
    keep(embedded(Settings.from_environment()))
