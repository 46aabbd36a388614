"""Actions as pages and API read them, with what the user may not see left out."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import HTTPException
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from data_connections.errors import UnknownName
from data_connections.ledger import Ledger
from data_connections.queries.actions import programs_seen
from data_connections.queries.filters import Number, Text, left_out
from data_connections.queries.statement import Figure, month_statement, rows_of_figure
from data_connections.steps.explanation import explain_action
from ui.visitor import Visitor

Month = Annotated[str, Field(pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$")]
_OF_ITS_FILE = ("connection", "submission_id", "line", "file_name")


class StatementQuestion(BaseModel):
    """Which statement: of a program, in a month."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    program: Text = Field(default=None, description="Key of the program; the first one that you see if left out.")
    month: Annotated[Month | None, BeforeValidator(left_out)] = Field(
        default=None, description="The month, such as 2026-03; this one if left out."
    )

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date.fromisoformat(f"{self.month or datetime.now(UTC).strftime('%Y-%m')}-01")


class FigureQuestion(StatementQuestion):
    """Which figure of a statement; without a partner it is that of actions without one."""

    figure: Figure = Field(description="opening, new, modified, reversed, locked or closing.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217 code.")
    partner: Number = Field(default=None, description="The partner's number.")


def visible_action(ledger: Ledger, visitor: Visitor, action_id: int) -> dict[str, Any]:
    """Return an action with its story; what files of other connections did stays in it, without their names.

    Raises:
        HTTPException: 404, whether it does not exist or is not to be seen.
    """
    try:
        action = explain_action(ledger, action_id)
    except UnknownName:
        action = {"timeline": [{"connection": None}]}
    made_by = action["timeline"][0]["connection"]
    if made_by is None or not visitor.may_see(made_by):
        raise HTTPException(404, f"There is no action {action_id}.")
    seen = visitor.seen({event["connection"] for event in action["timeline"] if event["connection"]})
    for event in action["timeline"]:
        if event["connection"] not in seen:
            event.update(dict.fromkeys(_OF_ITS_FILE))
    return {**action, "connection": made_by}


def statement(ledger: Ledger, visitor: Visitor, asked: StatementQuestion) -> dict[str, Any]:
    """Return the statement, with the programs that there are to choose from.

    Raises:
        HTTPException: 404 for a program that does not exist or is not to be seen.
    """
    with ledger.at_one_moment() as connection:
        visible = visitor.visible_ids(connection)
        programs = programs_seen(connection, visible)
        key = _program_of(asked, programs)
        lines = month_statement(connection, visible, key, asked.first_day) if key else []
    return {"program": key, "month": asked.first_day, "programs": programs, "lines": lines}


def figure_rows(ledger: Ledger, visitor: Visitor, asked: FigureQuestion) -> list[dict[str, Any]]:
    """Return what each action gives to a figure of the statement.

    Raises:
        HTTPException: 404 for a program that does not exist or is not to be seen.
    """
    with ledger.at_one_moment() as connection:
        visible = visitor.visible_ids(connection)
        key = _program_of(asked, programs_seen(connection, visible))
        if key is None:
            return []
        return list(
            rows_of_figure(
                connection,
                visible,
                key,
                asked.first_day,
                figure=asked.figure,
                currency=asked.currency,
                partner=asked.partner,
            )
        )


def _program_of(asked: StatementQuestion, programs: Collection[dict[str, Any]]) -> str | None:
    keys = [program["key"] for program in programs]
    if asked.program is None:
        return keys[0] if keys else None
    if asked.program not in keys:
        raise HTTPException(404, f"There is no program {asked.program!r}.")
    return asked.program
