"""TCP ports on this machine."""

from __future__ import annotations

import socket

DEFAULT_PORT = 8080
SFTP_PORT = 2222
FTP_PORT = 2121
SMTP_PORT = 2525
HTTPS_PORT = 8443


def free_port_near(wanted: int) -> int:
    """Return ``wanted`` when nobody listens on it, else a port that the system says is free."""
    return wanted if is_free(wanted) else _any_free_port()


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of every address of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
