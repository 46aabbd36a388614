"""One submission with all that its steps need to know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from data_connections.data_types import DataType, DataTypes, load_data_types
from data_connections.errors import ConfigurationError
from data_connections.ledger import submissions
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.submission import Submission
from data_connections.settings import Settings
from data_connections.spec import FileFormat, InboundConnection, parse_spec
from data_connections.validation import ValidationOptions


@dataclass(frozen=True)
class Job:
    """A submission, the spec of the revision that it is pinned to, and its data type.

    Attributes:
        submission: As it was read.
        name: The connection's present name.
        spec: That revision's spec.
        data_type: With the expectations of the connection beside its own.
        currency: Currency of rows that name none; empty where neither connection nor program is known to have one.
    """

    submission: Submission
    name: str
    spec: InboundConnection
    data_type: DataType
    currency: str

    @property
    def file_format(self) -> FileFormat:
        """How the file is written: as the connection says, and else as is usual for the data type."""
        return self.spec.format.over(self.data_type.format)

    def options(self) -> ValidationOptions:
        """Return what validation has to know of the submission and its connection.

        Raises:
            ConfigurationError: The mapping's preset is wrong or not there.
        """
        return spec_options(self.spec, self.submission.received_at, self.currency)


def spec_options(spec: InboundConnection, received_at: datetime, currency: str) -> ValidationOptions:
    """Return what validation has to know of a connection.

    Raises:
        ConfigurationError: The mapping's preset is wrong or not there.
    """
    return ValidationOptions(
        received_at=received_at,
        time_zone=spec.time_zone,
        unknown_columns=spec.unknown_columns,
        default_currency=currency,
        order_lines=spec.order_lines,
        unlikely_dates="warning" if spec.unlikely_dates == "warn" else "error",
        mapping=spec.mapping.resolved(Settings.from_environment().mappings),
    )


def builtin_data_types() -> DataTypes:
    """Return the data types of this installation."""
    return load_data_types(Settings.from_environment().schemas)


def read_job(
    connection: LedgerConnection, submission_id: int, data_types: DataTypes | None = None, *, lock: bool = False
) -> Job:
    """Read a submission with its spec; with ``lock`` nobody else changes it until the transaction ends.

    Raises:
        UnknownName: There is no such submission or data type.
        ConfigurationError: The connection is not an inbound one.
    """
    return job_of(connection, submissions.get(connection, submission_id, lock=lock), data_types)


def job_of(connection: LedgerConnection, submission: Submission, data_types: DataTypes | None = None) -> Job:
    """Return a submission with its spec; errors as in ``read_job``."""
    row = connection.execute(
        """
        select c.name, v.spec, p.currency from connection c
        join connection_revision v on v.connection_id = c.id and v.number = %s
        left join program p on p.key = v.spec ->> 'program'
        where c.id = %s
        """,
        [submission.revision, submission.connection_id],
    ).fetchone()
    assert row is not None  # noqa: S101 - a submission's revision is never deleted
    spec = parse_spec({**row["spec"], "name": row["name"]})
    if not isinstance(spec, InboundConnection):
        raise ConfigurationError(f"Connection {spec.name} sends files; it takes none.")
    known = data_types or builtin_data_types()
    currency = spec.default_currency or row["currency"] or ""
    return Job(submission, row["name"], spec, with_expectations(known[submission.data_type], spec), currency)


def with_expectations(data_type: DataType, spec: InboundConnection) -> DataType:
    """Return the data type with the expectations of the connection added to its own."""
    own, more = data_type.suite, spec.expectations
    if not more.rows and not more.file:
        return data_type
    suite = own.model_copy(update={"rows": own.rows + more.rows, "file": own.file + more.file})
    return data_type.model_copy(update={"suite": suite})
