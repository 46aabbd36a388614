"""The folder of a hosted connection, for tasks and triggers: on a disk that they share with the gateway."""

from __future__ import annotations

import asyncio
from pathlib import Path

from data_connections.endpoints.contract import RemoteFile
from data_connections.endpoints.hosted import HostedEndpoint
from data_connections.endpoints.hosted_mail import HostedMailbox
from data_connections.gateway.configuration import hosted_folder
from data_connections.gateway.places import place_of
from data_connections.ledger import Ledger, connection_ids
from data_connections.ledger.arrival_notice import shared_notices
from data_connections.settings import Settings
from data_connections.spec import ConnectionSpec
from hooks.ledger import LedgerHook


def hosted_endpoint(spec: ConnectionSpec) -> HostedEndpoint | HostedMailbox:
    """Return the partner's folder at the gateway, or the mails to the partner's address there.

    Raises:
        UnknownName: The connection is not in the ledger.
    """
    return place_of(_hosted(), connection_ids.of_name(LedgerHook().get_conn(), spec.name), spec)


def _hosted() -> Path:
    return hosted_folder(Settings.from_environment())


class HostedWatch:
    """What a waiting connection sees of its folder; the gateway's word that a file arrived ends its rest early.

    Args:
        ledger: The ledger, through which the word comes.
        connection_id: The connection.
        spec: Its spec.
    """

    def __init__(self, ledger: Ledger, connection_id: int, spec: ConnectionSpec) -> None:
        self._notices = shared_notices(ledger)
        self._connection_id = connection_id
        self._endpoint = place_of(_hosted(), connection_id, spec)

    async def look(self) -> list[RemoteFile]:
        """Return the folder's files now."""
        await self._endpoint.connect()
        return await self._endpoint.list("/")

    async def read(self, path: str, most: int) -> bytes:
        """Return a small file of the folder."""
        content = b""
        async for block in self._endpoint.read(path):
            content += block
        return content[:most]

    async def rest(self, seconds: float) -> None:
        """Wait until a file arrives, or ``seconds`` have passed."""
        await self._notices.wait(self._connection_id, seconds)


async def watch_hosted(spec: ConnectionSpec) -> HostedWatch:
    """Return the connection's folder for a trigger; errors as in ``hosted_endpoint``."""
    ledger = await asyncio.to_thread(LedgerHook().get_conn)
    return HostedWatch(ledger, await asyncio.to_thread(connection_ids.of_name, ledger, spec.name), spec)
