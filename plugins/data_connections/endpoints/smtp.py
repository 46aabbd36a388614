"""Sending a mail by SMTP: encrypted, to every recipient or to none, a limit on every wait."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from data_connections.endpoints.certificates import check_pinned, not_trusted, tls_context
from data_connections.endpoints.contract import Credentials, Timeouts
from data_connections.endpoints.names import shown
from data_connections.endpoints.sockets import open_socket
from data_connections.errors import ConnectionsError, FatalEndpointError, RetriableEndpointError
from data_connections.spec.mailbox import Tls

_NOT_TLS = ("WRONG_VERSION_NUMBER", "NO_PROTOCOLS_AVAILABLE", "RECORD_LAYER_FAILURE")


@dataclass(frozen=True)
class MailServer:
    """The server by which mails go out.

    Attributes:
        host: Name or address.
        port: TCP port.
        tls: When it is encrypted; a login is never sent readable.
        sender: Address that mails are from.
        credentials: Login and whom to trust; an empty login logs in nowhere.
        timeouts: Limits in seconds.
        name: What its credentials are called, for messages.
    """

    host: str
    port: int
    tls: Tls
    sender: str
    credentials: Credentials = field(default=Credentials(""))
    timeouts: Timeouts = field(default=Timeouts())
    name: str = ""

    @property
    def address(self) -> str:
        """``smtps://host:port``, or ``smtp://`` where nothing is encrypted."""
        return f"{'smtp' if self.tls == 'none' else 'smtps'}://{self.host}:{self.port}"

    @property
    def domain(self) -> str:
        """The domain of ``sender``."""
        return self.sender.rpartition("@")[2]

    def send(self, message: bytes, recipients: Sequence[str]) -> None:
        """Hand a mail over; it is the server's once this returns.

        Raises:
            FatalEndpointError: Login, certificate or a recipient is refused for good; nobody gets anything.
            RetriableEndpointError: The server did not answer, or cannot take it now. Where the connection was lost at
                the very end it may have been taken all the same.
        """
        with self._session() as session:
            self._hand_over(session, message, recipients)

    def check(self, recipients: Sequence[str]) -> None:
        """Log in and ask whether mails to these would be taken; nothing is sent. Errors as in ``send``."""
        with self._session() as session:
            self._address(session, 0, recipients)
            session.rset()

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        with _reported(self.address, self.timeouts):
            sock = asyncio.run(open_socket(self.host, self.port, self.timeouts))
            sock.settimeout(self.timeouts.login)
            context = tls_context(self.credentials) if self.tls != "none" else None
            with closing(self._implicitly_secured(sock, context)) as secured, closing(self._greet(secured)) as session:
                if self.tls == "starttls" and context is not None:
                    self._start_tls(session, context)
                self._log_in(session)
                yield session
                with suppress(smtplib.SMTPException, OSError):
                    session.quit()

    def _implicitly_secured(self, sock: socket.socket, context: ssl.SSLContext | None) -> socket.socket:
        if self.tls != "implicit" or context is None:
            return sock
        with sock:
            secured = context.wrap_socket(sock, server_hostname=self.host)
        try:
            check_pinned(secured, self.credentials, self.address)
        except BaseException:
            secured.close()
            raise
        return secured

    def _greet(self, sock: socket.socket) -> smtplib.SMTP:
        session = _Session(sock, self.host, self.domain, self.timeouts.operation)
        try:
            session.ehlo_or_helo_if_needed()
        except BaseException:
            session.close()
            raise
        return session

    def _start_tls(self, session: smtplib.SMTP, context: ssl.SSLContext) -> None:
        if not session.has_extn("starttls"):
            raise FatalEndpointError(
                f"{self.address}: the server offers no TLS (STARTTLS), and nothing was sent readable. Ask whoever "
                "runs it, or set disable_ssl to false for a port with TLS from the first byte."
            )
        session.starttls(context=context)
        assert isinstance(session.sock, ssl.SSLSocket)  # noqa: S101 - starttls makes it one, or raises
        check_pinned(session.sock, self.credentials, self.address)
        session.ehlo_or_helo_if_needed()

    def _log_in(self, session: smtplib.SMTP) -> None:
        if not self.credentials.login:
            return
        if self.tls == "none":
            raise FatalEndpointError(
                f"{self.address}: a login is not sent readable. Give the SMTP credentials {self.name!r} TLS "
                "(disable_tls: false), or no login."
            )
        try:
            session.login(self.credentials.login, self.credentials.password or "")
        except smtplib.SMTPAuthenticationError as refused:
            if refused.smtp_code < 500:
                raise
            raise FatalEndpointError(
                f"{self.address}: the server refused the login {self.credentials.login!r} ({_said(refused)}). Set the "
                f"password of the SMTP credentials {self.name!r} again; it may be wrong or expired."
            ) from refused

    def _hand_over(self, session: smtplib.SMTP, message: bytes, recipients: Sequence[str]) -> None:
        self._address(session, len(message), recipients)
        code, answer = session.data(message)
        if code != 250:
            raise smtplib.SMTPDataError(code, answer)

    def _address(self, session: smtplib.SMTP, size: int, recipients: Sequence[str]) -> None:
        """Say whom the mail is from and for; where one of them is refused, nobody gets it."""
        limit = session.esmtp_features.get("size", "")
        if limit.isdigit() and 0 < int(limit) < size:
            raise FatalEndpointError(
                f"{self.address}: the mail has {size:,} bytes, and the server takes {int(limit):,}. Lower the "
                "connection's details.attach_up_to, so that a link is sent in place of the file."
            )
        options = [f"size={size}"] if size and session.has_extn("size") else []
        if session.has_extn("8bitmime"):
            options.append("body=8bitmime")
        code, answer = session.mail(self.sender, options)
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, answer, self.sender)
        for recipient in recipients:
            code, answer = session.rcpt(recipient)
            if code not in (250, 251):
                raise smtplib.SMTPRecipientsRefused({recipient: (code, answer)})


class _Session(smtplib.SMTP):
    """smtplib on a socket of ours."""

    def __init__(self, sock: socket.socket, host: str, domain: str, timeout: float) -> None:
        self._given = sock
        super().__init__(timeout=timeout, local_hostname=domain)
        self._host = host
        code, answer = self.connect(host, 1)
        sock.settimeout(timeout)
        if code != 220:
            self.close()
            raise smtplib.SMTPConnectError(code, answer)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._given


@contextmanager
def _reported(address: str, timeouts: Timeouts) -> Iterator[None]:
    try:
        yield
    except ConnectionsError:
        raise
    except smtplib.SMTPException as answer:
        raise _refusal(address, answer) from answer
    except TimeoutError as late:
        raise RetriableEndpointError(
            f"{address}: no answer in time (limits in seconds: connect {timeouts.connect:g}, operation "
            f"{timeouts.operation:g}). The server may be frozen or cut off by a firewall; it is tried again."
        ) from late
    except OSError as error:
        raise _trouble(address, error) from error


def _refusal(address: str, answer: smtplib.SMTPException) -> ConnectionsError:
    if isinstance(answer, smtplib.SMTPServerDisconnected):
        return RetriableEndpointError(f"{address}: the connection was lost ({answer}). It is tried again.")
    if isinstance(answer, smtplib.SMTPRecipientsRefused):
        recipient, (code, text) = next(iter(answer.recipients.items()))
        sentence = f"{address}: the server does not take mails to {recipient} ({code} {_text(text)}); nobody got it"
        return _by_code(code, sentence)
    if isinstance(answer, smtplib.SMTPResponseException):
        return _by_code(answer.smtp_code, f"{address}: the server does not take the mail ({_said(answer)})")
    return FatalEndpointError(f"{address}: the server does not do it ({shown(str(answer))}).")


def _by_code(code: int, sentence: str) -> ConnectionsError:
    """Return the error for an answer: codes of 400 and more say that it may work later, those of 500 that it won't."""
    if code < 500:
        return RetriableEndpointError(f"{sentence}. It is tried again.")
    return FatalEndpointError(f"{sentence}.")


def _trouble(address: str, error: OSError) -> ConnectionsError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return not_trusted(address, error)
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return FatalEndpointError(
            f"{address}: the server does not speak TLS on this port. TLS from the first byte goes with port 465; for "
            "STARTTLS on port 587 set disable_ssl to true."
        )
    return RetriableEndpointError(
        f"{address}: the connection failed ({error.strerror or error}). Check host and port of the SMTP credentials; "
        "it is tried again."
    )


def _said(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_text(error.smtp_error)}"


def _text(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return shown(" ".join(text.split()))[:300]
