"""The mails to one connection's address: on the disk, whole, before the sender is told that we have them.

::

    HOSTED/<connection id>/mails/<number>.eml
                           incoming/          mails that are being written
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from pathlib import Path

from data_connections.endpoints.hosted_mail import SUFFIX
from data_connections.gateway.folder import INCOMING
from data_connections.gateway.refusals import Cause, Refused
from data_connections.gateway.room import FolderRoom
from data_connections.gateway.transfers import flush_folder

MAILS = "mails"


class PartnerMailbox:
    """One connection's mails; numbers go up and are never given twice.

    Args:
        place: ``HOSTED/<connection id>``.
        most_bytes: Bytes of all mails together.
        most_mails: Mails.
    """

    def __init__(self, place: Path, most_bytes: int, most_mails: int) -> None:
        self.mails = place / MAILS
        self._incoming = place / INCOMING
        for folder in (self.mails, self._incoming):
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._room = FolderRoom(self.mails, most_bytes, most_mails)
        self._numbering = threading.Lock()
        self._last = max((int(path.stem) for path in self.mails.glob(f"*{SUFFIX}") if path.stem.isdigit()), default=0)

    def change_quotas(self, most_bytes: int, most_mails: int) -> None:
        """Go on with other quotas, such as after a new revision."""
        self._room.most_bytes, self._room.most_files = most_bytes, most_mails

    def keep(self, head: bytes, mail: bytes) -> int:
        """Put a mail on the disk and return its number; blocks until it is there.

        Args:
            head: Header lines of ours that go before it.
            mail: The mail as it came.

        Raises:
            Refused: The mailbox is full, or the disk; nothing of the mail is kept.
        """
        size = len(head) + len(mail)
        self._room.take_file(0)
        self._room.take(size)
        unfinished = self._incoming / secrets.token_hex(16)
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "wb") as stream:
                stream.write(head)
                stream.write(mail)
                stream.flush()
                os.fsync(stream.fileno())
            return self._publish(unfinished)
        except OSError as failed:
            self._room.give_back(size)
            raise Refused(Cause.FULL, f"The mail could not be kept ({failed.strerror}).") from failed
        finally:
            unfinished.unlink(missing_ok=True)

    def _publish(self, unfinished: Path) -> int:
        with self._numbering:
            self._last = max(self._last + 1, time.time_ns() // 1000)
            (self.mails / f"{self._last}{SUFFIX}").hardlink_to(unfinished)
            flush_folder(self.mails)
            return self._last

    def take_back(self, number: int) -> None:
        """Forget a mail that another of its recipients could not be given."""
        (self.mails / f"{number}{SUFFIX}").unlink(missing_ok=True)
