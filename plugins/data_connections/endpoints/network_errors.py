"""What every protocol has to say in the same words: late answers, hosts that cannot be reached, full servers."""

from __future__ import annotations

import socket

from data_connections.endpoints.contract import Timeouts
from data_connections.endpoints.names import shown
from data_connections.errors import EndpointFileMissing, FatalEndpointError, RetriableEndpointError


def place_of(address: str, doing: str, path: str | None) -> str:
    """Return where something happened, and during what."""
    return f"{address}: {doing}" + (f" {shown(path)!r}" if path is not None else "")


def late(place: str, timeouts: Timeouts, *, also: str = "") -> RetriableEndpointError:
    """Return the error for an answer that did not come in time."""
    return RetriableEndpointError(
        f"{place}: no answer in time (limits in seconds: connect {timeouts.connect:g}, login {timeouts.login:g}, "
        f"operation {timeouts.operation:g}, stall {timeouts.stall:g}). The server may be frozen or cut off by a "
        f"firewall{also}; it is tried again, then ask whoever runs it."
    )


def unreachable(place: str, error: Exception) -> RetriableEndpointError | None:
    """Return the error for a host that has no address or takes no connection; None for any other trouble."""
    if isinstance(error, socket.gaierror):
        return RetriableEndpointError(
            f"{place}: the host name cannot be resolved ({error.strerror}). Check its spelling and the DNS."
        )
    if isinstance(error, ConnectionRefusedError):
        return RetriableEndpointError(
            f"{place}: the connection was refused. Nothing listens on that port now, or a firewall refuses us; "
            "check host and port, and whether our address is allowed."
        )
    return None


def full(place: str, said: str) -> RetriableEndpointError:
    """Return the error for a server that has no room."""
    return RetriableEndpointError(f"{place}: the server is full ({said}). It is tried again.")


def not_allowed(place: str, said: str) -> FatalEndpointError:
    """Return the error for something that the login may not do."""
    return FatalEndpointError(
        f"{place}: the server does not allow it ({said}). Ask whoever runs it for the right on that folder."
    )


def missing(place: str) -> EndpointFileMissing:
    """Return the error for a file that is not there."""
    return EndpointFileMissing(f"{place}: it is not there. Somebody may have moved or deleted it.")
