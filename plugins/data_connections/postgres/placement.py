"""Where an embedded server keeps its files, and where it can be reached."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from data_connections.postgres.account import Account
from data_connections.postgres.programs import Programs

# Length of sun_path in Linux's sockaddr_un, less the closing zero.
_LONGEST_SOCKET = 107
_SOCKET_NAME = ".s.PGSQL.65535.lock"
_SHARED = Path("/var/lib/connections")
_SHORT = Path("/tmp")  # noqa: S108 - the folder in it is checked to be ours alone


@dataclass(frozen=True)
class _Files:
    folder: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder, by its real path."""
        return self.folder / "data"

    @property
    def start_log(self) -> Path:
        """What the server said before its own log began."""
        return self.folder / "start.log"


@dataclass(frozen=True)
class Placement(_Files):
    """A server's folder that is ready for its user.

    Attributes:
        folder: Real path; belongs to the server's user alone.
        socket_folder: Where the socket is; belongs to the server's user alone.
        programs: Programs that the server's user can run.
    """

    socket_folder: Path
    programs: Programs

    @staticmethod
    def of(folder: Path) -> _Files:
        """Return the files of the server at ``folder`` as they are now, whether it exists or not."""
        return _Files(folder.resolve())

    @classmethod
    def prepare(cls, folder: Path, account: Account, programs: Programs) -> Placement:
        """Make ``folder`` ready for ``account``; changes no permission of any other folder.

        Where root's unprivileged user cannot reach ``folder`` (a home folder with mode 0700, say), the files are
        kept in /var/lib/connections, and ``folder`` is a link to them.

        Raises:
            ConfigurationError: ``folder`` belongs to another user.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.exists() and not account.can_enter(folder.parent):
            folder.symlink_to(_elsewhere(account), target_is_directory=True)
        real = folder.resolve()
        account.own(real)
        if not account.can_enter(programs.root):
            programs = programs.copied_to(_shared())
        return cls(real, _socket_folder(real, account), programs)

    def end_of_log(self, lines: int = 15) -> str:
        """Return the last lines of what the server said."""
        logs = [self.start_log, *sorted(self.data.glob("log/*.log"), key=lambda log: log.stat().st_mtime)[-1:]]
        text = "\n".join(log.read_text(encoding="utf-8", errors="replace") for log in logs if log.exists())
        return "\n".join(text.splitlines()[-lines:])


def _elsewhere(account: Account) -> Path:
    folder = _shared() / f"postgres-{secrets.token_hex(6)}"
    account.own(folder)
    return folder


def _shared() -> Path:
    _SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    return _SHARED


def _socket_folder(folder: Path, account: Account) -> Path:
    """Return a folder for the socket whose path fits into a socket address."""
    chosen = folder / "socket"
    if len(str(chosen / _SOCKET_NAME).encode()) > _LONGEST_SOCKET:
        digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        chosen = _SHORT / f"connections-{account.uid}-{digest}"
    account.own(chosen)
    return chosen
