"""Checking a trial file in a process of its own: what that needs of memory and time, the gateway does not."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

from command_line.exits import BAD
from data_connections.errors import ConnectionsError

PATIENCE = 1800


async def check_trial(connection: str, file: Path, rejects: Path) -> dict[str, Any]:
    """Run `connections check` on a file and return its report; rejected rows are written into ``rejects``.

    Of a zip with several files it is an object with ``files``, one for each. What else runs on the machine comes first.

    Raises:
        ConnectionsError: It could not be checked, or took over half an hour.
    """
    command = [sys.executable, "-m", "command_line.main", "check", "--connection", connection, "--json"]
    process = await asyncio.create_subprocess_exec(
        *("nice", *command, "--rejects", str(rejects), str(file)), stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE):
            told, trouble = await process.communicate()
    except TimeoutError as late:
        raise ConnectionsError(f"It was not checked within {PATIENCE // 60} minutes.") from late
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode not in (0, BAD) or not told:
        raise ConnectionsError(trouble.decode(errors="replace").strip() or "The check ended without an answer.")
    # Where the file lies here is nobody's business.
    reports = [json.loads(line) for line in told.splitlines()]
    named = [{**report, "file": report["file"].removeprefix(f"{file.parent}/")} for report in reports]
    return named[0] if len(named) == 1 else {"file": file.name, "files": named}
