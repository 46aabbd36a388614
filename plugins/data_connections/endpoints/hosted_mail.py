"""Mails that came to an address of ours at the gateway, on this machine's disk, as an endpoint."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from data_connections.endpoints.mail import MOST_BYTES, Farewell, MailEndpoint, MailId, MailState
from data_connections.errors import EndpointFileMissing, FatalEndpointError, RetriableEndpointError

SUFFIX = ".eml"
_VALIDITY = 1


class HostedMailbox(MailEndpoint):
    """A partner's mails at the gateway; each is a file named by its UID, and never changes.

    Args:
        root: The folder that they lie in.
    """

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root

    @property
    def address(self) -> str:
        """``hosted:`` and the number of the connection."""
        return f"hosted:{self._root.parent.name}"

    async def connect(self) -> None:
        """Make the folder, where no mail has come yet."""
        await asyncio.to_thread(self._root.mkdir, mode=0o750, parents=True, exist_ok=True)

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    async def states(self, mailbox: str) -> Sequence[MailState]:
        """Return the mails in the order in which they came."""
        return await asyncio.to_thread(self._states, mailbox)

    def _states(self, mailbox: str) -> list[MailState]:
        found = []
        for path in self._root.glob(f"*{SUFFIX}"):
            try:
                state = path.lstat()
            except FileNotFoundError:
                continue
            if path.stem.isdigit():
                mail = MailId(mailbox, _VALIDITY, int(path.stem))
                found.append(MailState(mail, datetime.fromtimestamp(state.st_mtime, UTC), state.st_size))
        return sorted(found, key=lambda mail: mail.id.uid)

    async def raw(self, mail: MailId) -> tuple[datetime, bytes]:
        """Return when a mail came and its bytes."""
        return await asyncio.to_thread(self._raw, mail)

    def _raw(self, mail: MailId) -> tuple[datetime, bytes]:
        try:
            with self._path(mail).open("rb") as stream:
                content = stream.read(MOST_BYTES + 1)
            return datetime.fromtimestamp(self._path(mail).stat().st_mtime, UTC), content
        except FileNotFoundError as gone:
            raise EndpointFileMissing(f"{self.address}: {mail.path!r} is not there any more.") from gone
        except OSError as failed:
            kind = FatalEndpointError if failed.errno in (errno.EACCES, errno.EPERM) else RetriableEndpointError
            raise kind(f"{self.address}: the disk does not hand out {mail.path!r} ({failed.strerror}).") from failed

    async def check_there(self, mail: MailId) -> None:
        """Make sure that a mail is there still."""
        if not await asyncio.to_thread(self._path(mail).exists):
            raise EndpointFileMissing(f"{self.address}: {mail.path!r} is not there any more.")

    async def finish(self, mail: MailId, farewell: Farewell) -> None:
        """Delete a mail, where that is what the connection says."""
        if farewell.action == "delete":
            await asyncio.to_thread(self._path(mail).unlink, missing_ok=True)

    def _path(self, mail: MailId) -> Path:
        return self._root / f"{mail.uid}{SUFFIX}"
