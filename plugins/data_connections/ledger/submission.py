"""A submission as the ledger has it: one inbound file, from claim to final state."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from data_connections.ledger.database import LedgerConnection

UNFINISHED = ("claimed", "fetched", "validated", "on_hold")
FINAL = ("applied", "partly_applied", "quarantined", "duplicate", "tested")


@dataclass(frozen=True)
class Submission:
    """One inbound file, as the ledger's table ``submission`` has it; times are UTC.

    Attributes:
        number: Its place in the order of claims of its connection, from 1.
        received_at: When the file was complete at the endpoint, as far as is known; rules about age use it.
        state: One of ``UNFINISHED`` or ``FINAL``.
        code: Why it was quarantined or is on hold.
        refusal: Of a file that cannot be read: the ``line``, and the ``format`` that would read it.
        attempt: Names the staging tables of the attempt that was sealed.
        seal: Counts, sums and hash of the staged rows.
        warnings: What there is to say about the file beside its rows.
        expectations: What Great Expectations found.
        replays_id: The submission whose original is judged once more by this one.
        apply_anyway: The same bytes may be processed although they were applied before.
        parcel_id: The submission of the zip that it came in, with others.
        members: Of such a zip: how many submissions came in it.
        message_key: Where the OpenPGP message is kept that it came as; ``landing_key`` is what that holds.
        signed_by: Fingerprint of the partner's key that signed it.
        vouched: What a marker or manifest said of it, as ``endpoints.vouching.Voucher`` has it.
        replaces_id: The submission of the same name whose effect is undone when this one is applied.
    """

    id: int
    trace_id: UUID
    connection_id: int
    revision: int
    number: int
    run_id: int | None
    sighting_id: int | None
    origin: str
    file_name: str
    received_at: datetime
    state: str
    code: str | None
    message: str | None
    refusal: dict[str, Any] | None
    size: int | None
    sha256: str | None
    landing_key: str | None
    data_type: str
    data_type_version: str | None
    format: dict[str, Any] | None
    attempt: str | None
    seal: dict[str, Any] | None
    warnings: list[dict[str, Any]]
    expectations: list[dict[str, Any]]
    rows: int
    accepted: int
    warned: int
    rejected: int
    duplicate: int
    held: int
    corrects_id: int | None
    duplicate_of_id: int | None
    replays_id: int | None
    apply_anyway: bool
    parcel_id: int | None
    members: int | None
    message_key: str | None
    signed_by: str | None
    vouched: dict[str, Any] | None
    replaces_id: int | None
    approved_by: str | None
    approved_at: datetime | None
    claimed_at: datetime
    fetched_at: datetime | None
    validated_at: datetime | None
    finished_at: datetime | None
    acknowledged_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in FINAL


COLUMNS = ", ".join(field.name for field in fields(Submission))


def rows_of(connection: LedgerConnection, query: str, parameters: Any) -> list[Submission]:
    """Return what a query for ``COLUMNS`` finds."""
    with connection.cursor(row_factory=class_row(Submission)) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()
