"""Trial files that wait for their check: connections take turns, so that nobody waits for another's many files."""

from __future__ import annotations

from collections import deque
from threading import Lock

MOST_WAITING = 1000
"""Names kept of one connection; of more it is only known that there are some."""


class TrialQueue:
    """Names of trial files by connection, each once; it may be used from any thread."""

    def __init__(self) -> None:
        self._names: dict[int, dict[bytes, None]] = {}
        self._turns: deque[int] = deque()
        self._overlooked: set[int] = set()
        self._busy: set[int] = set()
        self._lock = Lock()

    def add(self, connection_id: int, name: bytes) -> None:
        """Let a file wait for its turn, unless it does already."""
        with self._lock:
            names = self._names.setdefault(connection_id, {})
            if len(names) >= MOST_WAITING and name not in names:
                self._overlooked.add(connection_id)
                return
            names[name] = None
            if connection_id not in self._turns:
                self._turns.append(connection_id)

    def take(self) -> tuple[int, bytes] | None:
        """Return the next file of a connection of which none is being checked, which then is one; see ``done``."""
        with self._lock:
            for connection_id in self._turns:
                if connection_id not in self._busy:
                    break
            else:
                return None
            self._turns.remove(connection_id)
            names = self._names[connection_id]
            name = next(iter(names))
            del names[name]
            self._busy.add(connection_id)
            if names:
                self._turns.append(connection_id)
            else:
                del self._names[connection_id]
            return connection_id, name

    def done(self, connection_id: int) -> None:
        """Take note that the file of a connection that was taken has been checked."""
        with self._lock:
            self._busy.discard(connection_id)

    def take_overlooked(self) -> set[int]:
        """Return the connections of which files came while too many waited and none waits any more, and forget them."""
        with self._lock:
            found = {each for each in self._overlooked if each not in self._names and each not in self._busy}
            self._overlooked -= found
            return found
