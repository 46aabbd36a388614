"""TCP connections to endpoints: every address of a name is tried, in bounded time."""

from __future__ import annotations

import asyncio
import socket

from data_connections.endpoints.contract import Timeouts
from data_connections.errors import RetriableEndpointError


async def open_socket(host: str, port: int, timeouts: Timeouts) -> socket.socket:
    """Connect by TCP to the first address of ``host`` that answers.

    Raises:
        RetriableEndpointError: No address answered within ``timeouts.connect`` seconds.
    """
    loop = asyncio.get_running_loop()
    problem: OSError | None = None
    async with asyncio.timeout(timeouts.connect):
        for family, kind, protocol, _, place in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            candidate = socket.socket(family, kind, protocol)
            candidate.setblocking(False)
            try:
                await loop.sock_connect(candidate, place)
            except OSError as error:
                candidate.close()
                problem = error
            except BaseException:
                candidate.close()
                raise
            else:
                return candidate
    raise problem or RetriableEndpointError(f"{host}:{port}: the name has no address.")
