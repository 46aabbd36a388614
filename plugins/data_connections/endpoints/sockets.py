"""TCP connections to endpoints: every address of a name is tried, in bounded time."""

from __future__ import annotations

import asyncio
import socket

from data_connections.endpoints.contract import Timeouts
from data_connections.endpoints.reachable import Reachable
from data_connections.errors import FatalEndpointError, RetriableEndpointError


async def open_socket(host: str, port: int, timeouts: Timeouts) -> socket.socket:
    """Connect by TCP to the first address of ``host`` that answers and may be reached.

    The name is resolved once, and what is connected in the end is checked again.

    Raises:
        FatalEndpointError: None of its addresses may be reached (see ``reachable``).
        RetriableEndpointError: No address answered within ``timeouts.connect`` seconds.
    """
    loop = asyncio.get_running_loop()
    reachable = Reachable.here()
    place = f"{host}:{port}"
    problem: Exception | None = None
    async with asyncio.timeout(timeouts.connect):
        for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                reachable.check(place, str(address[0]))
            except FatalEndpointError as refused:
                problem = problem or refused
                continue
            candidate = socket.socket(family, kind, protocol)
            candidate.setblocking(False)
            try:
                await loop.sock_connect(candidate, address)
                reachable.check(place, candidate.getpeername()[0])
            except OSError as error:
                candidate.close()
                problem = error
            except BaseException:
                candidate.close()
                raise
            else:
                return candidate
    raise problem or RetriableEndpointError(f"{place}: the name has no address.")
