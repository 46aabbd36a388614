"""What `connections check` checks by: plain options, or a connection and the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from command_line.pgp_keys import pgp_keys
from command_line.session import current_settings, open_ledger
from data_connections.errors import ConfigurationError

if TYPE_CHECKING:
    from data_connections.data_types import DataType, DataTypes
    from data_connections.spec.file_format import FileFormat
    from data_connections.spec.mapping import ColumnMapping
    from data_connections.validation import ValidationOptions
    from data_connections.validation.check import LedgerSays


@dataclass(frozen=True)
class Setting:
    """What the files of one call are checked by.

    Attributes:
        data_type: What the rows are.
        options: Received time, zone and more.
        file_format: How the files are written.
        most: Bytes that a packed file may hold.
        opened: Opens what a file holds, which is another one where it is an OpenPGP message.
        review: Opens what judges validated rows by the ledger; gives None where there is none.
    """

    data_type: DataType
    options: ValidationOptions
    file_format: FileFormat
    most: int
    opened: Callable[[Path], AbstractContextManager[Path]]
    review: Callable[[], AbstractContextManager[LedgerSays | None]]


def plain_setting(
    data_type: str | None, options: Sequence[str], known: DataTypes, received_at: datetime, time_zone: str | None
) -> Setting:
    """Return the setting that the options alone give.

    Raises:
        ConfigurationError: No data type is named, or an option is wrong.
    """
    from data_connections.spec.arrival import Limits
    from data_connections.spec.file_format import FileFormat
    from data_connections.validation import ValidationOptions

    if data_type is None:
        raise ConfigurationError("Say what the rows are with --data-type, or by which --connection to check.")
    mapping, options = _mapping_of(options)
    settings = ValidationOptions(received_at=received_at, time_zone=time_zone or "UTC", mapping=mapping)
    return Setting(
        known[data_type], settings, FileFormat.from_options(options), Limits().max_bytes, nullcontext, nullcontext
    )


def _mapping_of(options: Sequence[str]) -> tuple[ColumnMapping, list[str]]:
    """Tell the option ``mapping=NAME``, a ready mapping, from those of the format."""
    from data_connections.settings import Settings
    from data_connections.spec.mapping import ColumnMapping

    named = [option.partition("=")[2] for option in options if option.partition("=")[0] == "mapping"]
    mapping = ColumnMapping(preset=named[-1] if named else None)
    others = [option for option in options if option.partition("=")[0] != "mapping"]
    return mapping.resolved(Settings.from_environment().mappings), others


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
    from data_connections.steps.job import spec_options, with_expectations
    from data_connections.steps.unwrap import opened

    ledger = open_ledger()
    spec = current(ledger, name).spec
    if not isinstance(spec, InboundConnection):
        raise ConfigurationError(f"Connection {name} sends files; it takes none.", field="--connection")
    if data_type not in (None, spec.data_type):
        raise ConfigurationError(f"Connection {name} takes {spec.data_type}, not {data_type}.", field="--data-type")
    kind = with_expectations(known[spec.data_type], spec)
    settings = spec_options(spec, received_at, default_currency(ledger, spec))
    mapping, options = _mapping_of(options)
    settings = replace(
        settings,
        time_zone=time_zone or spec.time_zone,
        mapping=settings.mapping if mapping.is_empty else mapping,
    )
    declared = FileFormat.from_options(options)
    given = {key: getattr(declared, key) for key in declared.model_fields_set}
    file_format = FileFormat(**{**spec.format.model_dump(exclude_unset=True), **given})
    return Setting(
        kind,
        settings,
        file_format,
        spec.limits.max_bytes,
        lambda path: opened(path, spec.pgp, pgp_keys(current_settings()), spec.limits.max_bytes),
        lambda: ledger_review(ledger, spec, kind, received_at),
    )
