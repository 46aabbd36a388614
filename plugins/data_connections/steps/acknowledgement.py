"""What the sender gets back: receipt, summary and rejects; then the partner's file is cleared away."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from data_connections.data_types import DataTypes
from data_connections.endpoints.after_read import delete_after_read, move_after_read
from data_connections.endpoints.blocking import BlockingEndpoint
from data_connections.endpoints.contract import Endpoint, RemoteFile
from data_connections.endpoints.mail import Farewell, MailEndpoint, MailId
from data_connections.endpoints.mail_writing import AttachedFile
from data_connections.endpoints.names import join
from data_connections.endpoints.smtp import MailServer
from data_connections.errors import EndpointFileMissing, FileChanged
from data_connections.landing import Landing
from data_connections.ledger import Ledger, mails, outcomes, parcels, sightings, submissions
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.submission import Submission
from data_connections.spec import InboundFolder, InboundMailboxDetails, MailSource
from data_connections.steps.description import with_minor_units
from data_connections.steps.job import Job, read_job
from data_connections.steps.mail_answers import OpenServer, result_letter
from data_connections.steps.rejects import write_rejects
from data_connections.steps.vouched import voucher_of

SPOOLED = 8 * 1024 * 1024
"""Bytes of a rejects file that are held in memory; a larger one goes to a temporary file."""

LONGEST_ORIGINAL = 190
"""Bytes of the original's name in the names of result files; file systems take 255 in all."""


@dataclass(frozen=True)
class ResultFile:
    """One file for the sender; ``write`` puts its bytes into a stream."""

    name: str
    write: Callable[[BinaryIO], object]


def result_files(ledger: Ledger, job: Job, landing: Landing) -> Iterator[ResultFile]:
    """Yield the files that tell the sender of a finished submission.

    Their names follow the published contract (receipt, summary, errors by trace id), with ``result_`` in front so
    that they are never taken for submissions.
    """
    submission = job.submission
    name = _fitting(submission.file_name)
    receipt = f"{submission.trace_id}\n".encode()
    yield ResultFile(f"receipt_{name}.txt", lambda stream: stream.write(receipt))
    with ledger.connect() as connection:
        summary = json.dumps(summary_of(connection, job), indent=2, ensure_ascii=False).encode() + b"\n"
    yield ResultFile(f"result_{name}_summary.json", lambda stream: stream.write(summary))
    if submission.rejected:
        rejects = f"result_{submission.trace_id}_{name}"
        if not rejects.lower().endswith(".csv"):
            rejects += ".csv"
        yield ResultFile(rejects, lambda stream: write_rejects(ledger, landing, job, stream))


def _fitting(name: str) -> str:
    """Return the end of a file's name that leaves room for what is put around it."""
    return name.replace("/", "_").encode()[-LONGEST_ORIGINAL:].decode(errors="ignore")


def summary_of(connection: LedgerConnection, job: Job) -> dict[str, Any]:
    """Return the summary: ``constants`` and ``updates`` as published, and the totals by outcome and by code."""
    submission = job.submission
    codes = outcomes.outcome_counts(connection, submission.id)
    totals = outcomes.totals(connection, submission.id)
    members = parcels.members(connection, submission.id)
    return {
        "constants": {
            "traceId": str(submission.trace_id),
            "accountId": job.spec.program,
            "filename": submission.file_name,
            "originalFileUrl": _address(job, sightings.file_of(connection, submission.id)),
            "coreId": submission.id,
            "firstSubmitDate": int(submission.received_at.timestamp()),
            "sha256": submission.sha256,
        },
        "updates": {
            "totalRowCount": submission.rows,
            "successfulRowCount": submission.accepted,
            "errorRowCount": submission.rejected,
            "duplicateRowCount": submission.duplicate,
            "heldRowCount": submission.held,
            "warningRowCount": submission.warned,
            "status": submission.state,
            "code": submission.code,
            "summary": _sentence(submission),
            "currentCheckpoint": submission.state,
            "currentCheckpointStartTime": int(submission.claimed_at.timestamp()),
            "currentCheckpointLatestTime": int((submission.finished_at or submission.claimed_at).timestamp()),
        },
        "totals": with_minor_units(totals),
        "codes": codes,
        **({"files": members} if members else {}),
        "warnings": submission.warnings,
    }


def _address(job: Job, file: dict[str, Any] | None) -> str | None:
    details = job.spec.details
    return f"{details.address}/{file['path'].lstrip('/')}" if file else None


def _sentence(submission: Submission) -> str:
    if submission.message:
        return submission.message
    return (
        f"{submission.accepted} of {submission.rows} rows were accepted, {submission.rejected} rejected, "
        f"{submission.duplicate} known already, {submission.held} held."
    )


def acknowledge(
    ledger: Ledger,
    submission_id: int,
    endpoint: BlockingEndpoint,
    landing: Landing,
    *,
    tell: bool = True,
    open_server: OpenServer | None = None,
    data_types: DataTypes | None = None,
) -> dict[str, Any]:
    """Give the sender of a finished submission its result files, then clear the partner's file away.

    Without ``tell``, as in a backfill, the sender gets nothing and the file is cleared away all the same. Results of
    files that came in mails go to the connection's return address by the server that ``open_server`` returns for the
    name of its SMTP credentials.

    Run again it puts the same files in place of those that are there. A submission that is not final, such as one on
    hold, is left alone.

    Raises:
        RetriableEndpointError: The connection was lost; trying again may help.
        FatalEndpointError: The login may not write there.
    """
    with ledger.connect() as connection:
        job = read_job(connection, submission_id, data_types)
        file = sightings.file_of(connection, submission_id)
    submission = job.submission
    sent: list[str] = []
    if submission.is_final and submission.acknowledged_at is None:
        sent = _send(ledger, job, endpoint, landing, open_server) if tell else []
        if file is not None:
            _clear_away(ledger, job, endpoint, RemoteFile(file["path"], file["name"], file["size"], file["mtime"]))
        with ledger.connect() as connection:
            submissions.set_acknowledged(connection, submission_id)
    return {"id": submission_id, "state": submission.state, "sent": sent}


def _send(
    ledger: Ledger, job: Job, endpoint: BlockingEndpoint, landing: Landing, open_server: OpenServer | None
) -> list[str]:
    details = job.spec.details
    if job.submission.origin == "manual":
        return []
    if isinstance(details, MailSource):
        if details.return_address is None or open_server is None:
            return []
        return _mail(ledger, job, landing, open_server(details.smtp), details.return_address)
    folder = details.result_folder if isinstance(details, InboundFolder) else None
    if folder is None:
        return []
    endpoint.make_folder(folder)
    sent = []
    for result in result_files(ledger, job, landing):
        with tempfile.SpooledTemporaryFile(SPOOLED) as stream:
            result.write(stream)  # type: ignore[arg-type]
            stream.seek(0)
            endpoint.write(join(folder, result.name), stream, replace=True)
        sent.append(result.name)
    return sent


def _mail(ledger: Ledger, job: Job, landing: Landing, server: MailServer, address: str) -> list[str]:
    files = []
    for result in result_files(ledger, job, landing):
        stream = io.BytesIO()
        result.write(stream)
        files.append(AttachedFile(result.name, stream.getvalue()))
    letter = result_letter(job.submission, job.spec.title, _sentence(job.submission), address, server.sender, files)
    server.send(letter.as_bytes(), letter.recipients)
    return [file.name for file in letter.files]


def _clear_away(ledger: Ledger, job: Job, endpoint: BlockingEndpoint, file: RemoteFile) -> None:
    """Do with the partner's file what the spec says; another file in its place is left alone."""
    details, submission = job.spec.details, job.submission
    if submission.code in ("FILE_MISSING", "FILE_CHANGED"):
        return
    if isinstance(details, MailSource):
        _take_leave(ledger, job, endpoint, file)
        return
    if details.after_read == "keep":
        return
    token = str(submission.trace_id)
    with suppress(EndpointFileMissing, FileChanged):
        voucher = voucher_of(submission)
        if voucher is not None and voucher.marker:
            with suppress(EndpointFileMissing):
                endpoint.delete(voucher.by)
        if details.after_read == "delete":
            endpoint.run(delete_after_read, file, token)
        else:
            folder = details.failed_folder if submission.state == "quarantined" else details.done_folder
            endpoint.run(move_after_read, file, token, folder)


def _take_leave(ledger: Ledger, job: Job, endpoint: BlockingEndpoint, file: RemoteFile) -> None:
    """Do with a mail what the spec says, once every file that was taken from it has its outcome."""
    details = job.spec.details
    mail, _ = MailId.of(file.path)
    with ledger.connect() as connection:
        so_far = mails.progress(connection, job.submission.connection_id, mail.path_of(""))
    if not so_far.is_done:
        return
    folder = details.failed_folder if so_far.has_failed else details.done_folder
    mark_read = isinstance(details, InboundMailboxDetails) and details.mark_read
    with suppress(EndpointFileMissing):
        endpoint.run(_finish, mail, Farewell(details.after_read, folder, mark_read))


async def _finish(endpoint: Endpoint, mail: MailId, farewell: Farewell) -> None:
    assert isinstance(endpoint, MailEndpoint)  # noqa: S101 - files in mails come from no other
    await endpoint.finish(mail, farewell)
