"""What IMAP servers and sockets say, turned into errors that say what to do."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from imapclient.exceptions import IMAPClientError

from data_connections.endpoints.certificates import not_trusted
from data_connections.endpoints.contract import Timeouts
from data_connections.endpoints.names import shown
from data_connections.errors import (
    ConnectionsError,
    EndpointFolderMissing,
    FatalEndpointError,
    RetriableEndpointError,
)

_LATER = re.compile(r"unavailable|inuse|try again|too many|limit|temporar|maximum", re.IGNORECASE)
_NOT_TLS = ("WRONG_VERSION_NUMBER", "NO_PROTOCOLS_AVAILABLE", "RECORD_LAYER_FAILURE")


def said(error: BaseException) -> str:
    """Return what the server said, fit to show."""
    text = error.args[0] if error.args else error
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return shown(" ".join(str(text).split()))[:300] or type(error).__name__


def is_connection_lost(error: BaseException) -> bool:
    """Whether the connection itself is of no use any more after ``error``."""
    if isinstance(error, imaplib.IMAP4.abort):
        return True
    return not isinstance(error, IMAPClientError | ConnectionsError)


def login_refused(address: str, login: str, error: IMAPClientError) -> ConnectionsError:
    """Return the error for a login that the server does not take."""
    answer = said(error)
    if _LATER.search(answer):
        return RetriableEndpointError(f"{address}: the server does not let us in now ({answer}). It is tried again.")
    return FatalEndpointError(
        f"{address}: the server refused the login {login!r} ({answer}). The password may be wrong or expired, or "
        "logging in by IMAP may have to be allowed for this mailbox; set it with `connections credentials set`."
    )


def mailbox_missing(address: str, mailbox: str, error: IMAPClientError) -> ConnectionsError:
    """Return the error for a folder that cannot be opened."""
    answer = said(error)
    if _LATER.search(answer):
        return RetriableEndpointError(f"{address}: {shown(mailbox)!r} cannot be opened now ({answer}).")
    return EndpointFolderMissing(
        f"{address}: there is no folder {shown(mailbox)!r} in this mailbox ({answer}). Check the connection's folder; "
        "folders inside INBOX may be named such as INBOX.Orders or INBOX/Orders."
    )


@contextmanager
def reported(address: str, doing: str, timeouts: Timeouts) -> Iterator[None]:
    """Raise whatever happens inside as an endpoint error that names the place and what was being done."""
    place = f"{address}: {doing}"
    try:
        yield
    except ConnectionsError:
        raise
    except TimeoutError as error:
        raise RetriableEndpointError(
            f"{place}: no answer in time (limits in seconds: connect {timeouts.connect:g}, login {timeouts.login:g}, "
            f"operation {timeouts.operation:g}). The server may be frozen or cut off by a firewall; it is tried again, "
            "then ask whoever runs it."
        ) from error
    except (IMAPClientError, OSError, EOFError) as error:
        raise _trouble(place, error) from error


def _trouble(place: str, error: Exception) -> ConnectionsError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return not_trusted(place, error)
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return FatalEndpointError(
            f"{place}: the server does not speak TLS on this port. `tls: implicit` goes with port 993, `tls: starttls` "
            "with port 143."
        )
    if isinstance(error, socket.gaierror):
        return RetriableEndpointError(
            f"{place}: the host name cannot be resolved ({error.strerror}). Check its spelling and the DNS."
        )
    if isinstance(error, ConnectionRefusedError):
        return RetriableEndpointError(
            f"{place}: the connection was refused. Nothing listens on that port now, or a firewall refuses us; "
            "check host and port, and whether our address is allowed."
        )
    if is_connection_lost(error):
        return RetriableEndpointError(f"{place}: the connection was lost ({said(error)}). It is tried again.")
    if _LATER.search(said(error)):
        return RetriableEndpointError(f"{place}: the server cannot do it now ({said(error)}). It is tried again.")
    return FatalEndpointError(
        f"{place}: the server does not do it ({said(error)}). Ask whoever runs it for the right on that mailbox."
    )
