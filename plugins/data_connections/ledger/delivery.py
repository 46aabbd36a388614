"""A delivery as the ledger has it: an export of a report, and the files that it became."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Literal, get_args
from uuid import UUID

DeliveryState = Literal["exported", "checked", "on_hold", "sending", "delivered", "failed", "tested"]
DeliveryKind = Literal["report", "segment"]
STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)


@dataclass(frozen=True)
class DeliveryFile:
    """One file with rows of a delivery; manifest and ``.fin`` are made from these when they are sent.

    Attributes:
        number: From 1, in the order of the rows.
        file_name: Name at the receiver.
        rows: Lines without the header.
        size: Bytes.
        sha256: Hexadecimal hash of the bytes.
        md5: Hexadecimal MD5 of the bytes, known once they were checked.
        landing_key: Where the bytes are kept.
        remote_path: Path at the receiver, known once it is to be sent.
        content_key: Where the rows are kept, where what is sent is an OpenPGP message of them.
    """

    number: int
    file_name: str
    rows: int
    size: int
    sha256: str
    md5: str | None
    landing_key: str
    remote_path: str | None
    content_key: str | None


@dataclass(frozen=True)
class Delivery:
    """One delivery.

    Attributes:
        id: Number in the ledger.
        trace_id: Identifies it towards the receiver and in temporary names.
        connection_id: Of ``connection``.
        connection: The connection's present name.
        revision: Number of the revision that it was made by.
        run_id: Of ``connection_run``; None outside Airflow.
        report: Name of the report.
        kind: What it is: a report, or a remarketing segment.
        business_date: First day of the run, in the connection's calendar.
        last_date: Last day of the report.
        date_from: First day of the report: the business date, or one before it where days are sent again.
        date_basis: Which date put something into the report: event, created, updated or locked; None where it was
            exported before deliveries said so.
        version: Counts the deliveries of one business date, from 1.
        state: Where it is on its way.
        note: What should be known about the content, such as a day that was not over.
        message: Why it failed, or did not get through so far.
        file_name: Name that the names of its files are made of.
        size: Bytes of all files.
        rows: Lines of all files, without headers.
        totals: What the ledger said that the files have to add up to, by group.
        files: The files with rows, in order.
        marker_paths: Paths of manifest and ``.fin`` at the receiver, known once they are to be sent.
        created_at: When it was exported, in UTC like the following.
        checked_at: When it was found to add up.
        intended_at: When it was first about to be sent.
        delivered_at: When it stood under its final names.
        collected_at: When the partner had fetched all files whole from a folder that we host.
        collected_by: The login that did.
        expired_at: When it was deleted there because its time was over.
        approved_by: Who let it go, where it had to wait for somebody.
        approved_at: When.
    """

    id: int
    trace_id: UUID
    connection_id: int
    connection: str
    revision: int
    run_id: int | None
    report: str
    kind: DeliveryKind
    business_date: date
    last_date: date
    date_from: date
    version: int
    state: DeliveryState
    note: str | None
    message: str | None
    file_name: str
    size: int
    rows: int
    totals: dict[str, dict[str, str]]
    files: tuple[DeliveryFile, ...]
    marker_paths: tuple[str, ...]
    created_at: datetime
    checked_at: datetime | None
    intended_at: datetime | None
    delivered_at: datetime | None
    collected_at: datetime | None = None
    collected_by: str | None = None
    expired_at: datetime | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    date_basis: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Delivery:
        """Return the delivery of a row of ``deliveries``' query."""
        # A ledger that the next release has migrated may have more columns.
        names = [field.name for field in fields(DeliveryFile)]
        files = tuple(DeliveryFile(**{name: file[name] for name in names}) for file in row["files"])
        return cls(**{**row, "files": files, "marker_paths": tuple(row["marker_paths"])})

    def as_json(self) -> dict[str, Any]:
        """Return what tasks hand on and show, as small JSON values; path and hash are the first file's."""
        return {
            "delivery_id": self.id,
            "state": self.state,
            "connection": self.connection,
            "report": self.report,
            "business_date": self.business_date.isoformat(),
            "date_from": self.date_from.isoformat(),
            "last_date": self.last_date.isoformat(),
            "date_basis": self.date_basis,
            "version": self.version,
            "file_name": self.file_name,
            "files": len(self.files),
            "remote_path": self.files[0].remote_path,
            "rows": self.rows,
            "size": self.size,
            "sha256": self.files[0].sha256,
            "totals": self.totals,
            "message": self.message or self.note,
        }
