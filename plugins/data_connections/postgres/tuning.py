"""Server settings that fit the machine and the work: bulk loads, many small readers."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

_MB = 1024 * 1024


def server_options(socket_folder: Path, port: int | None, *, durable: bool) -> dict[str, str]:
    """Return the settings of the embedded server.

    Args:
        socket_folder: Where it makes its socket.
        port: TCP port on the loopback address, or None for no TCP.
        durable: Whether committed data survives a crash of the machine.
    """
    options = {
        "unix_socket_directories": str(socket_folder),
        "unix_socket_permissions": "0700",
        "listen_addresses": "127.0.0.1" if port else "",
        "port": str(port or 5432),
        **_memory(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")),
        **_WRITE_AHEAD_LOG,
        **_LOGGING,
        # Segments in /dev/shm vanish when their user logs out of systemd, and containers have little room there.
        "dynamic_shared_memory_type": "mmap",
        "max_connections": "200",
        "jit": "off",
        "random_page_cost": "1.1",
        "timezone": "UTC",
    }
    return options if durable else options | _NOT_DURABLE


def as_options(options: Mapping[str, str]) -> str:
    """Return ``options`` as pg_ctl passes them on, quoted for the shell that it uses."""
    return shlex.join(word for key, value in options.items() for word in ("-c", f"{key}={value}"))


def _memory(total: int) -> dict[str, str]:
    """An eighth of the machine at most: Airflow's processes live beside it."""
    shared = min(max(total // 8 // _MB, 128), 1024)
    return {
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{max(total // 2 // _MB, 256)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{min(max(total // 32 // _MB, 64), 512)}MB",
    }


# Few, spread checkpoints: a file of a million rows should not cause several, and finds the log of the one before it.
_WRITE_AHEAD_LOG = {
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "min_wal_size": "1GB",
    "checkpoint_timeout": "15min",
}

_NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "min_wal_size": "128MB",
}

# A week of logs, each weekday over the one before; no statements, which hold business data.
_LOGGING = {
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "server-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_timezone": "UTC",
}
