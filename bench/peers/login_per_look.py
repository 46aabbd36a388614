"""A trigger that waits as ours does, but logs in for every look and leaves again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from data_connections.endpoints.contract import Endpoint, RemoteFile
from data_connections.spec import InboundConnection
from hooks.endpoint import EndpointHook
from triggers.files import FilesTrigger


class LoginPerLook(FilesTrigger):
    """Ours, without anything shared between connections or looks."""

    async def watch(self, spec: InboundConnection, every: float) -> Visits:  # type: ignore[override]
        """Return the folder, with a login of its own for each look."""
        hook = EndpointHook(spec)
        credentials = await hook.acredentials()
        return Visits(lambda: hook.endpoint(credentials), spec.details.folder)


class Visits:
    """A folder that is looked at by a new login each time."""

    def __init__(self, make: Callable[[], Endpoint], folder: str) -> None:
        self._make = make
        self._folder = folder

    async def look(self) -> list[RemoteFile]:
        """Log in, list, leave."""
        endpoint: Endpoint = self._make()
        async with endpoint:
            return await endpoint.list(self._folder)

    async def read(self, path: str, most: int) -> bytes:
        """No connection here has manifests."""
        raise NotImplementedError(path, most)

    async def rest(self, seconds: float) -> None:
        """Wait until the next look is due."""
        await asyncio.sleep(seconds)
