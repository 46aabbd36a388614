"""What runs on a data folder, as the kernel and the server's own pid file tell it."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

# Signal, and seconds to wait after it. A server stops its backends itself; orphans have nobody who does.
_STOP_SERVER = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
_STOP_ORPHANS = ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True)
class RunningServer:
    """A server that runs, read from ``postmaster.pid``.

    Attributes:
        pid: Process id of its first process.
        port: Port number, which is part of the socket's name too.
        socket_folder: Folder of its socket.
        listens: Whether it takes TCP connections.
        ready: Whether it takes connections now.
    """

    pid: int
    port: int
    socket_folder: Path
    listens: bool
    ready: bool


def running_server(data: Path) -> RunningServer | None:
    """Return the server that runs on ``data``, or None; a pid file left by a dead server does not count."""
    lines = _lines(data / "postmaster.pid")
    pid = int(lines[0]) if lines[0].strip().isdigit() else 0
    if not pid or not _works_in(pid, data):
        return None
    return RunningServer(
        pid=pid,
        port=int(lines[3]) if lines[3].isdigit() else 0,
        socket_folder=Path(lines[4]),
        listens=bool(lines[5].strip()),
        ready=lines[7].strip() == "ready",
    )


def forget_dead_server(data: Path, socket_folder: Path) -> None:
    """Remove the lock files of a dead server whose process id is another's by now, or a zombie that nobody buries.

    PostgreSQL itself only asks whether the process exists, and would refuse to start. Only right while nothing runs
    on ``data`` and the start lock is held.
    """
    if processes_of(data):
        return
    for lock in (data / "postmaster.pid", *socket_folder.glob(".s.PGSQL.*.lock")):
        pid = _lines(lock)[0].strip()
        if pid and Path("/proc", pid).exists():
            lock.unlink()


def processes_of(data: Path) -> list[int]:
    """Return every process whose working folder is ``data``: the server's, and backends that outlived it."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if _works_in(pid, data)]


def stop_processes(data: Path) -> bool:
    """End everything that runs on ``data``, with more and more force, and wait for it.

    Returns:
        Whether all of it is gone.
    """
    for number, patience in _STOP_SERVER:
        server = running_server(data)
        if server:
            _signal(server.pid, number)
            _wait_until_gone(data, patience)
    for number, patience in _STOP_ORPHANS:
        for pid in processes_of(data):
            _signal(pid, number)
        if _wait_until_gone(data, patience):
            return True
    return False


def _lines(lock: Path) -> list[str]:
    """Lines of a lock file, eight at least; none are there when it is missing."""
    try:
        lines = lock.read_text(encoding="utf-8").split("\n")
    except (FileNotFoundError, NotADirectoryError):
        lines = []
    return lines + [""] * (8 - len(lines))


def _wait_until_gone(data: Path, patience: float) -> bool:
    end = time.monotonic() + patience
    while processes_of(data):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _works_in(pid: int, folder: Path) -> bool:
    """Whether ``pid`` is a process of PostgreSQL (not somebody's shell) that works in ``folder``."""
    process = Path("/proc", str(pid))
    try:
        return (process / "cwd").readlink() == folder and (process / "comm").read_text() == "postgres\n"
    except OSError:
        return False


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
