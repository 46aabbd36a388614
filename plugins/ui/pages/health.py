"""Health: what runs, and what needs somebody. It answers whatever is down."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from data_connections.errors import LedgerUnavailable
from data_connections.ledger import Ledger
from data_connections.queries.health import health
from data_connections.queries.services import our_services
from ui.books import LedgerDep
from ui.rendering import render
from ui.services import service_states
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/health", include_in_schema=False)


@router.get("")
def health_page(request: Request, visitor: VisitorDep, ledger: LedgerDep) -> HTMLResponse:
    """Show the services and everything that waits for a person."""
    return render(request, "health.html", visitor, here="health", **all_health(visitor, ledger))


def all_health(visitor: Visitor, ledger: Ledger) -> dict[str, Any]:
    """Return the services' states, and what needs somebody; ``found`` is None where the ledger does not answer."""
    services = service_states()
    try:
        with ledger.connect() as connection:
            found = health(connection, visitor.visible_ids(connection))
            ours = our_services(connection)
    except LedgerUnavailable as away:
        return {"services": {**services, "ledger": "unhealthy"}, "found": None, "trouble": str(away)}
    return {"services": {**services, "ledger": "healthy", **ours}, "found": found, "trouble": None}
