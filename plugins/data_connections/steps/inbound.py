"""The steps of an inbound transfer, one function a task; each may be run twice, and at the same time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from data_connections import applying
from data_connections.catalog.data_type_versions import record_version
from data_connections.data_types import DataTypes
from data_connections.endpoints.blocking import BlockingEndpoint
from data_connections.endpoints.contract import RemoteFile
from data_connections.endpoints.names import shown
from data_connections.errors import EndpointFileMissing, FileChanged, FileRefused, SealBroken
from data_connections.landing import Landing
from data_connections.ledger import Ledger, claims, sightings, staging, submissions
from data_connections.ledger import sameness as likeness
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import Seal
from data_connections.ledger.submission import Submission
from data_connections.steps import parcels
from data_connections.steps.acknowledgement import acknowledge
from data_connections.steps.brakes import bounds_of, limit_passed
from data_connections.steps.claiming import claim, lease
from data_connections.steps.held_rows import retry_held
from data_connections.steps.job import Job, read_job
from data_connections.steps.journaling import record_landed
from data_connections.steps.sameness import CAME_LATE, SAME_NAME, tell, withdraw_replaced
from data_connections.steps.stage import Staged, seal, stage
from data_connections.steps.standstill import must_not_be_halted
from data_connections.steps.unwrap import KEY_EXPIRES, Keys, is_as_it_came, unwrap
from data_connections.steps.vouched import Weighed, voucher_of

__all__ = ["acknowledge", "apply", "claim", "fetch", "lease", "result_of", "validate"]

RESTAGE_TRIES = 3
SAID_BEFORE = frozenset({KEY_EXPIRES, SAME_NAME, CAME_LATE})
"""Warnings about a file that are older than its rows, and stay when these are staged again."""


def fetch(
    ledger: Ledger,
    submission_id: int,
    endpoint: BlockingEndpoint,
    landing: Landing,
    *,
    data_types: DataTypes | None = None,
) -> dict[str, Any]:
    """Fetch a claimed file whole and keep the original; one that is kept already is left alone.

    A file that is gone, or no longer the one that was claimed, is quarantined as FILE_MISSING or FILE_CHANGED: what
    lies there now is another file, with a submission of its own.

    Raises:
        RetriableEndpointError: The connection was lost; trying again may help.
        FatalEndpointError: The login may not read it.
    """
    with ledger.connect() as connection:
        job = read_job(connection, submission_id, data_types)
        file = sightings.file_of(connection, submission_id)
        claims.renew_lease(connection, submission_id)
    if job.submission.state != "claimed" or file is None:
        return result_of(ledger, submission_id)
    try:
        _keep(ledger, job, endpoint, landing, RemoteFile(file["path"], file["name"], file["size"], file["mtime"]))
    except EndpointFileMissing:
        _quarantine(
            ledger, submission_id, "FILE_MISSING", f"{shown(file['path'])} was no longer there when it was fetched."
        )
    except FileChanged as changed:
        _quarantine(ledger, submission_id, "FILE_CHANGED", str(changed))
    except FileRefused as refused:
        _quarantine(ledger, submission_id, refused.code, refused.message)
    return result_of(ledger, submission_id)


def _keep(ledger: Ledger, job: Job, endpoint: BlockingEndpoint, landing: Landing, file: RemoteFile) -> None:
    most = job.spec.limits.max_bytes
    if file.size > most:
        raise FileRefused("FILE_TOO_LARGE", f"The file has {file.size:,} bytes, allowed are {most:,}.")
    with landing.keep() as incoming:
        weighed = Weighed(incoming.append, voucher_of(job.submission), file.name)
        incoming.sha256 = endpoint.fetch(file, weighed.write).sha256
        weighed.compare()
    original = incoming.original
    record_landed(landing, job.submission, job.name, original, file)
    with ledger.connect() as connection:
        submissions.set_fetched(connection, job.submission.id, original.key, original.sha256, original.size)


def validate(
    ledger: Ledger,
    submission_id: int,
    landing: Landing,
    *,
    keys: Keys | None = None,
    data_types: DataTypes | None = None,
) -> dict[str, Any]:
    """Validate a fetched file and seal its rows in staging; a file that cannot be read is quarantined.

    A parcel is unpacked: its members are then to be validated, each on its own.

    Bytes that the connection applied before, to the last row, end here as a duplicate; a file beyond a limit of
    ``hold_if`` waits for approval.
    """
    job = _job_to_read(ledger, submission_id, data_types)
    if job is not None and _unwrapped(ledger, landing, job, keys):
        job = _job_to_read(ledger, submission_id, data_types)
    if job is not None:
        _read(ledger, landing, job)
    parcels.conclude(ledger, submission_id)
    return result_of(ledger, submission_id)


def _job_to_read(ledger: Ledger, submission_id: int, data_types: DataTypes | None) -> Job | None:
    """Return a fetched submission whose bytes are not known; None where nothing is to be done any more."""
    with ledger.connect() as connection:
        claims.renew_lease(connection, submission_id)
        job = read_job(connection, submission_id, data_types, lock=True)
        is_closed = job.spec.pgp is not None and is_as_it_came(job.submission)
        is_open = job.submission.state == "fetched" and (is_closed or not _end_as_duplicate(connection, job))
    return job if is_open else None


def _unwrapped(ledger: Ledger, landing: Landing, job: Job, keys: Keys | None) -> bool:
    """Open an OpenPGP message; whether the submission has changed by that, or because it was refused."""
    try:
        return unwrap(ledger, landing, job, keys)
    except FileRefused as refused:
        _quarantine(ledger, job.submission.id, refused.code, refused.message)
        return True


def _read(ledger: Ledger, landing: Landing, job: Job) -> None:
    try:
        if parcels.unpack(ledger, landing, job):
            return
        if job.submission.attempt is None:
            tell(ledger, job)
        _stage_and_seal(ledger, landing, job)
    except FileRefused as refused:
        place = {"line": refused.line} | ({"format": refused.options} if refused.options else {})
        _quarantine(ledger, job.submission.id, refused.code, refused.message, place)


def _stage_and_seal(ledger: Ledger, landing: Landing, job: Job) -> None:
    staged = stage(ledger, landing, job)
    with ledger.connect() as connection:
        sealed = seal(connection, job, staged)
        if sealed is not None:
            _record_seal(connection, job, staged, *sealed)


def _record_seal(connection: LedgerConnection, job: Job, staged: Staged, latest: Submission, sealed: Seal) -> None:
    changes: dict[str, Any] = {
        "attempt": staged.attempt.name,
        "seal": sealed.as_json(),
        "data_type_version": job.data_type.version,
        "format": _format_of(staged),
        "warnings": [
            *(kept for kept in latest.warnings if kept["code"] in SAID_BEFORE),
            *(warning._asdict() for warning in staged.warnings),
        ],
        "expectations": list(staged.expectations),
        "corrects_id": submissions.corrected(connection, latest, staged.corrects),
    }
    if latest.seal != changes["seal"]:
        held = None if job.spec.status == "testing" else limit_passed(job.spec.limits.hold_if, sealed)
        changes["state"] = "on_hold" if held else "validated"
        changes["code"], changes["message"] = held or (None, None)
        changes["approved_by"] = changes["approved_at"] = None
    record_version(connection, job.data_type)
    submissions.set_sealed(connection, latest.id, changes)
    staging.drop_attempts(connection, latest.id, keep=staged.attempt.name)


def _format_of(staged: Staged) -> dict[str, Any]:
    """Return how the file was written; its columns only where they are the sender's own."""
    columns = {"columns": list(staged.columns)} if staged.columns else {}
    return {**staged.file_format.model_dump(mode="json"), **columns}


def apply(
    ledger: Ledger, submission_id: int, landing: Landing, *, data_types: DataTypes | None = None
) -> dict[str, Any]:
    """Apply a sealed submission in one transaction; one that is final already, or on hold, is left as it is.

    Raises:
        TotalsMismatch: Rows, pieces or money do not add up; nothing was applied.
        StandsStill: All applying is stopped; it can be applied afterwards.
        LedgerUnavailable: The ledger went away; whether it was applied shows when this is run again.
    """
    for left in reversed(range(RESTAGE_TRIES)):
        try:
            with ledger.connect() as connection:
                _apply_once(connection, submission_id, data_types)
            break
        except SealBroken:
            if not left:
                raise
            with ledger.connect() as connection:
                job = read_job(connection, submission_id, data_types)
            _read(ledger, landing, job)
    _free_held(ledger, submission_id, data_types)
    parcels.conclude(ledger, submission_id)
    return result_of(ledger, submission_id)


def _free_held(ledger: Ledger, submission_id: int, data_types: DataTypes | None) -> None:
    """Try the held rows of the program again once a submission brought actions."""
    with ledger.connect() as connection:
        job = read_job(connection, submission_id, data_types)
    if job.submission.accepted and job.submission.state != "tested" and job.submission.data_type == "conversions":
        retry_held(ledger, datetime.now(UTC), program=job.spec.program, data_types=data_types)


def _apply_once(connection: LedgerConnection, submission_id: int, data_types: DataTypes | None) -> None:
    claims.renew_lease(connection, submission_id)
    job = read_job(connection, submission_id, data_types, lock=True)
    if job.submission.state != "validated" or job.submission.members:
        return
    must_not_be_halted(connection)
    applying.lock_family(connection, job.data_type, job.spec.program)
    if job.spec.status == "testing":
        applying.judge_staged(connection, job.submission, job.spec.program, job.data_type, job.spec.dataset)
        staging.drop_attempts(connection, submission_id)
        return
    if _end_as_duplicate(connection, job):
        staging.drop_attempts(connection, submission_id)
        return
    withdraw_replaced(connection, job)
    if applying.apply_staged(
        connection,
        job.submission,
        job.spec.program,
        job.data_type,
        job.spec.dataset,
        bounds_of(job.spec, job.submission.received_at),
    ):
        staging.drop_attempts(connection, submission_id)


def _end_as_duplicate(connection: LedgerConnection, job: Job) -> bool:
    submission = job.submission
    if submission.apply_anyway:
        return False
    absolute = applying.is_absolute(job.data_type)
    twin = likeness.fully_applied_twin(connection, submission, absolute=absolute)
    if twin is not None:
        submissions.set_duplicate(connection, submission.id, twin)
    return twin is not None


def _quarantine(
    ledger: Ledger, submission_id: int, code: str, message: str, place: dict[str, Any] | None = None
) -> None:
    with ledger.connect() as connection:
        submissions.set_quarantined(connection, submission_id, code, message, place)
        staging.drop_attempts(connection, submission_id)


def result_of(ledger: Ledger, submission_id: int) -> dict[str, Any]:
    """Return what a task hands on of a submission: its state and counts."""
    with ledger.connect() as connection:
        submission = submissions.get(connection, submission_id)
    names = ("id", "state", "code", "message", "rows", "accepted", "warned", "rejected", "duplicate", "held")
    return {name: getattr(submission, name) for name in names}
