"""Deliveries, destinations, activity, data types, credentials and health."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from data_connections.data_types import load_data_types
from data_connections.queries.activity import ActivityFilter
from data_connections.queries.activity import list_activity as listed_activity
from data_connections.queries.deliveries import DeliveryFilter
from data_connections.queries.deliveries import list_deliveries as listed_deliveries
from data_connections.settings import Settings
from ui.airflow_dags import start_run
from ui.api.models import ActivityLine, DeliveryLine, LetGo, Newest, Started
from ui.api.once import IdempotencyKey, once
from ui.books import LandingDep, LedgerDep
from ui.found import Id, visible_delivery
from ui.pages import deliveries as pages
from ui.pages.destinations import destinations
from ui.pages.health import all_health
from ui.visitor import VisitorDep

router = APIRouter()
Reason = Annotated[str, Query(max_length=500, description="Why; stands with the delivery.")]


@router.get("/deliveries", tags=["deliveries"])
def list_deliveries(
    visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[DeliveryFilter, Query()]
) -> Newest[DeliveryLine]:
    """List deliveries, the newest first."""
    with ledger.connect() as connection:
        found = listed_deliveries(connection, visitor.visible_ids(connection), wanted)
    return Newest[DeliveryLine](
        items=[DeliveryLine(**line) for line in found[: wanted.size]],
        next_before=found[wanted.size - 1]["id"] if len(found) > wanted.size else None,
    )


@router.get("/deliveries/{delivery_id}", tags=["deliveries"])
def get_delivery(visitor: VisitorDep, ledger: LedgerDep, delivery_id: Id) -> DeliveryLine:
    """Return one delivery."""
    with ledger.connect() as connection:
        return DeliveryLine(**asdict(visible_delivery(connection, visitor, delivery_id)))


@router.get("/deliveries/{delivery_id}/files/{number}", tags=["deliveries"], response_class=Response)
def get_delivery_file(
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    delivery_id: Id,
    number: Annotated[int, Path(ge=1, lt=2**31)],
) -> Response:
    """Download the bytes of one of the files that were sent."""
    return pages.delivery_file(visitor, ledger, landing, delivery_id, number)


@router.post("/deliveries/{delivery_id}/send-again", tags=["deliveries"], status_code=201)
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


@router.post("/deliveries/{delivery_id}/send", tags=["deliveries"], status_code=201)
def send_delivery(visitor: VisitorDep, ledger: LedgerDep, delivery_id: Id) -> LetGo:
    """Let a file go that waits for approval; the same again starts nothing."""
    return LetGo(dag_run_id=pages.let_go(visitor, ledger, delivery_id))


@router.post("/deliveries/{delivery_id}/refuse", tags=["deliveries"], status_code=204)
def refuse_delivery(visitor: VisitorDep, ledger: LedgerDep, delivery_id: Id, reason: Reason = "") -> None:
    """Refuse a file that waits for approval: it is never sent."""
    pages.turn_down(visitor, ledger, delivery_id, reason)


@router.get("/destinations", tags=["deliveries"])
def list_destinations(visitor: VisitorDep, ledger: LedgerDep) -> list[dict[str, Any]]:
    """List the places that files are sent to, with the connections that deliver there."""
    return [{**each, "loads": [line["name"] for line in each["loads"]]} for each in destinations(visitor, ledger)]


@router.get("/activity", tags=["activity"])
def list_activity(
    visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[ActivityFilter, Query()]
) -> Newest[ActivityLine]:
    """List who did what, the newest first."""
    with ledger.connect() as connection:
        found = listed_activity(connection, visitor.visible_ids(connection), wanted)
    return Newest[ActivityLine](
        items=[ActivityLine(**line) for line in found[: wanted.size]],
        next_before=found[wanted.size - 1]["id"] if len(found) > wanted.size else None,
    )


@router.get("/data-types", tags=["data types"])
def list_data_types(visitor: VisitorDep) -> list[dict[str, Any]]:
    """List data types."""
    known = load_data_types(Settings.from_environment().schemas)
    return [
        each.model_dump(mode="json", include={"name", "title", "description", "version"}) for each in known.values()
    ]


@router.get("/data-types/{data_type}", tags=["data types"])
def get_data_type(visitor: VisitorDep, data_type: str) -> dict[str, Any]:
    """Return a data type with its columns, rules and suite."""
    return load_data_types(Settings.from_environment().schemas)[data_type].model_dump(mode="json")


@router.get("/health", tags=["health"])
def get_health(visitor: VisitorDep, ledger: LedgerDep) -> dict[str, Any]:
    """Return the services' states, and what needs somebody."""
    return all_health(visitor, ledger)
