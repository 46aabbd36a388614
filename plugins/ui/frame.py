"""What is around every page: the integrations in the menu, and the banner while all applying and sending is stopped."""

from __future__ import annotations

import logging
from typing import Any

import psycopg

from data_connections.errors import ConnectionsError
from data_connections.ledger import standstill
from data_connections.queries.integrations import list_integrations
from ui.books import open_ledger
from ui.integrations import visible_of
from ui.visitor import Visitor

_log = logging.getLogger(__name__)


def frame(visitor: Visitor | None) -> dict[str, Any]:
    """Return ``menu``, the integrations that the user sees, and ``halt``; nothing while the ledger is away."""
    if visitor is None:
        return {"menu": [], "halt": None}
    try:
        with open_ledger().connect() as connection:
            seen = visible_of(visitor, [dict(each) for each in list_integrations(connection)])
            return {"menu": seen, "halt": standstill.halted(connection)}
    except (ConnectionsError, psycopg.Error):
        _log.warning("The menu is without integrations: the ledger does not answer.")
        return {"menu": [], "halt": None}
