"""A manual submission: one file through the same steps as a run's, in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data_connections import applying
from data_connections.catalog import activity, current
from data_connections.catalog.data_type_versions import must_fit
from data_connections.data_types import DataTypes
from data_connections.errors import ConfigurationError, ConnectionsError, LedgerUnavailable
from data_connections.landing import Landing, Original
from data_connections.ledger import Ledger, claims, parcels, submissions
from data_connections.spec import InboundConnection
from data_connections.steps import inbound
from data_connections.steps.acknowledgement import result_files
from data_connections.steps.description import described
from data_connections.steps.job import builtin_data_types, read_job
from data_connections.steps.journaling import record_landed
from data_connections.steps.unwrap import Keys

TRIES = 3


def submit(
    ledger: Ledger,
    landing: Landing,
    name: str,
    path: Path,
    *,
    who: str,
    received_at: datetime | None = None,
    again: bool = False,
    keys: Keys | None = None,
    data_types: DataTypes | None = None,
) -> dict[str, Any]:
    """Keep, validate and apply one file, and return the submission as `description.described` has it.

    Arguments and errors are those of `take` and `finish`.
    """
    submission_id = take(
        ledger, landing, name, path, who=who, received_at=received_at, again=again, data_types=data_types
    )
    return finish(ledger, landing, submission_id, keys=keys, data_types=data_types)


def take(
    ledger: Ledger,
    landing: Landing,
    name: str,
    path: Path,
    *,
    who: str,
    received_at: datetime | None = None,
    again: bool = False,
    data_types: DataTypes | None = None,
) -> int:
    """Keep one file for a connection, and return its submission; whoever dies later, it is not lost.

    Args:
        ledger: The ledger.
        landing: Where the original is kept.
        name: An inbound connection.
        path: The file.
        who: Who submits it; stands in the activity log.
        received_at: The received time; now if left out.
        again: Process bytes that were fully applied before, too; rows that the ledger knows stay duplicates.
        data_types: The data types that there are; those of this installation if left out.

    Raises:
        UnknownName: There is no such connection.
        ConfigurationError: The connection takes no files, the file cannot be read or is larger than
            ``limits.max_bytes``, or the data type's table is not yet what its folder says.
    """
    stored = current(ledger, name)
    if not isinstance(stored.spec, InboundConnection):
        raise ConfigurationError(f"Connection {name} sends files; it takes none.")
    data_type = (data_types or builtin_data_types())[stored.spec.data_type]
    applying.must_be_known(data_type)
    with ledger.connect() as connection:
        must_fit(connection, data_type)
    original = _keep(landing, path, stored.name, stored.spec.limits.max_bytes)
    with ledger.connect() as connection:
        submission_id = submissions.add(
            connection,
            connection_id=stored.connection_id,
            revision=stored.number,
            data_type=stored.spec.data_type,
            file_name=path.name,
            received_at=received_at or datetime.now(UTC),
            origin="manual",
            apply_anyway=again,
        )
        record_landed(landing, submissions.get(connection, submission_id), name, original)
        submissions.set_fetched(connection, submission_id, original.key, original.sha256, original.size)
        claims.lease(connection, submission_id)
        activity.record(
            connection,
            who,
            "submission.submitted",
            f"submission {submission_id}",
            connection_id=stored.connection_id,
            details={"file": path.name, "sha256": original.sha256, "again": again},
        )
    return submission_id


def finish(
    ledger: Ledger,
    landing: Landing,
    submission_id: int,
    *,
    keys: Keys | None = None,
    data_types: DataTypes | None = None,
) -> dict[str, Any]:
    """Validate and apply a kept submission as far as it goes, and return it; safe to run again.

    Raises:
        UnknownName: There is no such submission.
        LedgerUnavailable: The ledger went away; the submission is where it was and can be finished later.
    """
    for left in reversed(range(TRIES)):
        try:
            _validate_and_apply(ledger, landing, submission_id, keys, data_types)
            break
        except LedgerUnavailable:
            if not left:
                raise
    return described(ledger, submission_id)


def _validate_and_apply(
    ledger: Ledger, landing: Landing, submission_id: int, keys: Keys | None, data_types: DataTypes | None
) -> None:
    """Bring a submission, and those that came in it, to their end."""
    inbound.validate(ledger, submission_id, landing, keys=keys, data_types=data_types)
    with ledger.connect() as connection:
        members = parcels.members(connection, submission_id)
    for member in members:
        _validate_and_apply(ledger, landing, member["id"], keys, data_types)
    inbound.apply(ledger, submission_id, landing, data_types=data_types)


def finish_abandoned(
    ledger: Ledger, landing: Landing, *, data_types: DataTypes | None = None
) -> Iterator[tuple[int, str]]:
    """Go on with every submission that a command left unfinished when it died; yield each with its state.

    One that cannot be gone on with, such as for a data type that is no more, keeps none of the others.
    """
    with ledger.connect() as connection:
        left = submissions.abandoned(connection)
    for submission_id in left:
        try:
            yield submission_id, finish(ledger, landing, submission_id, data_types=data_types)["state"]
        except LedgerUnavailable:
            raise
        except ConnectionsError as refused:
            yield submission_id, f"left as it was: {refused}"


def write_results(
    ledger: Ledger, landing: Landing, submission_id: int, folder: Path, *, data_types: DataTypes | None = None
) -> list[Path]:
    """Write the result files of a finished submission into a local folder, and return their paths."""
    with ledger.connect() as connection:
        job = read_job(connection, submission_id, data_types)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for result in result_files(ledger, job, landing):
        path = folder / result.name
        partial = folder / f".{result.name}.part"
        with partial.open("wb") as stream:
            result.write(stream)
        partial.replace(path)
        written.append(path)
    return written


def _keep(landing: Landing, path: Path, name: str, most: int) -> Original:
    try:
        with path.open("rb") as source:
            size = os.fstat(source.fileno()).st_size
            if size > most:
                raise ConfigurationError(
                    f"Connection {name}: the file has {size:,} bytes, allowed are {most:,}. Split the file, or raise "
                    "limits.max_bytes.",
                    path=path,
                )
            return landing.keep_file(source)
    except OSError as unreadable:
        raise ConfigurationError(f"The file cannot be read: {unreadable.strerror}.", path=path) from unreadable
