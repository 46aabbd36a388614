"""Destinations: the places that connections send files to, each with its status and the loads that go there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from data_connections.catalog import all_current
from data_connections.catalog.removal import delete, undelete
from data_connections.ledger import Ledger
from data_connections.queries.connections import ConnectionFilter
from data_connections.queries.filters import LARGEST_PAGE
from ui.airflow_dags import dag_states
from ui.answers import go_back
from ui.books import LedgerDep
from ui.limits import room_for_more
from ui.pages.connections import connection_page
from ui.rendering import render, root_of
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/destinations", include_in_schema=False)
_WORST = ("error", "initializing", "active")


@router.get("")
def destinations_page(request: Request, visitor: VisitorDep, ledger: LedgerDep) -> HTMLResponse:
    """Show every place that files are sent to."""
    found = destinations(visitor, ledger)
    return render(
        request,
        "destinations.html",
        visitor,
        here="destinations",
        destinations=found,
        limit=room_for_more(ledger, None),
    )


@router.get("/{credentials}/{host}")
def destination_page(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, credentials: str, host: str
) -> HTMLResponse:
    """Show the load orders of one destination: the connections that deliver there."""
    chosen = one_destination(visitor, ledger, credentials, host)
    names = [line["name"] for line in chosen["loads"]]
    room = room_for_more(ledger, chosen["loads"][0]["program"])
    values: dict[str, Any] = {"destination": chosen, "dags": dag_states(names), "limit": room}
    return render(request, "destination.html", visitor, here="destinations", **values)


@router.post("/{credentials}/{host}/delete")
def delete_destination(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, credentials: str, host: str
) -> RedirectResponse:
    """Delete the connections that deliver there; the list offers to take it back."""
    names = delete_loads(visitor, ledger, credentials, host)
    query = urlencode({"done": "deleted_there", "names": ",".join(names)})
    return RedirectResponse(f"{root_of(request)}/destinations?{query}", 303)


@router.post("/restore")
def restore_destination(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, names: Annotated[str, Form(max_length=20_000)]
) -> RedirectResponse:
    """Take the deletion of a destination back: of these connections, with commas between them."""
    restore_loads(visitor, ledger, [name for name in names.split(",") if name])
    return go_back(request, "destinations", "restored")


def delete_loads(visitor: Visitor, ledger: Ledger, credentials: str, host: str) -> list[str]:
    """Delete the connections that deliver to a destination, and return their names.

    Raises:
        HTTPException: 403 where the user may not, 404 for a destination that is not there, 409 for files' connections.
    """
    names = [line["name"] for line in one_destination(visitor, ledger, credentials, host)["loads"]]
    for name in names:
        visitor.must(visitor.may_edit(name), f"delete {name}")
    if kept := [
        each.name for each in all_current(ledger) if each.name in names and each.managed_by.startswith("files:")
    ]:
        raise HTTPException(409, f"Nothing was deleted: {', '.join(kept)} would come back, since files manage them.")
    for name in names:
        delete(ledger, name, visitor.name)
    return names


def restore_loads(visitor: Visitor, ledger: Ledger, names: list[str]) -> None:
    """Take the deletion of connections back.

    Raises:
        HTTPException: 403 where the user may not.
    """
    for name in names:
        visitor.must(visitor.may_edit(name), f"restore {name}")
    for name in names:
        undelete(ledger, name, visitor.name)


def one_destination(visitor: Visitor, ledger: Ledger, credentials: str, host: str) -> dict[str, Any]:
    """Return a destination.

    Raises:
        HTTPException: 404 for one that nothing visible delivers to.
    """
    found = destinations(visitor, ledger)
    chosen = [each for each in found if (each["credentials"], each["host"]) == (credentials, host)]
    if not chosen:
        raise HTTPException(404, f"Nothing is sent to {host} with the credentials {credentials}.")
    return chosen[0]


def destinations(visitor: Visitor, ledger: Ledger) -> list[dict[str, Any]]:
    """Return the places that visible outbound connections deliver to, by host and credentials."""
    wanted = ConnectionFilter(direction="outbound", size=LARGEST_PAGE)
    lines: list[dict[str, Any]] = []
    total, page = 1, 1
    while len(lines) < total and page <= 1 + total // LARGEST_PAGE:
        found = connection_page(visitor, ledger, wanted.model_copy(update={"page": page}))
        lines, total, page = lines + found.lines, found.total, page + 1
    places: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in lines:
        places.setdefault((line["host"] or "here", line["credentials"] or "none"), []).append(line)
    return [_destination(host, credentials, loads) for (host, credentials), loads in sorted(places.items())]


def _destination(host: str, credentials: str, loads: list[dict[str, Any]]) -> dict[str, Any]:
    newest = max(loads, key=lambda line: line["updated_at"])
    return {
        "host": host,
        "credentials": credentials,
        "method": newest["method"],
        "connected_by": newest["connected_by"],
        "status": _worst(line["setup"] for line in loads),
        "issues": [(line["name"], line["refusal"]) for line in loads if line["refusal"]],
        "updated_at": max(line["last_active"] or line["updated_at"] for line in loads),
        "loads": loads,
    }


def _worst(statuses: Iterable[str]) -> str:
    return min(statuses, key=_WORST.index)
