"""What `connections check` checks by: plain options, or a connection and the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from command_line.session import open_ledger
from data_connections.errors import ConfigurationError

if TYPE_CHECKING:
    from data_connections.data_types import DataType, DataTypes
    from data_connections.spec.file_format import FileFormat
    from data_connections.validation import ValidationOptions
    from data_connections.validation.validated import Review


@dataclass(frozen=True)
class Setting:
    """What the files of one call are checked by.

    Attributes:
        data_type: What the rows are.
        options: Received time, zone and more.
        file_format: How the files are written.
        review: Opens what judges validated rows by the ledger; gives None where there is none.
    """

    data_type: DataType
    options: ValidationOptions
    file_format: FileFormat
    review: Callable[[], AbstractContextManager[Review | None]]


def plain_setting(
    data_type: str | None, options: Sequence[str], known: DataTypes, received_at: datetime, time_zone: str | None
) -> Setting:
    """Return the setting that the options alone give.

    Raises:
        ConfigurationError: No data type is named, or an option is wrong.
    """
    from data_connections.spec.file_format import FileFormat
    from data_connections.validation import ValidationOptions

    if data_type is None:
        raise ConfigurationError("Say what the rows are with --data-type, or by which --connection to check.")
    settings = ValidationOptions(received_at=received_at, time_zone=time_zone or "UTC")
    return Setting(known[data_type], settings, FileFormat.from_options(options), nullcontext)


def connection_setting(
    name: str,
    data_type: str | None,
    options: Sequence[str],
    known: DataTypes,
    received_at: datetime,
    time_zone: str | None,
) -> Setting:
    """Return the setting of a connection; the options come before its own.

    Raises:
        ConfigurationError: There is no such inbound connection, or it is one of another data type.
    """
    from data_connections.catalog import current
    from data_connections.spec import InboundConnection
    from data_connections.spec.file_format import FileFormat
    from data_connections.steps.dry_run import default_currency, ledger_review
    from data_connections.steps.job import with_expectations
    from data_connections.validation import ValidationOptions

    ledger = open_ledger()
    spec = current(ledger, name).spec
    if not isinstance(spec, InboundConnection):
        raise ConfigurationError(f"Connection {name} sends files; it takes none.", field="--connection")
    if data_type not in (None, spec.data_type):
        raise ConfigurationError(f"Connection {name} takes {spec.data_type}, not {data_type}.", field="--data-type")
    kind = with_expectations(known[spec.data_type], spec)
    settings = ValidationOptions(
        received_at=received_at,
        time_zone=time_zone or spec.time_zone,
        unknown_columns=spec.unknown_columns,
        default_currency=default_currency(ledger, spec),
    )
    declared = FileFormat.from_options(options)
    given = {key: getattr(declared, key) for key in declared.model_fields_set}
    file_format = FileFormat(**{**spec.format.model_dump(exclude_unset=True), **given})
    return Setting(kind, settings, file_format, lambda: ledger_review(ledger, spec, kind, received_at))
