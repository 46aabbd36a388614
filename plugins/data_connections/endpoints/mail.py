"""Mails as an endpoint: each file in a mail is a file, by mailbox, UIDVALIDITY, UID and part, and nothing is changed.

Mails never change under one UID, so what was found in one is remembered as long as the endpoint lives.
"""

from __future__ import annotations

import asyncio
import logging
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NoReturn

from data_connections.endpoints.arrival import Reason
from data_connections.endpoints.contract import Endpoint, RemoteFile, Source
from data_connections.endpoints.mail_message import Attachment, Mail, read_mail
from data_connections.endpoints.mail_rules import MailFile
from data_connections.endpoints.names import decode_name, shown
from data_connections.errors import (
    EndpointError,
    EndpointFileMissing,
    FatalEndpointError,
    RetriableEndpointError,
)

MOST_BYTES = 50 * 1024 * 1024
"""A larger mail is not read: mail servers hardly take any, and it would have to be held in memory."""

BLOCK = 1024 * 1024
_PATH = re.compile(
    r"(?P<mailbox>.*);UIDVALIDITY=(?P<validity>\d+)/;UID=(?P<uid>\d+)(?:/;SECTION=(?P<section>[\d.]+))?", re.DOTALL
)
PATIENCE = 3
"""How often a mail may end the connection before it is taken for the reason."""

_log = logging.getLogger(__name__)


class MailUnreadable(EndpointError):
    """The server does not hand out one mail, although it hands out others."""


@dataclass(frozen=True)
class MailId:
    """A mail in a mailbox: a UID means the same mail as long as UIDVALIDITY is the same.

    Attributes:
        mailbox: Folder of the mailbox.
        validity: Its UIDVALIDITY.
        uid: The mail's number in it.
    """

    mailbox: str
    validity: int
    uid: int

    @property
    def path(self) -> str:
        """How the ledger names it, after RFC 5092."""
        return f"{self.mailbox};UIDVALIDITY={self.validity}/;UID={self.uid}"

    def path_of(self, section: str) -> str:
        """Return how the ledger names a file in it."""
        return f"{self.path}/;SECTION={section}"

    @classmethod
    def of(cls, path: str) -> tuple[MailId, str]:
        """Return the mail and the section that a path names; the section of a mail as a whole is empty.

        Raises:
            EndpointFileMissing: It names none.
        """
        match = _PATH.fullmatch(path)
        if match is None:
            raise EndpointFileMissing(f"{shown(path)!r} names no file in a mail.")
        return cls(match["mailbox"], int(match["validity"]), int(match["uid"])), match["section"] or ""


@dataclass(frozen=True)
class MailState:
    """What is known of a mail without reading it.

    Attributes:
        id: Which one.
        received_at: When it came in, UTC.
        size: Bytes as the server counts them, roughly.
    """

    id: MailId
    received_at: datetime
    size: int


@dataclass(frozen=True)
class Farewell:
    """What happens to a mail whose files have their outcome.

    Attributes:
        action: What the connection says.
        folder: For ``move``: where to.
        mark_read: Whether it is marked as read.
    """

    action: Literal["keep", "flag", "move", "delete"]
    folder: str = ""
    mark_read: bool = False


class MailEndpoint(Endpoint):
    """Mails whose attachments are files; what is kept where is each kind's own."""

    def __init__(self) -> None:
        self._found: dict[MailId, tuple[MailFile, ...]] = {}
        self._last: tuple[MailId, datetime, Mail] | None = None
        self._troubles: Counter[MailId] = Counter()

    @abstractmethod
    async def states(self, mailbox: str) -> Sequence[MailState]:
        """Return the mails that are looked at, in the order of their UIDs."""

    @abstractmethod
    async def raw(self, mail: MailId) -> tuple[datetime, bytes]:
        """Return when a mail came in, UTC, and its bytes; one above ``MOST_BYTES`` is cut off after them.

        Raises:
            EndpointFileMissing: It is gone, or the mailbox was made anew.
        """

    @abstractmethod
    async def finish(self, mail: MailId, farewell: Farewell) -> None:
        """Do with a mail what is to be done when all its files have their outcome; doing it twice is fine.

        Raises:
            EndpointFileMissing: It is gone already.
        """

    async def list(self, folder: str) -> list[RemoteFile]:
        """Return the files in the mails of one folder; a mail without any stands as one that cannot be taken.

        A mail that cannot be read keeps no other from being listed.
        """
        states = await self.states(folder)
        files: list[RemoteFile] = []
        for state in states:
            if state.id not in self._found:
                try:
                    self._found[state.id] = await self._look_into(state)
                except EndpointFileMissing:
                    continue
            files.extend(self._found[state.id])
        here = {state.id for state in states}
        self._found = {mail: found for mail, found in self._found.items() if mail.mailbox != folder or mail in here}
        return files

    async def _look_into(self, state: MailState) -> tuple[MailFile, ...]:
        whole = MailFile(state.id.path, f"mail {state.id.uid}", state.size, state.received_at)
        if state.size > MOST_BYTES:
            return (_refused(whole, Reason.LARGE_MAIL),)
        try:
            received_at, raw = await self.raw(state.id)
        except RetriableEndpointError:
            self._troubles[state.id] += 1
            if self._troubles[state.id] < PATIENCE:
                raise
            return (_refused(whole, Reason.UNREADABLE_MAIL),)
        except MailUnreadable as poison:
            _log.warning("%s", poison)
            return (_refused(whole, Reason.UNREADABLE_MAIL),)
        if len(raw) > MOST_BYTES:
            return (_refused(whole, Reason.LARGE_MAIL),)
        try:
            mail = await asyncio.to_thread(read_mail, raw)
        except Exception as poison:  # whatever a mail does to the parser, the others are read
            _log.warning("%s: %s cannot be read: %r", self.address, state.id.path, poison)
            return (_refused(whole, Reason.UNREADABLE_MAIL),)
        self._last = (state.id, received_at, mail)
        if not mail.attachments:
            subject = decode_name(mail.subject.encode("utf-8", "surrogateescape")) or whole.name
            whole = MailFile(whole.path, subject, whole.size, received_at, _storable(mail.sender))
            return (_refused(whole, Reason.NO_FILE, mail.results),)
        return tuple(_file(state.id, received_at, mail, each) for each in mail.attachments)

    async def stat(self, path: str) -> RemoteFile:
        """Return a file in a mail; the mail has to be there still."""
        mail, section = MailId.of(path)
        received_at, content = await self._read(mail, fresh=True)
        return _file(mail, received_at, content, self._part(content, section, path))

    async def read(self, path: str, offset: int = 0) -> AsyncIterator[bytes]:
        """Yield the bytes of a file in a mail, decoded."""
        mail, section = MailId.of(path)
        _, content = await self._read(mail)
        data = self._part(content, section, path).content
        for start in range(offset, len(data), BLOCK):
            yield data[start : start + BLOCK]

    async def _read(self, mail: MailId, *, fresh: bool = False) -> tuple[datetime, Mail]:
        """Return a mail; the one that was read last is held, because files of one mail are read one after the other."""
        if self._last is not None and self._last[0] == mail:
            if fresh:
                await self.check_there(mail)
            return self._last[1], self._last[2]
        try:
            received_at, raw = await self.raw(mail)
            content = await asyncio.to_thread(read_mail, raw)
        except (RetriableEndpointError, FatalEndpointError, EndpointFileMissing):
            raise
        except Exception as poison:  # as when it was listed
            raise EndpointFileMissing(f"{self.address}: {shown(mail.path)!r} cannot be read any more.") from poison
        self._last = (mail, received_at, content)
        return received_at, content

    @abstractmethod
    async def check_there(self, mail: MailId) -> None:
        """Make sure that a mail is there still; errors as in ``raw``."""

    def _part(self, mail: Mail, section: str, path: str) -> Attachment:
        found = next((each for each in mail.attachments if each.section == section), None)
        if found is None:
            raise EndpointFileMissing(f"{self.address}: {shown(path)!r}: the mail has no such part.")
        return found

    async def upload(self, path: str, source: Source) -> int:
        """Refuse: mails are only taken from here."""
        self._refuse(path)

    async def move(self, old: str, new: str, *, replace: bool = False) -> None:
        """Refuse: what happens to a mail is ``finish``'s, for all its files at once."""
        self._refuse(old)

    async def delete(self, path: str) -> None:
        """Refuse, like ``move``."""
        self._refuse(path)

    async def make_folder(self, path: str) -> None:
        """Refuse: files are not put here."""
        self._refuse(path)

    def _refuse(self, path: str) -> NoReturn:
        raise FatalEndpointError(f"{self.address}: {shown(path)!r}: files in mails are read, and nothing else.")


def _refused(file: MailFile, problem: Reason, results: tuple[str, ...] = ()) -> MailFile:
    return MailFile(file.path, file.name, file.size, file.mtime, file.sender, results, problem)


def _file(mail: MailId, received_at: datetime, content: Mail, part: Attachment) -> MailFile:
    return MailFile(
        mail.path_of(part.section),
        part.name,
        part.size,
        received_at,
        _storable(content.sender),
        content.results,
        Reason.DAMAGED if part.is_damaged else None,
    )


def _storable(sender: str) -> str:
    return decode_name(sender.encode("utf-8", "surrogateescape"))
