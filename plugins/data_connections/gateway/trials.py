"""Trial files: what a partner puts into ``test/`` is checked against the ledger, answered there, and never booked."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import shutil
import uuid
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from data_connections.endpoints.arrival import RESERVED_PREFIXES, TEMPORARY_PREFIXES, TEMPORARY_SUFFIXES
from data_connections.endpoints.names import decode_name
from data_connections.errors import ConnectionsError
from data_connections.gateway.folder import FILES, INCOMING, TRIALS
from data_connections.gateway.journal import Journal
from data_connections.gateway.roster import Roster

LOOK_EVERY = 0.5
MOST_WAITING = 1000
_log = logging.getLogger(__name__)

LONGEST_ORIGINAL = 230
"""Bytes of the trial file's name in the names of its answers; file systems take 255 in all."""

_WITHIN_SIGNS = bytes(range(0x80, 0xC0))
CheckFile = Callable[[str, Path, Path], dict[str, Any]]
"""Checks a file by the settings of the connection of that name, writes its rejected rows under the file's own name into
a folder, and returns the summary."""


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
        """Check trial files as they come, until cancelled; first those that a gateway before left without an answer."""
        await asyncio.to_thread(self._find_unanswered)
        while True:
            while self._waiting:
                await self._check(*self._waiting.popleft())
            await asyncio.sleep(LOOK_EVERY)

    def _find_unanswered(self) -> None:
        for connection_id in self._roster.specs():
            tests = self._tests(connection_id)
            for path in sorted(tests.iterdir()) if tests.is_dir() else ():
                if path.is_file() and not (tests / answer_names(path.name).summary).exists():
                    self.file_arrived(connection_id, os.fsencode(path.name))

    async def _check(self, connection_id: int, name: bytes) -> None:
        spec = self._roster.spec(connection_id)
        if spec is None:
            return
        shown, trial_id = f"/{TRIALS.decode()}/{decode_name(name)}", str(uuid.uuid4())
        try:
            await asyncio.to_thread(self._answer, connection_id, spec.name, name, trial_id)
        except OSError as trouble:
            _log.warning("Connection %s: the trial file %s was not answered: %s", spec.name, shown, trouble)
            return
        self._journal.checked(connection_id, shown, trial_id)

    def _tests(self, connection_id: int) -> Path:
        return self._hosted / str(connection_id) / FILES / TRIALS.decode()

    def _answer(self, connection_id: int, connection: str, name: bytes, trial_id: str) -> None:
        """Put the receipt beside a trial file at once, and summary and rejects when it is checked."""
        tests, text = self._tests(connection_id), os.fsdecode(name)
        answers = self._hosted / str(connection_id) / INCOMING / secrets.token_hex(16)
        names, trial = answer_names(text), answers / "trial"
        (answers / "rejects").mkdir(parents=True, mode=0o750)
        trial.mkdir()
        try:
            # The partner may replace the file meanwhile; a second link keeps the bytes that are checked.
            (trial / text).hardlink_to(tests / text)
            _put(answers / "receipt", tests / names.receipt, f"{trial_id}\n".encode())
            summary = self._summary(connection, trial / text, answers / "rejects")
            for rejects in (answers / "rejects").iterdir():
                rejects.replace(tests / answer_names(rejects.name).rejects)
            told = json.dumps({"traceId": trial_id, **summary}, indent=2, ensure_ascii=False)
            _put(answers / "summary", tests / names.summary, told.encode("utf-8", "backslashreplace") + b"\n")
        finally:
            shutil.rmtree(answers, ignore_errors=True)

    def _summary(self, connection: str, file: Path, rejects: Path) -> dict[str, Any]:
        try:
            return self._check_file(connection, file, rejects)
        except ConnectionsError as trouble:
            _log.warning("Connection %s: the trial file %s was not checked: %s", connection, file.name, trouble)
            return {"file": file.name, "problem": "It could not be checked; please tell us, with the trace id."}


class AnswerNames(NamedTuple):
    """Names of what answers a trial file."""

    receipt: str
    summary: str
    rejects: str


def answer_names(name: str) -> AnswerNames:
    """Return them; of a name that is too long to put something around it, its end."""
    raw = os.fsencode(name)
    fitting = os.fsdecode(raw if len(raw) <= LONGEST_ORIGINAL else raw[-LONGEST_ORIGINAL:].lstrip(_WITHIN_SIGNS))
    return AnswerNames(f"receipt_{fitting}.txt", f"result_{fitting}_summary.json", f"result_{fitting}")


def _put(unfinished: Path, target: Path, content: bytes) -> None:
    unfinished.write_bytes(content)
    unfinished.replace(target)
