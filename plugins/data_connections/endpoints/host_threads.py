"""Threads for protocols whose clients block: a few per host, so that a frozen host stops nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from weakref import WeakValueDictionary

THREADS = 4

_threads: WeakValueDictionary[tuple[str, int], ThreadPoolExecutor] = WeakValueDictionary()
_making = Lock()


def threads_of(host: str, port: int) -> ThreadPoolExecutor:
    """Return the threads for one host, the same for all who ask while somebody holds them; they end by themselves."""
    with _making:
        threads = _threads.get((host, port))
        if threads is None:
            threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"host-{host}")
            _threads[host, port] = threads
        return threads
