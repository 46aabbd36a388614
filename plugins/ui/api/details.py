"""One connection looked at: how it is doing, its YAML, the whole report of chosen days."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response

from data_connections.queries import runs
from ui.api.models import ExpectedLine, Overview
from ui.books import LedgerDep
from ui.found import Name, connection_line
from ui.pages import connection as pages
from ui.pages.days import preview_file
from ui.visitor import VisitorDep

router = APIRouter(prefix="/connections/{name}", tags=["connections"])


@router.get("/overview")
def get_overview(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> Overview:
    """Return what is expected next, what came last, what waits, and the rows of the newest runs."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
        expected = pages.next_expected(connection, line)
        chart = runs.rows_by_run(connection, line["id"])
        return Overview(
            next_expected=ExpectedLine(**asdict(expected)) if expected else None,
            runs=[dict(run) for run in chart],
            **runs.freshness(connection, line["id"]),
        )


@router.get("/yaml", response_class=Response)
def get_yaml(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> Response:
    """Download the YAML to commit."""
    return pages.as_yaml(visitor, ledger, name)


@router.get("/report", response_class=Response)
def get_report(
    visitor: VisitorDep, ledger: LedgerDep, name: Name, first: Annotated[date, Query()], last: Annotated[date, Query()]
) -> Response:
    """Download the report of chosen days in the form in which the connection sends it; nothing is kept or sent."""
    return preview_file(visitor, ledger, name, first, last)
