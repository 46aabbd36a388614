"""The dry run of a file by a connection's own rules and the ledger as it is now; nothing is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import BinaryIO

from data_connections.data_types import DataTypes
from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from data_connections.spec import ConnectionSpec, InboundConnection
from data_connections.steps.dry_run import default_currency, ledger_review
from data_connections.steps.job import spec_options, with_expectations
from data_connections.validation.check import CheckReport, check_file

ERRORS_SHOWN = 100


def check_sample(
    ledger: Ledger, spec: ConnectionSpec, source: BinaryIO, name: str, data_types: DataTypes
) -> CheckReport:
    """Return what would become of the rows of a file if the connection took it now.

    Args:
        ledger: The ledger.
        spec: The connection, stored or not yet.
        source: The file's bytes.
        name: The file's name.
        data_types: The data types that there are.

    Raises:
        ConfigurationError: The connection takes no files, or its data type cannot be evaluated.
    """
    if not isinstance(spec, InboundConnection):
        raise ConfigurationError(f"Connection {spec.name} sends files; it takes none.")
    now = datetime.now(UTC).replace(microsecond=0)
    data_type = with_expectations(data_types[spec.data_type], spec)
    options = spec_options(spec, now, default_currency(ledger, spec))
    with ledger_review(ledger, spec, data_type, now) as review:
        return check_file(
            source, data_type, options, file_format=spec.format, name=name, errors_shown=ERRORS_SHOWN, review=review
        )
