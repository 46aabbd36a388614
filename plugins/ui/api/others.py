"""Programs, expected files, activity and health."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from data_connections.queries.actions import programs_seen
from data_connections.queries.activity import ActivityFilter
from data_connections.queries.activity import list_activity as listed_activity
from data_connections.queries.expected import LONGEST, expectations
from data_connections.queries.filters import Day, Text
from ui.api.models import ActivityLine, ExpectedLine, Newest, ProgramLine
from ui.books import LedgerDep
from ui.limits import rooms
from ui.pages.activity import activity_file
from ui.pages.expected import Week
from ui.pages.health import all_health
from ui.visitor import VisitorDep

router = APIRouter()


class ExpectedFilter(BaseModel):
    """From which day to which day, and of which connection."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: Day = Field(default=None, description="First day; this week's Monday if left out.")
    until: Day = Field(
        default=None, description=f"Last day, at most {LONGEST.days} days later; the end of the week if left out."
    )
    connection: Text = Field(default=None, description="Only this connection.")


@router.get("/expected", tags=["expected files"])
def list_expected(
    visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[ExpectedFilter, Query()]
) -> list[ExpectedLine]:
    """List files that have to come and reports that have to go out, by time, and what became of them."""
    week = Week(week=wanted.since).days
    first, last = wanted.since or week[0], wanted.until or week[-1]
    with ledger.connect() as connection:
        found = expectations(connection, visitor.visible_ids(connection), first, last, name=wanted.connection)
    return [ExpectedLine(**asdict(each)) for each in found]


@router.get("/programs", tags=["programs"])
def list_programs(visitor: VisitorDep, ledger: LedgerDep) -> list[ProgramLine]:
    """List the programs that you see connections of, with their event types and the limit of their connections."""
    with ledger.connect() as connection:
        found = programs_seen(connection, visitor.visible_ids(connection))
    room = rooms(ledger)
    return [ProgramLine(**each, connections=room[each["key"]].used, limit=room[each["key"]].limit) for each in found]


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


@router.get("/activity/export", tags=["activity"], response_class=Response)
def export_activity(visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[ActivityFilter, Query()]) -> Response:
    """Download the newest entries that fit as CSV."""
    return activity_file(visitor, ledger, wanted)


@router.get("/health", tags=["health"])
def get_health(visitor: VisitorDep, ledger: LedgerDep) -> dict[str, Any]:
    """Return the services' states, and what needs somebody."""
    return all_health(visitor, ledger)
