"""Which files an inbound connection waits for, how long, and how much of them one run takes."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[timedelta, Field(gt=timedelta(0))]


class Arrival(BaseModel):
    """How long a run waits for files.

    With ``window`` a run looks from its start until ``until`` (a time of day in the connection's time zone)
    or for ``wait``; with ``continuous`` until the next run is due.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["window", "continuous"] = Field(default="window", description="How long a run looks.")
    until: time | None = Field(default=None, description="Time of day at which the window ends, such as 15:00.")
    wait: Seconds = Field(
        default=timedelta(minutes=5),
        description="How long the window stays open where `until` is not given; ISO 8601 (PT5M) or seconds.",
    )
    look_every: Seconds = Field(
        default=timedelta(seconds=60), description="Time between two looks; a file counts when two looks agree."
    )
    required: bool = Field(default=False, description="A window without any file makes the run fail.")


class HoldIf(BaseModel):
    """A file beyond one of these waits, before it is applied, until somebody approves it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows_over: int | None = Field(default=None, ge=0, description="Rows in the file.")
    amount_over: dict[str, Decimal] = Field(
        default_factory=dict, description="Money of the accepted rows, by currency, such as {EUR: 50000}."
    )
    reversed_share_over: Annotated[Decimal, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="Share of the program's pending actions that the file would reverse, such as 0.2 for a fifth.",
    )


class Limits(BaseModel):
    """How much is still normal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_rejects: int | None = Field(
        default=None, ge=0, description="More rejected rows than this in a file make the run Failed."
    )
    max_bytes: int = Field(
        default=10 * 1024**3, gt=0, description="A larger file is refused unread; so is a packed one that holds more."
    )
    files_per_run: int = Field(
        default=200,
        gt=0,
        le=1000,
        description="Claimed files that one run fetches and applies at most; a run that follows goes on.",
    )
    hold_rows_for: Annotated[timedelta, Field(ge=timedelta(0))] = Field(
        default=timedelta(days=7),
        description="How long a row waits for what may still come, such as the order that it modifies, before it is "
        "rejected; PT0S rejects it at once.",
    )
    hold_if: HoldIf = Field(default_factory=HoldIf, description="Limits beyond which a file waits for approval.")
