"""Where the files of a hosted connection lie on this machine's disk, as the endpoint that tasks and triggers read."""

from __future__ import annotations

from pathlib import Path

from data_connections.endpoints.hosted import HostedEndpoint
from data_connections.endpoints.hosted_mail import HostedMailbox
from data_connections.gateway.folder import FILES
from data_connections.gateway.mailbox import MAILS
from data_connections.gateway.reception import rules_of
from data_connections.spec import ConnectionSpec, InboundHostedMailDetails


def place_of(hosted: Path, connection_id: int, spec: ConnectionSpec) -> HostedEndpoint | HostedMailbox:
    """Return the partner's folder, or the mails to the partner's address.

    Args:
        hosted: Folder with a folder for each connection.
        connection_id: The connection.
        spec: Its spec.
    """
    if isinstance(spec.details, InboundHostedMailDetails):
        return HostedMailbox(hosted / str(connection_id) / MAILS)
    return HostedEndpoint(hosted / str(connection_id) / FILES, rules_of(spec).folders)
