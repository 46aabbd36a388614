"""What asyncssh and the sockets say, turned into errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh
from asyncssh import sftp as protocol

from data_connections.endpoints.contract import Timeouts
from data_connections.endpoints.names import shown
from data_connections.endpoints.network_errors import full, late, missing, not_allowed, place_of, unreachable
from data_connections.errors import (
    ConnectionsError,
    EndpointFileExists,
    FatalEndpointError,
    RetriableEndpointError,
)

_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPInvalidFilename)
_DENIED = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect, asyncssh.SFTPOpUnsupported)
_FULL = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
_CUT = (protocol.SFTPConnectionLost, protocol.SFTPNoConnection, protocol.SFTPBadMessage)


def is_connection_lost(error: BaseException) -> bool:
    """Whether the connection itself is of no use any more after ``error``."""
    broken = (OSError, asyncssh.DisconnectError, asyncssh.ChannelOpenError, EOFError, *_CUT)
    return isinstance(error, broken)


@contextmanager
def reported(address: str, doing: str, timeouts: Timeouts, path: str | None = None) -> Iterator[None]:
    """Raise whatever happens inside as an endpoint error that names the place and what was being done."""
    place = place_of(address, doing, path)
    try:
        yield
    except ConnectionsError:
        raise
    except TimeoutError as error:
        raise late(place, timeouts) from error
    except asyncssh.SFTPError as error:
        raise _sftp_error(place, error) from error
    except (asyncssh.Error, OSError, EOFError) as error:
        raise _connection_error(place, error) from error


def _sftp_error(place: str, error: asyncssh.SFTPError) -> ConnectionsError:
    said = shown(error.reason or type(error).__name__)
    if isinstance(error, _MISSING):
        return missing(place)
    if isinstance(error, asyncssh.SFTPFileAlreadyExists):
        return EndpointFileExists(f"{place}: a file of that name is there already, and nothing is overwritten unasked.")
    if isinstance(error, _DENIED):
        return not_allowed(place, said)
    if isinstance(error, _FULL):
        return full(place, said)
    if isinstance(error, _CUT):
        return _cut(place, said)
    return RetriableEndpointError(
        f"{place}: the server failed without a reason that helps ({said}); its disk may be full, or the folder gone. "
        "It is tried again."
    )


def _connection_error(place: str, error: Exception) -> ConnectionsError:
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return FatalEndpointError(
            f"{place}: the server and we share no cipher, key exchange or host key algorithm ({shown(error.reason)}). "
            "The server needs a current SSH version."
        )
    if away := unreachable(place, error):
        return away
    return _cut(place, shown(getattr(error, "reason", "") or str(error) or type(error).__name__))


def _cut(place: str, said: str) -> RetriableEndpointError:
    return RetriableEndpointError(
        f"{place}: the connection was lost ({said}). The network may be down, or the server restarts or takes no more "
        "logins just now (MaxStartups); it is tried again."
    )
