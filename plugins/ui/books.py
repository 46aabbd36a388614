"""The ledger and the landing area, as routes open them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from data_connections.landing import Landing
from data_connections.ledger import Ledger
from hooks.landing import LandingHook
from hooks.ledger import LedgerHook


def open_ledger() -> Ledger:
    """Return the ledger; each ``connect()`` opens a connection of its own."""
    return LedgerHook().get_conn()


def open_landing() -> Landing:
    """Return the landing area of originals."""
    return LandingHook().get_conn()


LedgerDep = Annotated[Ledger, Depends(open_ledger)]
LandingDep = Annotated[Landing, Depends(open_landing)]
