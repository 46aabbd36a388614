"""What the steps of an outbound run take from its connection's spec."""

from __future__ import annotations

from datetime import date

from data_connections.errors import ConfigurationError
from data_connections.spec import ConnectionSpec, OutboundConnection
from data_connections.spec.file_name import file_name


def outbound_spec(spec: ConnectionSpec) -> OutboundConnection:
    """Return the spec as that of an outbound connection.

    Raises:
        ConfigurationError: It is an inbound one.
    """
    if not isinstance(spec, OutboundConnection):
        raise ConfigurationError(f"Connection {spec.name} takes files; it sends none.")
    return spec


def base_name(spec: OutboundConnection, first: date, last: date) -> str:
    """Return the file's name for these days, before any version is added to it."""
    return filled(spec.details.file_name, spec, first, last)


def filled(template: str, spec: OutboundConnection, first: date, last: date) -> str:
    """Return a template of the connection with its placeholders filled in for these days."""
    return file_name(
        template,
        business_date=first,
        last_date=last,
        connection=spec.name,
        program=spec.program,
        report=spec.data_type,
    )
