"""Deliveries: listing, downloads, comparing, sending again, deciding."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from data_connections.queries.deliveries import DeliveryFilter
from data_connections.queries.deliveries import list_deliveries as listed
from data_connections.queries.filters import LARGEST_ID
from ui.airflow_dags import start_run
from ui.api.models import DeliveryDetail, DeliveryLine, Differences, LetGo, Newest, Started
from ui.api.once import IdempotencyKey, once
from ui.books import LandingDep, LedgerDep
from ui.comparing import compare_files
from ui.found import Id, visible_delivery
from ui.pages import deliveries as pages
from ui.visitor import VisitorDep

router = APIRouter(prefix="/deliveries", tags=["deliveries"])
Reason = Annotated[str, Query(max_length=500, description="Why; stands with the delivery.")]
Against = Annotated[int, Query(ge=1, le=LARGEST_ID, description="Number of the delivery that it is compared with.")]


@router.get("")
def list_deliveries(
    visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[DeliveryFilter, Query()]
) -> Newest[DeliveryLine]:
    """List deliveries, the newest first."""
    with ledger.connect() as connection:
        found = listed(connection, visitor.visible_ids(connection), wanted)
    return Newest[DeliveryLine](
        items=[DeliveryLine(**line) for line in found[: wanted.size]],
        next_before=found[wanted.size - 1]["id"] if len(found) > wanted.size else None,
    )


@router.get("/{delivery_id}")
def get_delivery(visitor: VisitorDep, ledger: LedgerDep, delivery_id: Id) -> DeliveryDetail:
    """Return one delivery with its files."""
    with ledger.connect() as connection:
        return DeliveryDetail(**asdict(visible_delivery(connection, visitor, delivery_id)))


@router.get("/{delivery_id}/files/{number}", response_class=Response)
def get_delivery_file(
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    delivery_id: Id,
    number: Annotated[int, Path(ge=1, lt=2**31)],
) -> Response:
    """Download the bytes of one of the files that were sent."""
    return pages.delivery_file(visitor, ledger, landing, delivery_id, number)


@router.get("/{delivery_id}/differences")
def compare_deliveries(
    visitor: VisitorDep, ledger: LedgerDep, landing: LandingDep, delivery_id: Id, against: Against
) -> Differences:
    """Say what differs between the files of this delivery and those of another one."""
    with ledger.connect() as connection:
        delivery = visible_delivery(connection, visitor, delivery_id)
        other = visible_delivery(connection, visitor, against)
    return Differences.model_validate(compare_files(landing, other, delivery), from_attributes=True)


@router.post("/{delivery_id}/send-again", status_code=201)
def send_again(visitor: VisitorDep, ledger: LedgerDep, delivery_id: Id, key: IdempotencyKey = None) -> Started:
    """Start a run that makes and sends the same business day once more."""
    with ledger.connect() as connection:
        delivery = visible_delivery(connection, visitor, delivery_id)
    visitor.must(visitor.may_run(delivery.connection), f"run {delivery.connection}")
    conf = {"business_date": delivery.business_date.isoformat()}
    asked = ["send again", delivery_id]
    return Started(
        **once(ledger, visitor, key, asked, lambda: {"dag_run_id": start_run(delivery.connection, visitor.name, conf)})
    )


@router.post("/{delivery_id}/send", status_code=201)
def send_delivery(visitor: VisitorDep, ledger: LedgerDep, delivery_id: Id) -> LetGo:
    """Let a file go that waits for approval; the same again starts nothing."""
    return LetGo(dag_run_id=pages.let_go(visitor, ledger, delivery_id))


@router.post("/{delivery_id}/refuse", status_code=204)
def refuse_delivery(visitor: VisitorDep, ledger: LedgerDep, delivery_id: Id, reason: Reason = "") -> None:
    """Refuse a file that waits for approval: it is never sent."""
    pages.turn_down(visitor, ledger, delivery_id, reason)
