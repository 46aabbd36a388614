"""What keeps runs waiting: the switch that stops all applying and sending, and maintenance windows."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from data_connections.ledger import Ledger
from data_connections.ledger import standstill as records
from data_connections.steps import standstill
from ui.api.once import IdempotencyKey, once
from ui.books import LedgerDep
from ui.standstill import end_window, plan_window
from ui.visitor import VisitorDep

router = APIRouter(tags=["standstill"])


class HaltOrder(BaseModel):
    """Why applying and sending is stopped."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=500, description="People read it while runs wait.")


class HaltState(BaseModel):
    """Whether applying and sending is stopped, by whom, since when, and why."""

    halted: bool
    who: str | None = None
    since: datetime | None = None
    reason: str | None = None


class WindowOrder(BaseModel):
    """A maintenance window of one connection or of one host."""

    model_config = ConfigDict(extra="forbid")

    connection: str | None = None
    host: str | None = Field(default=None, max_length=255)
    begins_at: AwareDatetime
    ends_at: AwareDatetime
    reason: str = Field(max_length=500)


class WindowLine(BaseModel):
    """A maintenance window that goes on or is to come."""

    id: int
    connection: str | None
    host: str | None
    begins_at: datetime
    ends_at: datetime
    reason: str
    who: str


class PlannedWindow(BaseModel):
    """A maintenance window that was planned."""

    id: int


@router.get("/halt")
def get_halt(visitor: VisitorDep, ledger: LedgerDep) -> HaltState:
    """Say whether applying and sending is stopped."""
    return _state(ledger)


@router.put("/halt")
def halt(visitor: VisitorDep, ledger: LedgerDep, order: HaltOrder) -> HaltState:
    """Stop all applying and sending; runs wait and go on by themselves afterwards."""
    visitor.must(visitor.may_create, "stop all applying and sending")
    standstill.halt(ledger, visitor.name, order.reason)
    return _state(ledger)


@router.delete("/halt")
def end_halt(visitor: VisitorDep, ledger: LedgerDep) -> HaltState:
    """Let applying and sending go on."""
    visitor.must(visitor.may_create, "let applying and sending go on")
    standstill.go_on(ledger, visitor.name)
    return _state(ledger)


@router.get("/maintenance")
def list_windows(visitor: VisitorDep, ledger: LedgerDep) -> list[WindowLine]:
    """List maintenance windows that go on or are to come."""
    with ledger.connect() as connection:
        found = records.windows(connection, since=datetime.now(UTC), visible=visitor.visible_ids(connection))
    return [WindowLine.model_validate(each, from_attributes=True) for each in found]


@router.post("/maintenance", status_code=201)
def add_window(visitor: VisitorDep, ledger: LedgerDep, order: WindowOrder, key: IdempotencyKey = None) -> PlannedWindow:
    """Plan a maintenance window."""

    def plan() -> dict[str, int]:
        to, of = order.ends_at, {"name": order.connection, "host": order.host}
        return {"id": plan_window(ledger, visitor, order.begins_at, to, order.reason, **of)}

    return PlannedWindow(**once(ledger, visitor, key, ["window", order.model_dump(mode="json")], plan))


@router.delete("/maintenance/{window_id}", status_code=204)
def remove_window(visitor: VisitorDep, ledger: LedgerDep, window_id: int) -> None:
    """End a maintenance window now, or take one back."""
    end_window(ledger, visitor, window_id)


def _state(ledger: Ledger) -> HaltState:
    with ledger.connect() as connection:
        now = records.halted(connection)
    return HaltState(halted=now is not None, **(vars(now) if now else {}))
