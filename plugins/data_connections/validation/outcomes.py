"""What validation finds out: outcomes of rows, findings, validated blocks and their totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from enum import IntEnum
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data_connections.data_types import Severity
from data_connections.spec.mapping import AS_IT_IS, ColumnMapping

Lines = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Outcomes = npt.NDArray[np.uint8]

NO_CURRENCY = "XXX"
"""ISO 4217's code for "no currency": money of rows that name none, where no default is given."""

MONEY = Context(prec=120)
"""Sums of money are exact: no sum of a file comes near to this many digits."""


class Outcome(IntEnum):
    """What became of one row."""

    ACCEPTED = 0
    REJECTED = 1
    DUPLICATE = 2
    HELD = 3


class Finding(NamedTuple):
    """Something to say about a row, or (``line`` None) about the file.

    Attributes:
        line: 1-based physical line on which the row starts.
        column: The column it is about, by its proper name, or as the header has it where it has no other.
        code: Stable code, such as ``NOT_DECIMAL``.
        message: A sentence for the sender: what is wrong and what to do.
        severity: ``error`` keeps the row out, ``warning`` does not.
    """

    line: int | None
    column: str | None
    code: str
    message: str
    severity: Severity = "error"


@dataclass(frozen=True)
class ValidationOptions:
    """What validation has to know beside the file and its data type.

    Attributes:
        received_at: When the file was complete; ``NOW``, ages and the future are measured by it. Has a time zone.
        time_zone: IANA name of the zone of times without an offset, and of the days that an age is counted in.
        unknown_columns: What a column that the data type does not have means for the file.
        expectations: Evaluate the data type's Great Expectations suite.
        default_currency: Currency of rows that name none; empty: they are added up under ``XXX``.
        mapping: How the file's columns become those of the data type, its preset resolved.
        order_lines: Whether the lines of one order have to follow each other, or are found anywhere in the file.
        unlikely_dates: Whether a date before 1990, or an event in the future, rejects its row or only warns.
        future_tolerance: How far after ``received_at`` an event may lie: senders' clocks and zones are off.
    """

    received_at: datetime
    time_zone: str = "UTC"
    unknown_columns: Literal["ignore", "warn", "reject"] = "warn"
    expectations: bool = True
    default_currency: str = ""
    mapping: ColumnMapping = AS_IT_IS
    order_lines: Literal["consecutive", "regroup"] = "consecutive"
    unlikely_dates: Severity = "error"
    future_tolerance: timedelta = timedelta(days=1)

    def __post_init__(self) -> None:
        if self.received_at.tzinfo is None:
            raise ValueError("received_at needs a time zone")
        object.__setattr__(self, "received_at", self.received_at.astimezone(UTC))


@dataclass(frozen=True)
class ValidatedBlock:
    """Consecutive rows of a file with their outcomes; orders are never cut between two blocks.

    Attributes:
        lines: 1-based physical line on which each row starts, ascending.
        cells: The rows as read, one string column for each cell of the header; rows with a wrong number of
            cells are filled up with ``""`` or cut.
        typed: The columns that the header has, by the data type's names: text as string, integers as int64 (or
            decimal128), decimals as decimal, times as timestamp[us, UTC], booleans; null for empty. The values of
            accepted rows are valid; of other rows some are null.
        amount: Money of each row, decimal, null for none.
        currency: Currency of each row in upper case; ``XXX`` for none.
        outcome: One `Outcome` for each row.
        findings: Errors and warnings of these rows, by line.
        broken: Cells of the rows that have a wrong number of them, by line.
        corrects: Submissions that the rows say they correct (column SubmissionId of a rejects file).
    """

    lines: Lines
    cells: pa.Table
    typed: pa.Table
    amount: pa.Array
    currency: pa.Array
    outcome: Outcomes
    findings: Sequence[Finding]
    broken: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    corrects: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.lines)

    def where(self, outcome: Outcome) -> Mask:
        """Return a mask of the rows with that outcome."""
        return np.asarray(self.outcome == outcome)


@dataclass(frozen=True)
class Totals:
    """Counts and sums of rows; those of blocks add up to those of the file.

    Attributes:
        rows: All rows; accepted + rejected + duplicate + held.
        warned: How many of the accepted rows carry a warning.
        findings: Errors and warnings of all rows.
        quantity: Pieces in the accepted rows.
        amounts: Money of the accepted rows by currency, exact.
    """

    rows: int = 0
    accepted: int = 0
    warned: int = 0
    rejected: int = 0
    duplicate: int = 0
    held: int = 0
    findings: int = 0
    quantity: Decimal = Decimal(0)
    amounts: Mapping[str, Decimal] = field(default_factory=dict)

    def __add__(self, other: Totals) -> Totals:
        amounts = dict(self.amounts)
        for currency, amount in other.amounts.items():
            amounts[currency] = MONEY.add(amounts.get(currency, Decimal(0)), amount)
        return replace(
            self,
            **{name: getattr(self, name) + getattr(other, name) for name in _COUNTS},
            quantity=MONEY.add(self.quantity, other.quantity),
            amounts=amounts,
        )


_COUNTS = ("rows", "accepted", "warned", "rejected", "duplicate", "held", "findings")


def count_outcomes(block: ValidatedBlock) -> Totals:
    """Count the outcomes and findings of a block; sums are left at zero."""
    counted = np.bincount(block.outcome, minlength=len(Outcome)).tolist()
    warned = {finding.line for finding in block.findings if finding.severity == "warning"}
    if warned:
        accepted = set(block.lines[block.where(Outcome.ACCEPTED)].tolist())
        warned &= accepted
    return Totals(
        rows=len(block),
        accepted=counted[Outcome.ACCEPTED],
        warned=len(warned),
        rejected=counted[Outcome.REJECTED],
        duplicate=counted[Outcome.DUPLICATE],
        held=counted[Outcome.HELD],
        findings=len(block.findings),
    )
