"""Programs, expected files, activity and health."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from data_connections.queries.actions import programs_seen
from data_connections.queries.activity import ActivityFilter
from data_connections.queries.activity import list_activity as listed_activity
from data_connections.queries.expected import LONGEST, calendar_page
from data_connections.queries.filters import PAGE_SIZE, Day, Size, Text
from ui.api.models import ActivityLine, ExpectedLine, Newest, Paged, ProgramLine
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
    page: int = Field(default=1, ge=1, le=1000, description="Page, from 1.")
    size: Size = Field(default=PAGE_SIZE, description="Connections on a page.")


@router.get("/expected", tags=["expected files"])
def list_expected(
    visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[ExpectedFilter, Query()]
) -> Paged[ExpectedLine]:
    """List files that have to come and reports that have to go out, by time, of a page of connections."""
    week = Week(week=wanted.since).days
    first, last = wanted.since or week[0], wanted.until or week[-1]
    with ledger.connect() as connection:
        visible, name = visitor.visible_ids(connection), wanted.connection
        found = calendar_page(connection, visible, first, last, name=name, page=wanted.page, size=wanted.size)
    return Paged[ExpectedLine](
        items=[ExpectedLine(**asdict(each)) for each in found.found], next_page=wanted.page + 1 if found.more else None
    )


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
