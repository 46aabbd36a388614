"""The processes of a stack, found by the mark in their environment, or by their session where that is hidden."""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from local_stack.airflow_environment import MARK

_STAGES = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
_IDLE_WORKER = re.compile(r"airflow worker -- LocalExecutor.*: <idle>")
_SESSION_FILE = "supervisord.session"


@dataclass(frozen=True)
class Process:
    """A process of a stack.

    Attributes:
        pid: Its id.
        command: What it says of itself: its title or its command line.
    """

    pid: int
    command: str


def processes_of(folder: Path) -> list[Process]:
    """Return the processes of the stack at ``folder``, but this one; dead ones that nobody buried do not count.

    Workers that outlived a killed scheduler, and tasks that outlived those, carry the same mark. Airflow hides the
    environment of a process that holds tokens from everybody but root: such a one is known by the session, which it
    has from the supervisor and keeps when that one is gone.
    """
    mark, session = f"{MARK}={folder}".encode(), _session_of_stack(folder)
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [Process(pid, _command(pid)) for pid in pids if pid != os.getpid() and _belongs(pid, mark, session)]


def remember_session(folder: Path, pid: int) -> None:
    """Keep the session of the stack's processes, which its supervisor ``pid`` leads, beyond the supervisor's end."""
    (folder / _SESSION_FILE).write_text(f"{pid}\n", encoding="ascii")


def end_idle_workers(folder: Path) -> int:
    """End the executor's workers that wait for work; returns how many. Only right while no scheduler runs.

    They ignore SIGTERM, and without their scheduler nobody gives them work or tells them to end.
    """
    idle = [process for process in processes_of(folder) if _IDLE_WORKER.search(process.command)]
    for process in idle:
        send_signal(process.pid, signal.SIGKILL)
    return len(idle)


def wait_until_gone(folder: Path, known: list[Process], patience: float) -> bool:
    """Wait at most ``patience`` seconds until no process of the stack is left; returns whether that is so.

    Args:
        folder: The stack's folder.
        known: Processes that were found before they were told to end.
        patience: Seconds.
    """
    end = time.monotonic() + patience
    seen = {process.pid for process in known}
    while True:
        found = {process.pid for process in processes_of(folder)}
        # A process that is ending has lost its environment, and with it its mark, before its files are closed.
        seen = {pid for pid in seen | found if pid in found or _lives(pid)}
        if not seen or time.monotonic() > end:
            return not seen
        time.sleep(0.1)


def wait_for_end(pid: int, patience: float) -> None:
    """Wait at most ``patience`` seconds until a process has ended."""
    end = time.monotonic() + patience
    while _lives(pid) and time.monotonic() < end:
        time.sleep(0.1)


def end_processes(folder: Path) -> list[Process]:
    """End every process of the stack, first asking, then not; returns those that are left all the same."""
    end_idle_workers(folder)
    for number, patience in _STAGES:
        known = processes_of(folder)
        for process in known:
            send_signal(process.pid, number)
        if wait_until_gone(folder, known, patience):
            return []
    return processes_of(folder)


def send_signal(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended by now."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def _belongs(pid: int, mark: bytes, session: int | None) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except PermissionError:
        return session is not None and "airflow" in _command(pid) and _session(pid) == session
    except OSError:
        return False


def _session_of_stack(folder: Path) -> int | None:
    try:
        return int((folder / _SESSION_FILE).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
