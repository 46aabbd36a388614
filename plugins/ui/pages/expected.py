"""The calendar of what is expected: a week of files that have to come and of reports that have to go out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from data_connections.queries.expected import Expectation, calendar_page
from data_connections.queries.filters import Text, left_out
from ui.books import LedgerDep
from ui.pages.connections import shown_query
from ui.rendering import render
from ui.visitor import VisitorDep

router = APIRouter(prefix="/expected", include_in_schema=False)
_DAYS = 7


class Week(BaseModel):
    """Which week the calendar shows, and of which connection."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    week: Annotated[date | None, BeforeValidator(left_out)] = None
    connection: Text = None
    page: int = Field(default=1, ge=1, le=1000)

    @property
    def days(self) -> list[date]:
        """The days of the week, from Monday; this week's where none is asked for."""
        day = self.week or datetime.now(UTC).date()
        day = min(max(day, date(2000, 1, 10)), date(9000, 1, 1))
        monday = day - timedelta(days=day.weekday())
        return [monday + timedelta(days=number) for number in range(_DAYS)]


@dataclass(frozen=True)
class Line:
    """One rule of one connection, and what became of it on each day of the week."""

    connection: str
    rule: str
    cells: list[list[Expectation]]


@router.get("")
def expected_page(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[Week, Query()]
) -> HTMLResponse:
    """Show one week, a line a rule."""
    days = wanted.days
    with ledger.connect() as connection:
        found, troubles, more = calendar_page(
            connection, visitor.visible_ids(connection), days[0], days[-1], name=wanted.connection, page=wanted.page
        )
    return render(
        request,
        "expected.html",
        visitor,
        here="expected",
        days=days,
        today=datetime.now(UTC).date(),
        lines=list(_lines(found, days)),
        earlier=days[0] - timedelta(days=_DAYS),
        later=days[0] + timedelta(days=_DAYS),
        wanted=wanted,
        query=shown_query(wanted),
        more=more,
        bad=troubles,
    )


def _lines(found: Iterable[Expectation], days: list[date]) -> Iterable[Line]:
    by_rule: dict[tuple[str, str], dict[date, list[Expectation]]] = {}
    for each in found:
        by_rule.setdefault((each.connection, each.rule), {}).setdefault(each.day, []).append(each)
    for (connection, rule), of_days in sorted(by_rule.items()):
        yield Line(connection, rule, [of_days.get(day, []) for day in days])
