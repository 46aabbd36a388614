"""What the API answers with."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field, computed_field

from data_connections.endpoints.arrival import IN_WORDS

Item = TypeVar("Item")


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Numbered(BaseModel, Generic[Item]):
    """One page of a list that is counted."""

    items: list[Item]
    total: int = Field(description="How many fit, on all pages.")


class Newest(BaseModel, Generic[Item]):
    """One page of a list with the newest first."""

    items: list[Item]
    next_before: int | None = Field(description="`before` of the next page; null on the last one.")


class Paged(BaseModel, Generic[Item]):
    """One page of a list that is not counted."""

    items: list[Item]
    next_page: int | None = Field(description="`page` of the next page; null on the last one.")


class ConnectionLine(BaseModel):
    """A connection with its last run."""

    name: str
    title: str
    program: str | None
    data_type: str | None
    direction: str | None
    method: str | None
    methodology: str | None
    schedule: str | None
    owner: str | None
    credentials: str | None
    host: str | None
    folder: str | None
    setup: str = Field(description="active, initializing or error.")
    refusal: str | None = Field(description="Why the current revision could not be built.")
    status: str = Field(validation_alias="state", description="none, in_progress, completed or failed.")
    reason: str | None
    files: int | None
    rows: int | None
    accepted: int | None
    rejected: int | None
    last_active: datetime | None
    revision: int
    managed_by: str
    connected_by: str
    updated_at: datetime
    deleted_at: datetime | None
    paused: bool | None = Field(default=None, description="Null until Airflow has the DAG.")
    next_run: datetime | None = None


class ConnectionDetail(ConnectionLine):
    """A connection with its spec."""

    spec: dict[str, Any]


class Saved(BaseModel):
    """What saving a spec did, or would do."""

    name: str
    action: str = Field(description="create, change, restore, take over or keep.")
    revision: int | None = Field(description="The revision that there is now.")
    changes: list[dict[str, Any]]


class Previewed(Saved):
    """What saving a spec would do."""

    yaml: str = Field(description="The spec as a file in git would have it.")
    schedule: str = Field(description="The schedule in words.")
    next_runs: list[datetime]
    warnings: list[str] = Field(description="What works and may still surprise.")


class ExpectedLine(BaseModel):
    """One day's turn of a rule about files that have to come, or a report that has to go out."""

    connection: str
    rule: str = Field(description="The rule in words.")
    day: date = Field(description="In the rule's time zone.")
    due_at: datetime
    state: str = Field(description="expected, met, met_late, late, missed ...")
    files: int
    met_at: datetime | None
    business_date: date | None
    findings: list[str] = Field(description="What is not as usual.")


class Overview(BaseModel):
    """How a connection is doing."""

    next_expected: ExpectedLine | None
    last_file: datetime | None
    last_delivery: datetime | None
    on_hold: int
    under_way: int
    runs: list[dict[str, Any]] = Field(
        description="Rows accepted and rejected of the newest runs with files, oldest first."
    )


class ProgramLine(BaseModel):
    """A program that you see connections of."""

    id: int
    key: str
    name: str
    time_zone: str
    currency: str
    event_types: list[dict[str, Any]]
    connections: int = Field(description="How many it has.")
    limit: int | None = Field(description="How many it may have; null where there is no limit.")


class RunLine(BaseModel):
    """A run: Airflow's state of it, and the ledger's figures."""

    dag_run_id: str
    airflow_state: str | None = Field(description="Null where Airflow has forgotten it.")
    run_type: str | None
    started_by: str | None = Field(description="The user who started it by hand.")
    id: int | None = Field(default=None, description="Its number in the ledger; this and the rest null until it works.")
    revision: int | None = None
    state: str | None = None
    reason: str | None = None
    files: int | None = None
    rows: int | None = None
    accepted: int | None = None
    rejected: int | None = None
    amounts: dict[str, str] | None = None
    started_at: datetime | None
    finished_at: datetime | None


class Started(BaseModel):
    """A run that was started."""

    dag_run_id: str


class LetGo(BaseModel):
    """A delivery that was approved, and the run that sends it; null where it was sent before."""

    dag_run_id: str | None


class Backfilled(BaseModel):
    """A backfill that was started."""

    backfill_id: int = Field(description="Its number in Airflow.")


class ReportRows(BaseModel):
    """The first rows of a report, which adds up with the ledger."""

    header: list[str]
    rows: list[list[str]]
    count: int = Field(description="All its rows.")
    unfinished: list[str] = Field(description="Time zones in which the last day is not over yet.")


class RevisionLine(BaseModel):
    """One revision of a connection."""

    number: int
    hash: str
    created_at: datetime
    created_by: str
    spec: dict[str, Any]
    changes: list[dict[str, Any]] = Field(description="What it changed against the one before.")


class TriedStep(BaseModel):
    """One step of a test."""

    name: str
    ok: bool
    message: str


class SubmissionLine(BaseModel):
    """One inbound file."""

    id: int
    trace_id: Any
    number: int
    connection: str
    program: str | None
    data_type: str
    file_name: str
    origin: str
    state: str
    code: str | None
    message: str | None
    received_at: datetime
    finished_at: datetime | None
    size: int | None
    rows: int
    accepted: int
    warned: int
    rejected: int
    duplicate: int
    held: int
    corrects_id: int | None
    replays_id: int | None
    duplicate_of_id: int | None


class FileLeft(BaseModel):
    """A file that was seen and not taken."""

    id: int
    connection: str
    file_name: str
    path: str
    size: int
    received_at: datetime = Field(description="When it was last changed at the endpoint.")
    first_seen_at: datetime
    last_seen_at: datetime
    reason: str

    @computed_field(description="The reason in words.")
    def message(self) -> str:
        """Why it was left."""
        return IN_WORDS.get(self.reason, self.reason)

    @computed_field(description="Rows that were taken of it: none.")
    def rows(self) -> int:
        """None."""
        return 0


class UndoneAction(BaseModel):
    """An action that a withdrawal brings back to what it was, or that stays because of its obstacle."""

    action_id: int
    public_id: str
    order_id: str
    currency: str
    made: bool = Field(description="The submission made it, so it is reversed.")
    state: str
    amount: Decimal
    old_state: str = Field(description="Its state afterwards.")
    old_amount: Decimal = Field(description="Its amount afterwards.")
    obstacle: str | None


class WithdrawalDone(BaseModel):
    """What withdrawing a submission did, or would do."""

    submission_id: int
    undone: list[UndoneAction]
    kept: list[UndoneAction]


class Taken(BaseModel):
    """A file that was taken; its submission says what becomes of it."""

    submission_id: int


class DeliveryLine(BaseModel):
    """One outbound file."""

    id: int
    trace_id: Any
    connection: str
    program: str | None = None
    report: str
    business_date: date
    last_date: date
    version: int
    state: str
    note: str | None
    message: str | None
    file_name: str
    size: int | None
    rows: int | None
    created_at: datetime
    delivered_at: datetime | None
    approved_by: str | None = None
    approved_at: datetime | None = None


class DeliveredFile(BaseModel):
    """One of the files of a delivery."""

    number: int
    file_name: str
    rows: int
    size: int
    sha256: str
    remote_path: str | None


class DeliveryDetail(DeliveryLine):
    """A delivery with its files."""

    files: list[DeliveredFile]


class Differences(BaseModel):
    """What differs between the files of two deliveries."""

    same: bool
    lines: list[str] = Field(description="A unified diff.")
    more: bool = Field(description="Whether there are more lines.")
    too_large: bool = Field(description="Whether they were too large to be compared line by line.")


class ActivityLine(BaseModel):
    """Who did what."""

    id: int
    at: datetime
    who: str
    what: str
    subject: str
    connection: str | None
    details: dict[str, Any]


class ActionLine(BaseModel):
    """One action: an order, or what a partner earns by."""

    id: int
    public_id: str
    program: str
    event_type_id: int
    event_type: str
    order_id: str
    customer_id: str | None
    state: str
    amount: Decimal
    payout: Decimal | None
    currency: str
    event_at: datetime
    received_at: datetime
    locks_at: datetime | None
    locked_at: datetime | None
    modifications: int
    partner_id: int | None
    partner: str | None
    connection: str
    submission_id: int
    line: int


class StatementLine(BaseModel):
    """One partner and currency: opening + new + modified - reversed - locked = closing."""

    partner_id: int | None
    partner: str | None
    currency: str
    opening_amount: Decimal
    new_amount: Decimal
    modified_amount: Decimal
    reversed_amount: Decimal
    locked_amount: Decimal
    closing_amount: Decimal
    opening_payout: Decimal
    new_payout: Decimal
    modified_payout: Decimal
    reversed_payout: Decimal
    locked_payout: Decimal
    closing_payout: Decimal


class Statement(BaseModel):
    """The month statement of a program."""

    program: str | None
    month: date
    lines: list[StatementLine]
