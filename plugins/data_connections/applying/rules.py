"""What a data type that is applied to the ledger has to know, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from psycopg import sql

from data_connections.data_types import DataType
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import Attempt, Seal, Sum
from data_connections.spec.dataset import Dataset

ACTIONS = "actions"
"""The family of all data types that write actions."""


@dataclass(frozen=True)
class Bounds:
    """What a connection lets a file do unasked.

    Attributes:
        hold_for: How long rows wait for what may still come; none at all where it is 0.
        reversed_share: Share of the program's pending actions that it may reverse; any where None.
        next_run: When the connection runs next after the file was received; None where no schedule says so. What locks
            before is worth a word.
    """

    hold_for: timedelta = timedelta(0)
    reversed_share: Decimal | None = None
    next_run: datetime | None = None


@dataclass(frozen=True)
class Application:
    """A sealed submission that is to be applied.

    Attributes:
        submission_id: The submission that is being applied; its row is locked.
        received_at: When its file was complete.
        program: Key of the connection's program.
        data_type: What the rows are.
        attempt: Where they are staged.
        seal: What they add up to.
        columns: Columns of the staged rows.
        dataset: Which rows it writes, where they are kept by key.
        connection_id: The connection of a dry run, which has no submission.
        holds: Whether rows that wait for something that may still come are held; rejected where not.
        bounds: What the connection lets a file do unasked.
    """

    submission_id: int
    received_at: datetime
    program: str
    data_type: DataType
    attempt: Attempt
    seal: Seal
    columns: frozenset[str]
    dataset: Dataset
    connection_id: int | None = None
    holds: bool = False
    bounds: Bounds = Bounds()

    def field(self, name: str) -> sql.Composable:
        """Return the staged column of the data type's column ``name``; a null of its type where the file has none."""
        column = self.data_type.column(name)
        if column.field in self.columns:
            return sql.SQL("s.{}").format(sql.Identifier(column.field))
        return sql.SQL(f"null::{column.sql_type}")

    def has(self, name: str) -> bool:
        """Whether the file has the column ``name``."""
        return self.data_type.column(name).field in self.columns


@dataclass(frozen=True)
class Effect:
    """What a file changes in the ledger, in one currency and state.

    Attributes:
        state: Of actions: PENDING, APPROVED or REVERSED; of rows that are kept by their folder: WRITTEN or REMOVED.
        currency: ISO 4217 code; None where rows carry no money.
        count: How many actions, or rows, there are more of; below 0 where there are fewer.
        amount: How much more money they are worth.
        payout: How much more they pay; None where nothing is paid.
    """

    state: str
    currency: str | None
    count: int
    amount: Decimal
    payout: Decimal | None = None


class Hold(NamedTuple):
    """Why a submission waits for approval before it is applied."""

    code: str
    message: str


@dataclass(frozen=True)
class Rules:
    """How the rows of one data type are applied.

    Attributes:
        family: What of a program is locked meanwhile; data types that touch the same rows share a family.
        strict_order: Whether rows say what is to be, so that submissions of one connection apply only in the order of
            their numbers, and bytes that were applied before count again once something later was.
        decide: Writes to the temporary table ``verdict`` which staged, accepted rows are not to be applied, and to
            ``remark`` what is to be said about the others; returns how the sums of the accepted rows differ from
            the seal's where rows count in the currency of what the ledger has.
        write: Applies the others, and returns their sums, taken from what was written.
        effect: Says what would be different once the others are applied, after ``decide``; nothing is written.
        hold: Finds a reason for which somebody has to approve the submission first, once the verdicts are there.
    """

    family: str
    strict_order: bool
    decide: Callable[[LedgerConnection, Application], list[Sum]]
    write: Callable[[LedgerConnection, Application], list[Sum]]
    effect: Callable[[LedgerConnection, Application], list[Effect]]
    hold: Callable[[LedgerConnection, Application], Hold | None] | None = None
