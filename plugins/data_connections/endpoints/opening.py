"""Which endpoint a connection's details mean."""

from __future__ import annotations

from collections.abc import Callable

from data_connections.endpoints.contract import Credentials, Endpoint
from data_connections.endpoints.ftp import FtpMaker
from data_connections.endpoints.imap import ImapMaker
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.spec.details import FolderHost, FtpHost
from data_connections.spec.mailbox import InboundMailboxDetails

Maker = Callable[[str, int, Credentials], Endpoint]
"""Makes an endpoint from host, port and credentials; equal ones make the same kind."""


def maker_of(details: FolderHost) -> Maker:
    """Return what makes the endpoint of these details."""
    if isinstance(details, InboundMailboxDetails):
        return ImapMaker(details.tls, details.newer_than)
    return FtpMaker(details.tls, details.ends_tls) if isinstance(details, FtpHost) else SftpEndpoint
