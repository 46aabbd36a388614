"""Actions and the month statement."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from data_connections.queries.actions import ActionFilter
from data_connections.queries.actions import list_actions as listed
from data_connections.queries.statement import ROWS_SHOWN
from ui.actions import FigureQuestion, StatementQuestion, figure_rows, statement, visible_action
from ui.api.models import ActionLine, Paged, Statement
from ui.books import LedgerDep
from ui.found import Id
from ui.visitor import VisitorDep

router = APIRouter(prefix="/actions", tags=["actions"])


@router.get("")
def list_actions(visitor: VisitorDep, ledger: LedgerDep, wanted: Annotated[ActionFilter, Query()]) -> Paged[ActionLine]:
    """List actions, the newest first, or with `locks_within` those that lock next."""
    with ledger.connect() as connection:
        found = listed(connection, visitor.visible_ids(connection), wanted)
    return Paged[ActionLine](
        items=[ActionLine(**line) for line in found[: wanted.size]],
        next_page=wanted.page + 1 if len(found) > wanted.size else None,
    )


@router.get("/statement")
def get_statement(visitor: VisitorDep, ledger: LedgerDep, asked: Annotated[StatementQuestion, Query()]) -> Statement:
    """Return what was open, came, changed and locked in a month, by partner and currency."""
    return Statement(**statement(ledger, visitor, asked))


@router.get("/statement/rows")
def get_statement_rows(
    visitor: VisitorDep, ledger: LedgerDep, asked: Annotated[FigureQuestion, Query()]
) -> list[dict[str, Any]]:
    """Return what each action gives to one figure of the statement, the newest 500."""
    return figure_rows(ledger, visitor, asked)[:ROWS_SHOWN]


@router.get("/{action_id}")
def get_action(visitor: VisitorDep, ledger: LedgerDep, action_id: Id) -> dict[str, Any]:
    """Return one action with its timeline, and in `earned` what its payout is made of."""
    return visible_action(ledger, visitor, action_id)
