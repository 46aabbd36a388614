"""One IMAP login, in calls that block: each ends by its socket's time limit, or when ``abort`` is called."""

from __future__ import annotations

import imaplib
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import CapabilityError, IMAPClientError

from data_connections.endpoints.certificates import check_pinned
from data_connections.endpoints.contract import Credentials, Timeouts
from data_connections.endpoints.cuttable import Cuttable, calling
from data_connections.endpoints.imap_errors import login_refused, mailbox_missing, said
from data_connections.endpoints.mail import MOST_BYTES, Farewell, MailId, MailState, MailUnreadable
from data_connections.errors import EndpointFileMissing, FatalEndpointError
from data_connections.spec.mailbox import Tls

PIECE = 1024 * 1024


class _Protocol(imaplib.IMAP4):
    """imaplib on a socket of ours, which is connected, checked and has its time limit."""

    def __init__(self, host: str, port: int, sock: socket.socket) -> None:
        self._given = sock
        super().__init__(host, port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self._given


class _Client(IMAPClient):  # type: ignore[misc]  # imapclient has no types
    def __init__(self, host: str, port: int, sock: socket.socket) -> None:
        self._given = sock
        super().__init__(host, port, use_uid=True, ssl=False)
        # Else times are turned into those of this machine, without their zone.
        self.normalise_times = False

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - the name is imapclient's
        return _Protocol(self.host, self.port, self._given)


class ImapSession(Cuttable):
    """A connection that is logged in.

    Attributes:
        used: When it last answered, in seconds of the monotonic clock.
    """

    def __init__(
        self,
        sock: socket.socket,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        timeouts: Timeouts,
        address: str,
    ) -> None:
        super().__init__()
        self._host = host
        self._port = port
        self._context = context
        self._timeouts = timeouts
        self._address = address
        self._given = sock
        self._logged_in: _Client | None = None
        self._selected: tuple[str, int, bool] | None = None
        self.used = time.monotonic()

    @property
    def _client(self) -> _Client:
        assert self._logged_in is not None  # noqa: S101 - the first thing that is done
        return self._logged_in

    @calling
    def log_in(self, tls: Tls, credentials: Credentials) -> None:
        """Greet, encrypt and log in.

        Raises:
            FatalEndpointError: No TLS where it is wanted, another certificate, or a refused login.
        """
        self._given.settimeout(self._timeouts.login)
        if tls == "implicit" and self._context is not None:
            secured = self._context.wrap_socket(self._given, server_hostname=self._host, do_handshake_on_connect=False)
            # First kept, so that it can be cut while the server is silent.
            self._given = secured
            secured.do_handshake()
            check_pinned(secured, credentials, self._address)
        self._logged_in = client = _Client(self._host, self._port, self._given)
        if tls == "starttls":
            _start_tls(client, self._context, credentials, self._address)
        if client.has_capability("LOGINDISABLED"):
            raise FatalEndpointError(f"{self._address}: the server lets nobody log in without TLS. Set tls: starttls.")
        try:
            client.login(credentials.login, credentials.password or "")
        except imaplib.IMAP4.abort:
            raise
        except IMAPClientError as error:
            raise login_refused(self._address, credentials.login, error) from error
        client.socket().settimeout(self._timeouts.operation)

    @calling
    def states(self, mailbox: str, since: date, known: Iterable[MailState]) -> list[MailState]:
        """Return the mails that came in on ``since`` or later, by UID; what is known of some is not asked again."""
        validity = self._select(mailbox)
        uids = sorted(self._client.search(["UNDELETED", "SINCE", since]))
        at_hand = {state.id: state for state in known}
        new = [uid for uid in uids if MailId(mailbox, validity, uid) not in at_hand]
        for uid, received_at, size in self._times_and_sizes(new):
            mail = MailId(mailbox, validity, uid)
            at_hand[mail] = MailState(mail, received_at, size)
        self.used = time.monotonic()
        wanted = (MailId(mailbox, validity, uid) for uid in uids)
        return [at_hand[mail] for mail in wanted if mail in at_hand]

    def _times_and_sizes(self, uids: list[int]) -> Iterator[tuple[int, datetime, int]]:
        """Yield them for all mails at once; where one answer cannot be read, each by itself."""
        asked = ["INTERNALDATE", "RFC822.SIZE"]
        try:
            answers = dict(self._client.fetch(uids, asked)) if uids else {}
        except imaplib.IMAP4.abort:
            raise
        except (IMAPClientError, ValueError):
            if len(uids) > 1:
                for uid in uids:
                    yield from self._times_and_sizes([uid])
                return
            answers = {uids[0]: {}}
        for uid, found in answers.items():
            received_at = found.get(b"INTERNALDATE") or datetime.now(UTC)
            yield uid, _utc(received_at), int(found.get(b"RFC822.SIZE") or 0)

    @calling
    def received_at(self, mail: MailId) -> datetime:
        """Return when a mail came in; errors as in ``piece``."""
        self._find(mail)
        received_at = self._fetched(mail, "INTERNALDATE").get(b"INTERNALDATE")
        if received_at is None:
            raise MailUnreadable(f"{self._address}: {mail.path} came in at no time that can be read.")
        return _utc(received_at)

    @calling
    def piece(self, mail: MailId, offset: int) -> bytes:
        """Return up to ``PIECE`` bytes of a mail from ``offset``, none at its end; it stays unread.

        Raises:
            EndpointFileMissing: It is gone, or the mailbox was made anew and its numbers mean other mails.
        """
        self._find(mail)
        found = self._fetched(mail, f"BODY.PEEK[]<{offset}.{min(PIECE, MOST_BYTES + 1 - offset)}>")
        self.used = time.monotonic()
        body = next((value for key, value in found.items() if key.startswith(b"BODY[]")), None)
        return body if isinstance(body, bytes) else b""

    def _fetched(self, mail: MailId, what: str) -> dict[bytes, Any]:
        try:
            found = self._client.fetch([mail.uid], [what]).get(mail.uid)
        except imaplib.IMAP4.abort:
            raise
        except (IMAPClientError, ValueError) as poison:
            raise MailUnreadable(f"{self._address}: {mail.path} cannot be read ({said(poison)}).") from poison
        if not found:
            raise EndpointFileMissing(f"{self._address}: {mail.path} is gone. Somebody may have moved or deleted it.")
        return dict(found)

    @calling
    def finish(self, mail: MailId, farewell: Farewell) -> None:
        """Mark, flag, move or delete a mail; errors as in ``piece``."""
        self._find(mail, write=True)
        self._fetched(mail, "UID")
        if farewell.mark_read and farewell.action != "delete":
            self._client.add_flags([mail.uid], [b"\\Seen"], silent=True)
        if farewell.action == "flag":
            self._client.add_flags([mail.uid], [b"\\Flagged"], silent=True)
        elif farewell.action == "move":
            self._move(mail, farewell.folder)
        elif farewell.action == "delete":
            self._delete(mail)

    def _move(self, mail: MailId, folder: str) -> None:
        self.make_mailbox(folder)
        if self._client.has_capability("MOVE"):
            self._client.move([mail.uid], folder)
        else:
            self._client.copy([mail.uid], folder)
            self._delete(mail)

    def _delete(self, mail: MailId) -> None:
        """Delete a mail; without UIDPLUS it is only marked, because EXPUNGE would delete other people's marks too."""
        self._client.add_flags([mail.uid], [b"\\Deleted"], silent=True)
        with suppress(CapabilityError):
            self._client.uid_expunge([mail.uid])

    @calling
    def make_mailbox(self, folder: str) -> bool:
        """Make a folder of the mailbox unless it is there; return whether it was not."""
        if self._client.folder_exists(folder):
            return False
        self._client.create_folder(folder)
        return True

    @calling
    def may_write(self, mailbox: str) -> bool:
        """Whether flags of mails in a folder may be changed."""
        self._selected = None
        return b"READ-WRITE" in self._choose(mailbox, write=True)

    @calling
    def remove_mailbox(self, folder: str) -> None:
        """Delete a folder that was just made."""
        self._client.delete_folder(folder)

    def _find(self, mail: MailId, *, write: bool = False) -> None:
        if self._selected is None or self._selected[:2] != (mail.mailbox, mail.validity) or self._selected[2] < write:
            validity = self._select(mail.mailbox, write=write)
            if validity != mail.validity:
                raise EndpointFileMissing(
                    f"{self._address}: {mail.path} is gone: the mailbox was made anew (UIDVALIDITY is {validity} now), "
                    "and its numbers mean other mails."
                )

    def _select(self, mailbox: str, *, write: bool = False) -> int:
        self._selected = None
        answer = self._choose(mailbox, write=write)
        validity = int(answer.get(b"UIDVALIDITY", 0))
        self._selected = (mailbox, validity, write)
        return validity

    def _choose(self, mailbox: str, *, write: bool) -> dict[bytes, Any]:
        try:
            return dict(self._client.select_folder(mailbox, readonly=not write))
        except imaplib.IMAP4.abort:
            raise
        except IMAPClientError as error:
            raise mailbox_missing(self._address, mailbox, error) from error

    @calling
    def check(self) -> None:
        """Ask whether the connection still lives."""
        self._client.noop()
        self.used = time.monotonic()

    def leave(self) -> None:
        """Say goodbye and close."""
        with suppress(OSError, IMAPClientError), self.call():
            self._client.logout()
        self.abort()

    def _shut(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        if self._logged_in is not None:
            with suppress(OSError):
                self._logged_in.shutdown()
        self._given.close()

    @property
    def _socket(self) -> socket.socket:
        found: socket.socket = self._given if self._logged_in is None else self._logged_in.socket()
        return found


def _start_tls(client: _Client, context: ssl.SSLContext | None, credentials: Credentials, address: str) -> None:
    try:
        client.starttls(context)
    except CapabilityError as without:
        raise FatalEndpointError(
            f"{address}: the server offers no TLS (STARTTLS). Nothing was sent readable; try tls: implicit on port "
            "993, or ask whoever runs it."
        ) from without
    check_pinned(client.socket(), credentials, address)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
