"""Specs of connections: what a transfer is, as YAML files and the ledger's revisions say."""

from data_connections.spec.alerts import Alerts
from data_connections.spec.arrival import Arrival, HoldIf, Limits
from data_connections.spec.connection import (
    CONNECTION_SPEC,
    ConnectionSpec,
    Contacts,
    InboundConnection,
    InboundEmail,
    InboundFtp,
    InboundHosted,
    InboundSftp,
    OutboundConnection,
    OutboundEmail,
    OutboundFtp,
    OutboundHosted,
    OutboundSftp,
)
from data_connections.spec.details import Folder, FolderHost, FtpHost, Hosted, HostedFolder, InboundFolder, SftpHost
from data_connections.spec.expected import Expected, ExpectedDelivery, ExpectedFiles, Occasion
from data_connections.spec.file_format import FileFormat
from data_connections.spec.loading import LoadedFolder, LoadedSpec, load_folder, load_spec, parse_spec
from data_connections.spec.mailbox import (
    InboundHostedMailDetails,
    InboundMailboxDetails,
    MailSource,
    OutboundMailDetails,
)
from data_connections.spec.output_format import Covers, OutputFormat, Packaging
from data_connections.spec.schedule import ON_REQUEST, PRESETS, cron_line, next_run

__all__ = [
    "CONNECTION_SPEC",
    "ON_REQUEST",
    "PRESETS",
    "Alerts",
    "Arrival",
    "ConnectionSpec",
    "Contacts",
    "Covers",
    "Expected",
    "ExpectedDelivery",
    "ExpectedFiles",
    "FileFormat",
    "Folder",
    "FolderHost",
    "FtpHost",
    "HoldIf",
    "Hosted",
    "HostedFolder",
    "InboundConnection",
    "InboundEmail",
    "InboundFolder",
    "InboundFtp",
    "InboundHosted",
    "InboundHostedMailDetails",
    "InboundMailboxDetails",
    "InboundSftp",
    "Limits",
    "LoadedFolder",
    "LoadedSpec",
    "MailSource",
    "Occasion",
    "OutboundConnection",
    "OutboundEmail",
    "OutboundFtp",
    "OutboundHosted",
    "OutboundMailDetails",
    "OutboundSftp",
    "OutputFormat",
    "Packaging",
    "SftpHost",
    "cron_line",
    "load_folder",
    "load_spec",
    "next_run",
    "parse_spec",
]
