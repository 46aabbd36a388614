"""The user that the server runs as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data_connections.errors import ConfigurationError

_UNPRIVILEGED = ("nobody", "daemon")


@dataclass(frozen=True)
class Account:
    """A user of the machine.

    Attributes:
        name: Its login name.
        uid: User id.
        gid: Group id.
    """

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether this process runs as this user already."""
        return self.uid == os.geteuid()

    def run(
        self, command: Sequence[str], *, folder: Path = Path("/"), given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run ``command`` as this user in ``folder``, with a clean environment and ``given`` as its input."""
        return subprocess.run(
            command,
            cwd=folder,
            env=dict(_clean_environment()),
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            umask=0o077,
            user=None if self.is_ours else self.uid,
            group=None if self.is_ours else self.gid,
            extra_groups=None if self.is_ours else [],
        )

    def can_enter(self, folder: Path) -> bool:
        """Whether this user may read ``folder`` and enter it, all folders above it included."""
        if self.is_ours:
            return True
        return self.run(["/bin/sh", "-c", 'cd -- "$1" && test -r .', "sh", str(folder)]).returncode == 0

    def own(self, folder: Path) -> None:
        """Make ``folder`` for this user alone, where it does not exist yet.

        Raises:
            ConfigurationError: It is there already and belongs to somebody else, or others may enter it.
        """
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            self._check_own(folder)
        else:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)

    def _check_own(self, folder: Path) -> None:
        found = folder.lstat()
        if found.st_uid != self.uid or found.st_mode & 0o077 or folder.is_symlink():
            raise ConfigurationError(
                f"This folder must belong to the user {self.name} and to nobody else (mode 0700). Run this as the "
                "user that made it, or choose another folder with CONNECTIONS_HOME.",
                path=folder,
            )


@cache
def server_account() -> Account:
    """Return the user that the server runs as: this process's own, or an unprivileged one for root.

    Raises:
        ConfigurationError: Root has no unprivileged user to drop to.
    """
    if os.geteuid() != 0:
        return _account(pwd.getpwuid(os.geteuid()))
    for name in _UNPRIVILEGED:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise ConfigurationError(
        f"PostgreSQL does not run as root, and this machine has none of the users {', '.join(_UNPRIVILEGED)}. "
        "Run this as another user, or set CONNECTIONS_DATABASE_URL."
    )


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _clean_environment() -> Mapping[str, str]:
    """Only what the programs need: no PG* variable and no locale of ours changes what they do."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
