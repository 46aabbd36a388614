"""What FTP servers and sockets say, turned into errors that say what to do."""

from __future__ import annotations

import ftplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from data_connections.endpoints.certificates import not_trusted
from data_connections.endpoints.contract import Timeouts
from data_connections.endpoints.names import shown
from data_connections.endpoints.network_errors import full, late, not_allowed, place_of, unreachable
from data_connections.errors import (
    ConnectionsError,
    FatalEndpointError,
    RetriableEndpointError,
)

_BUSY = re.compile(r"too many|maximum|limit|try again|busy", re.IGNORECASE)
_TLS_WANTED = re.compile(r"tls|ssl|secure|encrypt", re.IGNORECASE)
_FULL = ("452", "552")
_FAILED = "451"


def said(error: Exception) -> str:
    """Return what the server said, fit to show."""
    return shown(" ".join(str(error).split())) or type(error).__name__


def is_connection_lost(error: BaseException) -> bool:
    """Whether the connection itself is of no use any more after ``error``."""
    if isinstance(error, ftplib.error_temp):
        return str(error).startswith("421")
    return not isinstance(error, ftplib.error_perm | ConnectionsError)


@contextmanager
def reported(address: str, doing: str, timeouts: Timeouts, path: str | None = None) -> Iterator[None]:
    """Raise whatever happens inside as an endpoint error that names the place and what was being done."""
    place = place_of(address, doing, path)
    try:
        yield
    except ConnectionsError:
        raise
    except TimeoutError as error:
        raise late(place, timeouts, also=", also only the ports of its data connections") from error
    except ftplib.error_perm as error:
        raise _refusal(place, error) from error
    except (ftplib.Error, OSError, EOFError) as error:
        raise _trouble(place, error) from error


def _refusal(place: str, error: ftplib.error_perm) -> ConnectionsError:
    if str(error).startswith(_FULL):
        return full(place, said(error))
    return not_allowed(place, said(error))


def _trouble(place: str, error: Exception) -> ConnectionsError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return not_trusted(place, error)
    if away := unreachable(place, error):
        return away
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "NO_PROTOCOLS_AVAILABLE"):
        return FatalEndpointError(
            f"{place}: the server does not speak TLS 1.2 or later there ({error.reason}). Check `tls` and the port: "
            "`explicit` is usual on port 21, `implicit` on 990."
        )
    if str(error).startswith(_FAILED):
        return RetriableEndpointError(
            f"{place}: the server failed to read or write it ({said(error)}); its disk may be full. It is tried again."
        )
    if str(error).startswith(_FULL):
        return full(place, said(error))
    return RetriableEndpointError(
        f"{place}: the connection was lost or the server gave up ({said(error)}). The network may be down, or the "
        "server restarts or takes no more logins just now; it is tried again."
    )


def login_refused(address: str, login: str, error: ftplib.error_perm, *, encrypted: bool) -> ConnectionsError:
    """Return the error for a login that the server did not take."""
    reason = said(error)
    if _BUSY.search(reason):
        return RetriableEndpointError(
            f"{address}: the server takes nobody more just now ({reason}); it is tried again."
        )
    if not encrypted and _TLS_WANTED.search(reason):
        return FatalEndpointError(
            f"{address}: the server lets nobody in over plain FTP ({reason}). Set `tls: explicit` in the details."
        )
    if "expired" in reason.lower():
        return FatalEndpointError(
            f"{address}: the password of login {shown(login)!r} has expired ({reason}). Ask the partner for a new one "
            "and set the credentials again."
        )
    return FatalEndpointError(
        f"{address}: the server refused the login {shown(login)!r} ({reason}). Check the login name, which is "
        "case-sensitive, and set the credentials again; it is not tried again by itself, so that the account is not "
        "locked."
    )


def no_tls(address: str, error: ftplib.error_perm) -> FatalEndpointError:
    """Return the error for a server that has no TLS."""
    return FatalEndpointError(
        f"{address}: the server offers no TLS ({said(error)}), and nothing is sent readable unasked. Ask the partner "
        "for FTPS or SFTP; only where that cannot be, say `tls: none` in the details."
    )
