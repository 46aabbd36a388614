"""Trial files: what a partner puts into ``test/`` is checked against the ledger, answered there, and never booked."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import shutil
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from data_connections.endpoints.arrival import RESERVED_PREFIXES, TEMPORARY_PREFIXES, TEMPORARY_SUFFIXES
from data_connections.endpoints.names import decode_name
from data_connections.errors import ConnectionsError
from data_connections.gateway.folder import FILES, INCOMING, TRIALS
from data_connections.gateway.journal import Journal
from data_connections.gateway.roster import Roster
from data_connections.gateway.trial_queue import TrialQueue

LOOK_EVERY = 0.5
AT_ONCE = 2
"""Files checked at the same time, each of another connection: a large one keeps nobody else from an answer."""

_log = logging.getLogger(__name__)

LONGEST_ORIGINAL = 230
"""Bytes of the trial file's name in the names of its answers; file systems take 255 in all."""

_WITHIN_SIGNS = bytes(range(0x80, 0xC0))
CheckFile = Callable[[str, Path, Path], Awaitable[dict[str, Any]]]
"""Checks a file by the settings of the connection of that name, writes its rejected rows under the file's own name into
a folder, and returns the summary; when it is cancelled, nothing of it goes on."""


class Trials:
    """Trial files, checked few at a time so that transfers are not slowed down.

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
        self._queue = TrialQueue()

    def file_arrived(self, connection_id: int, name: bytes) -> None:
        """Note a trial file; may be called from any thread. Our own answers and unfinished names are left alone."""
        lowered = os.fsdecode(name).lower()
        ours = lowered.startswith((*RESERVED_PREFIXES, *TEMPORARY_PREFIXES))
        if not (ours or lowered.endswith(TEMPORARY_SUFFIXES)):
            self._queue.add(connection_id, name)

    async def check_on(self) -> None:
        """Check trial files as they come, until cancelled; first those that a gateway before left without an answer."""
        await asyncio.to_thread(self._find_unanswered, set(self._roster.specs()))
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._check_in_turn())

    async def _check_in_turn(self) -> None:
        while True:
            turn = self._queue.take()
            if turn is not None:
                try:
                    await self._check(*turn)
                finally:
                    self._queue.done(turn[0])
            elif overlooked := self._queue.take_overlooked():
                await asyncio.to_thread(self._find_unanswered, overlooked)
            else:
                await asyncio.sleep(LOOK_EVERY)

    def _find_unanswered(self, connection_ids: set[int]) -> None:
        for connection_id in connection_ids:
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
            await self._answer(connection_id, spec.name, name, trial_id)
        except OSError as trouble:
            _log.warning("Connection %s: the trial file %s was not answered: %s", spec.name, shown, trouble)
            return
        except Exception:  # whatever one trial brings to light, live files come and go on
            _log.exception("Connection %s: the trial file %s was not answered.", spec.name, shown)
            return
        self._journal.checked(connection_id, shown, trial_id)

    def _tests(self, connection_id: int) -> Path:
        return self._hosted / str(connection_id) / FILES / TRIALS.decode()

    async def _answer(self, connection_id: int, connection: str, name: bytes, trial_id: str) -> None:
        """Put the receipt beside a trial file at once, and summary and rejects when it is checked."""
        tests, text = self._tests(connection_id), os.fsdecode(name)
        answers = self._hosted / str(connection_id) / INCOMING / secrets.token_hex(16)
        try:
            await asyncio.to_thread(_receive, answers, tests, text, trial_id)
            summary = await self._summary(connection, answers / "trial" / text, answers / "rejects")
            await asyncio.to_thread(_tell, answers, tests, text, {"traceId": trial_id, **summary})
        finally:
            shutil.rmtree(answers, ignore_errors=True)

    async def _summary(self, connection: str, file: Path, rejects: Path) -> dict[str, Any]:
        try:
            return await self._check_file(connection, file, rejects)
        except ConnectionsError as trouble:
            _log.warning("Connection %s: the trial file %s was not checked: %s", connection, file.name, trouble)
            return {"file": file.name, "problem": "It could not be checked; please tell us, with the trace id."}


def _receive(answers: Path, tests: Path, name: str, trial_id: str) -> None:
    (answers / "rejects").mkdir(parents=True, mode=0o750)
    (answers / "trial").mkdir()
    # The partner may replace the file meanwhile; a second link keeps the bytes that are checked.
    (answers / "trial" / name).hardlink_to(tests / name)
    _put(answers / "receipt", tests / answer_names(name).receipt, f"{trial_id}\n".encode())


def _tell(answers: Path, tests: Path, name: str, summary: dict[str, Any]) -> None:
    for rejects in (answers / "rejects").iterdir():
        rejects.replace(tests / answer_names(rejects.name).rejects)
    told = json.dumps(summary, indent=2, ensure_ascii=False)
    _put(answers / "summary", tests / answer_names(name).summary, told.encode("utf-8", "backslashreplace") + b"\n")


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
