"""What asyncssh and the sockets say, turned into errors that say what to do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh
from asyncssh import sftp as protocol

from data_connections.endpoints.contract import Timeouts
from data_connections.endpoints.names import shown
from data_connections.errors import (
    ConnectionsError,
    EndpointFileExists,
    EndpointFileMissing,
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
    place = f"{address}: {doing}" + (f" {shown(path)!r}" if path is not None else "")
    try:
        yield
    except ConnectionsError:
        raise
    except TimeoutError as error:
        raise RetriableEndpointError(
            f"{place}: no answer in time (limits in seconds: connect {timeouts.connect:g}, login {timeouts.login:g}, "
            f"operation {timeouts.operation:g}, stall {timeouts.stall:g}). The server may be frozen or cut off by a "
            "firewall; it is tried again, then ask whoever runs it."
        ) from error
    except asyncssh.SFTPError as error:
        raise _sftp_error(place, error) from error
    except (asyncssh.Error, OSError, EOFError) as error:
        raise _connection_error(place, error) from error


def _sftp_error(place: str, error: asyncssh.SFTPError) -> ConnectionsError:
    said = shown(error.reason or type(error).__name__)
    if isinstance(error, _MISSING):
        return EndpointFileMissing(f"{place}: it is not there. Somebody may have moved or deleted it.")
    if isinstance(error, asyncssh.SFTPFileAlreadyExists):
        return EndpointFileExists(f"{place}: a file of that name is there already, and nothing is overwritten unasked.")
    if isinstance(error, _DENIED):
        return FatalEndpointError(
            f"{place}: the server does not allow it ({said}). Ask whoever runs it for the right on that folder."
        )
    if isinstance(error, _FULL):
        return RetriableEndpointError(f"{place}: the server is full ({said}). It is tried again.")
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
    if isinstance(error, socket.gaierror):
        return RetriableEndpointError(
            f"{place}: the host name cannot be resolved ({error.strerror}). Check its spelling and the DNS."
        )
    if isinstance(error, ConnectionRefusedError):
        return RetriableEndpointError(
            f"{place}: the connection was refused. Nothing listens on that port now, or a firewall refuses us; "
            "check host and port, and whether our address is allowed."
        )
    return _cut(place, shown(getattr(error, "reason", "") or str(error) or type(error).__name__))


def _cut(place: str, said: str) -> RetriableEndpointError:
    return RetriableEndpointError(
        f"{place}: the connection was lost ({said}). The network may be down, or the server restarts or takes no more "
        "logins just now (MaxStartups); it is tried again."
    )
