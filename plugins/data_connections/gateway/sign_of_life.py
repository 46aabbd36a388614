"""The gateway notes in the ledger that it is at work, so that it is missed when it is not."""

from __future__ import annotations

import asyncio
import logging

from data_connections.errors import ConnectionsError
from data_connections.ledger import Ledger, signs_of_life

EVERY = 60.0
_log = logging.getLogger(__name__)


async def note_on(ledger: Ledger) -> None:
    """Note it every minute, until cancelled; a ledger that is away is tried again."""
    while True:
        try:
            await asyncio.to_thread(_note, ledger)
        except ConnectionsError as away:
            _log.warning("The gateway could not note that it is at work: %s", away)
        await asyncio.sleep(EVERY)


def _note(ledger: Ledger) -> None:
    with ledger.connect() as connection:
        signs_of_life.note(connection, signs_of_life.GATEWAY)
