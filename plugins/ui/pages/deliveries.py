"""Deliveries over all connections, and one of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from data_connections.ledger import Ledger
from data_connections.queries.connections import file_choices
from data_connections.queries.deliveries import DeliveryFilter, list_deliveries
from data_connections.steps import held_deliveries
from ui.airflow_dags import start_run
from ui.answers import go_back
from ui.books import LandingDep, LedgerDep
from ui.comparing import compare_files
from ui.downloads import kept_file
from ui.found import Id, visible_delivery
from ui.pages.connections import shown_query
from ui.rendering import render
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/deliveries", include_in_schema=False)


@router.get("")
def deliveries_page(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[DeliveryFilter, Query()]
) -> HTMLResponse:
    """Show the files that went out, the newest first."""
    with ledger.connect() as connection:
        visible = visitor.visible_ids(connection)
        lines = list_deliveries(connection, visible, wanted)
        choices = file_choices(connection, visible, "outbound")
    return render(
        request,
        "deliveries.html",
        visitor,
        here="deliveries",
        lines=lines[: wanted.size],
        more=len(lines) > wanted.size,
        choices=choices,
        wanted=wanted,
        query=shown_query(wanted),
    )


@router.get("/{delivery_id}")
def delivery_page(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    delivery_id: Id,
    against: Annotated[int | None, Query(ge=1)] = None,
) -> HTMLResponse:
    """Show one file that went out, and where asked for what differs from another one."""
    with ledger.connect() as connection:
        delivery = visible_delivery(connection, visitor, delivery_id)
        other = visible_delivery(connection, visitor, against) if against else None
        wanted = DeliveryFilter(connection=delivery.connection, size=20)
        siblings = [line for line in list_deliveries(connection, None, wanted) if line["id"] != delivery.id]
    difference = compare_files(landing, other, delivery) if other else None
    return render(
        request,
        "delivery.html",
        visitor,
        here="deliveries",
        delivery=delivery,
        siblings=siblings,
        other=other,
        difference=difference,
    )


@router.get("/{delivery_id}/files/{number}")
def delivery_file(visitor: VisitorDep, ledger: LedgerDep, landing: LandingDep, delivery_id: Id, number: Id) -> Response:
    """Download the bytes of one file that was sent."""
    with ledger.connect() as connection:
        delivery = visible_delivery(connection, visitor, delivery_id)
    for file in delivery.files:
        if file.number == number:
            return kept_file(landing, file.landing_key, file.file_name)
    raise HTTPException(404, f"The delivery {delivery_id} has no file {number}.")


@router.post("/{delivery_id}/send")
def send(request: Request, visitor: VisitorDep, ledger: LedgerDep, delivery_id: Id) -> RedirectResponse:
    """Let a file go that waits for approval."""
    let_go(visitor, ledger, delivery_id)
    return go_back(request, f"deliveries/{delivery_id}", "let_go")


def let_go(visitor: Visitor, ledger: Ledger, delivery_id: int) -> str | None:
    """Approve a delivery that waits, and start the run that sends it; return its id, None where it was sent before.

    Raises:
        HTTPException: 404 where the delivery is not to be seen, 403 where the right is missing.
        ConfigurationError: It does not wait.
    """
    name = _must_decide(visitor, ledger, delivery_id)
    run_id = held_deliveries.approve(ledger, delivery_id, visitor.name)
    return run_id and start_run(name, visitor.name, {held_deliveries.SEND: delivery_id}, run_id)


@router.post("/{delivery_id}/refuse")
def refuse(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    delivery_id: Id,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> RedirectResponse:
    """Refuse a file that waits for approval: it is never sent."""
    turn_down(visitor, ledger, delivery_id, reason)
    return go_back(request, f"deliveries/{delivery_id}", "turned_down")


def turn_down(visitor: Visitor, ledger: Ledger, delivery_id: int, reason: str) -> None:
    """Refuse a delivery that waits; errors as in ``let_go``."""
    _must_decide(visitor, ledger, delivery_id)
    held_deliveries.refuse(ledger, delivery_id, visitor.name, reason)


def _must_decide(visitor: Visitor, ledger: Ledger, delivery_id: int) -> str:
    with ledger.connect() as connection:
        name = visible_delivery(connection, visitor, delivery_id).connection
    visitor.must(visitor.may_run(name), f"run {name}")
    return name


@router.post("/{delivery_id}/send-again")
def send_again(request: Request, visitor: VisitorDep, ledger: LedgerDep, delivery_id: Id) -> RedirectResponse:
    """Start a run that makes and sends the same business day once more."""
    with ledger.connect() as connection:
        delivery = visible_delivery(connection, visitor, delivery_id)
    visitor.must(visitor.may_run(delivery.connection), f"run {delivery.connection}")
    start_run(delivery.connection, visitor.name, {"business_date": delivery.business_date.isoformat()})
    return go_back(request, f"deliveries/{delivery.id}", "sent")
