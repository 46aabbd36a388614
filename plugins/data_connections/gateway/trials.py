"""Trial files: what a partner puts into ``test/`` is checked against the ledger, answered there, and never booked."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import shutil
from collections import deque
from collections.abc import Callable
from pathlib import Path

from data_connections.endpoints.arrival import RESERVED_PREFIXES, TEMPORARY_PREFIXES, TEMPORARY_SUFFIXES
from data_connections.endpoints.names import decode_name
from data_connections.errors import ConnectionsError
from data_connections.gateway.folder import FILES, INCOMING, TRIALS
from data_connections.gateway.journal import Journal
from data_connections.gateway.roster import Roster

LOOK_EVERY = 0.5
MOST_WAITING = 1000
_log = logging.getLogger(__name__)

CheckFile = Callable[[str, Path, Path], bytes]
"""Checks a file by the settings of the connection of that name, writes its rejected rows under the file's own name into
a folder, and returns the summary as JSON."""


class Trials:
    """Trial files, checked one after the other so that transfers are not slowed down.

    Args:
        hosted: Folder with a folder for each connection.
        roster: Knows the connections.
        journal: Where it is written down.
        check_file: Checks one file.
    """

    def __init__(self, hosted: Path, roster: Roster, journal: Journal, check_file: CheckFile) -> None:
        self._hosted = hosted
        self._roster = roster
        self._journal = journal
        self._check_file = check_file
        self._waiting: deque[tuple[int, bytes]] = deque(maxlen=MOST_WAITING)

    def file_arrived(self, connection_id: int, name: bytes) -> None:
        """Note a trial file; may be called from any thread. Our own answers and unfinished names are left alone."""
        lowered = os.fsdecode(name).lower()
        ours = lowered.startswith((*RESERVED_PREFIXES, *TEMPORARY_PREFIXES))
        if not (ours or lowered.endswith(TEMPORARY_SUFFIXES)):
            self._waiting.append((connection_id, name))

    async def check_on(self) -> None:
        """Check trial files as they come, until cancelled."""
        while True:
            while self._waiting:
                await self._check(*self._waiting.popleft())
            await asyncio.sleep(LOOK_EVERY)

    async def _check(self, connection_id: int, name: bytes) -> None:
        spec = self._roster.spec(connection_id)
        if spec is None:
            return
        shown = f"/{TRIALS.decode()}/{decode_name(name)}"
        try:
            await asyncio.to_thread(self._answer, self._hosted / str(connection_id), spec.name, name)
        except (ConnectionsError, OSError) as trouble:
            _log.warning("Connection %s: the trial file %s was not checked: %s", spec.name, shown, trouble)
            return
        self._journal.checked(connection_id, shown)

    def _answer(self, place: Path, connection: str, name: bytes) -> None:
        tests = place / FILES / TRIALS.decode()
        answers = place / INCOMING / secrets.token_hex(16)
        trial = answers / "trial"
        (answers / "rejects").mkdir(parents=True, mode=0o750)
        trial.mkdir()
        try:
            text = os.fsdecode(name)
            # The partner may replace the file meanwhile; a second link keeps the bytes that are checked.
            (trial / text).hardlink_to(tests / text)
            summary = answers / "summary"
            summary.write_bytes(self._check_file(connection, trial / text, answers / "rejects"))
            summary.replace(tests / f"result_{text}_summary.json")
            for rejects in (answers / "rejects").iterdir():
                rejects.replace(tests / f"result_{rejects.name}")
        finally:
            shutil.rmtree(answers, ignore_errors=True)
