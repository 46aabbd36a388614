"""Event types: locking policy, reason codes, and the connection that takes their returns."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from data_connections.catalog.reference_entries import Locking, ReasonCode
from data_connections.queries.event_types import list_event_types as listed
from ui.api.etags import IfMatch, etag, version_in
from ui.books import LedgerDep
from ui.event_types import (
    ReturnsOrder,
    change_event_type,
    must_be,
    must_change,
    set_returns,
    version_of,
    visible_event_type,
)
from ui.found import Id
from ui.visitor import VisitorDep

router = APIRouter(prefix="/event-types", tags=["event types"])


class EventTypeChange(BaseModel):
    """What an event type is changed to; codes that are not named stay as they are."""

    model_config = ConfigDict(extra="forbid")

    locking: Locking
    reason_codes: tuple[ReasonCode, ...] = Field(default=(), max_length=500)


class ReturnsSet(BaseModel):
    """The connection that takes the returns now."""

    connection: str | None


@router.get("")
def list_event_types(visitor: VisitorDep, ledger: LedgerDep) -> list[dict[str, Any]]:
    """List the event types of programs that you see connections of."""
    with ledger.connect() as connection:
        return [dict(line) for line in listed(connection, visitor.visible_ids(connection))]


@router.get("/{event_type_id}")
def get_event_type(visitor: VisitorDep, ledger: LedgerDep, event_type_id: Id, response: Response) -> dict[str, Any]:
    """Return one event type with its reason codes."""
    one = visible_event_type(ledger, visitor, event_type_id)
    response.headers["ETag"] = etag(version_of(one))
    return one


@router.put("/{event_type_id}")
def put_event_type(
    visitor: VisitorDep, ledger: LedgerDep, event_type_id: Id, change: EventTypeChange, if_match: IfMatch = None
) -> list[dict[str, Any]]:
    """Give an event type a locking policy and reason codes; answers with what was changed."""
    one = visible_event_type(ledger, visitor, event_type_id)
    must_change(visitor)
    expected = version_in(if_match)
    done = change_event_type(ledger, visitor, one, change.locking, change.reason_codes, expected)
    return [step.as_json() for step in done]


@router.put("/{event_type_id}/returns")
def put_returns(
    visitor: VisitorDep, ledger: LedgerDep, event_type_id: Id, order: ReturnsOrder, if_match: IfMatch = None
) -> ReturnsSet:
    """Make or change the connection that takes the returns of an event type."""
    one = visible_event_type(ledger, visitor, event_type_id)
    must_change(visitor)
    must_be(one, version_in(if_match), {"returns": order.connection or order.way})
    return ReturnsSet(connection=set_returns(ledger, visitor, one, order))
