"""This machine: Python and packages, disk, keys, and processes that nobody looks after any more."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from command_line.checkup.finding import Finding, bad, good, warning
from data_connections.postgres import embedded
from data_connections.postgres.processes import processes_of as processes_on
from data_connections.settings import PROJECT, Settings

_MENDED = {(3, 11): 10, (3, 12): 6}
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\]+))?")
_GIB = 1024**3
_DAY = 24 * 3600


def python() -> Iterator[Finding]:
    """Look at the Python that runs this."""
    found = ".".join(map(str, sys.version_info[:3]))
    least = _MENDED.get(sys.version_info[:2], 0)
    if not (3, 11) <= sys.version_info[:2] <= (3, 14):
        yield bad("Python", f"Python {found} is none that the packages are locked for.", "Use Python 3.11 to 3.14.")
    elif sys.version_info[2] < least:
        mended = ".".join(map(str, (*sys.version_info[:2], least)))
        yield warning("Python", f"Python {found} has faults in zipfile and email.", f"Upgrade to {mended} or later.")
    else:
        yield good("Python", f"Python {found}.")


def packages() -> Iterator[Finding]:
    """Compare what is installed with what is locked."""
    lock = PROJECT / "requirements.txt"
    if not lock.exists():
        yield Finding("packages", "skipped", f"There is no {lock} to compare with.")
        return
    wanted = dict(_locked(lock.read_text(encoding="utf-8")))
    other = [f"{name} {found or 'is missing'} (locked: {locked})" for name, locked, found in _differences(wanted)]
    if other:
        more = f", and {len(other) - 3} more" if len(other) > 3 else ""
        yield bad("packages", f"Not as locked: {', '.join(other[:3])}{more}.", "Run `make setup`, or build the image.")
    else:
        yield good("packages", f"All {len(wanted)} packages are as locked; Airflow {version('apache-airflow')}.")


def _locked(text: str) -> Iterator[tuple[str, str]]:
    from packaging.markers import Marker

    for line in text.splitlines():
        match = _LOCKED.match(line)
        if match and (not match[3] or Marker(match[3].strip()).evaluate()):
            yield match[1], match[2]


def _differences(wanted: dict[str, str]) -> Iterator[tuple[str, str, str | None]]:
    for name, locked in wanted.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            found = None
        if found != locked:
            yield name, locked, found


def disk(settings: Settings) -> Iterator[Finding]:
    """Look at the free space where this machine keeps its things."""
    there = settings.home if settings.home.exists() else settings.home.parent
    usage = shutil.disk_usage(there)
    text = f"{usage.free / _GIB:.1f} GiB are free at {there} ({usage.free / usage.total:.0%})."
    advice = "Make room: originals lie in the landing area, logs in Airflow's home."
    if usage.free < _GIB:
        yield bad("disk", text, advice)
    elif usage.free < 0.05 * usage.total:
        yield warning("disk", text, advice)
    else:
        yield good("disk", text)


def keys(settings: Settings) -> Iterator[Finding]:
    """Look at the keys: there, usable, and readable by nobody else."""
    folder = settings.home / "keys"
    open_to_others = [
        path.name
        for path in (folder, *(folder.iterdir() if folder.exists() else ()))
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if open_to_others:
        yield bad("keys", f"Others may read {', '.join(open_to_others)} in {folder}.", f"Run `chmod -R go= {folder}`.")
    yield from _fernet(folder)


def _fernet(folder: Path) -> Iterator[Finding]:
    from cryptography.fernet import Fernet

    kept = folder / "fernet_key"
    text = os.environ.get("AIRFLOW__CORE__FERNET_KEY") or (kept.read_text(encoding="utf-8") if kept.exists() else "")
    if not text:
        yield warning(
            "keys", "There is no Fernet key yet.", "`make up` makes one; elsewhere set AIRFLOW__CORE__FERNET_KEY."
        )
        return
    try:
        for key in text.split(","):
            Fernet(key.strip().encode())
    except ValueError:
        yield bad("keys", "The Fernet key is none.", "Restore it from the backup: stored logins need the one of then.")
        return
    yield good("keys", "The Fernet key can be used.")


def leftovers(settings: Settings) -> Iterator[Finding]:
    """Look for processes without their supervisor, and files that a dead process left half written."""
    from local_stack import Stack
    from local_stack.airflow_environment import stack_folder
    from local_stack.processes import processes_of

    supervised = Stack(settings).is_supervised()
    strays = [] if supervised else [str(process.pid) for process in processes_of(stack_folder(settings))]
    server = embedded(settings)
    if server.status() is None:
        strays += [str(pid) for pid in processes_on(server.data)]
    if strays:
        yield bad("processes", f"Nobody looks after {', '.join(strays)}.", "Run `connections doctor --stop`.")
    else:
        yield good("processes", "The stack's supervisor runs." if supervised else "No process was left behind.")
    yield from _unfinished_files(settings)


def _unfinished_files(settings: Settings) -> Iterator[Finding]:
    incoming = Path(settings.landing_url) / "incoming"
    if "://" in settings.landing_url or not incoming.is_dir():
        return
    old = [path for path in incoming.iterdir() if time.time() - path.stat().st_mtime > _DAY]
    if old:
        yield warning(
            "landing area",
            f"{len(old)} files in {incoming} are older than a day: what wrote them is dead.",
            "They are no originals; delete them.",
        )
