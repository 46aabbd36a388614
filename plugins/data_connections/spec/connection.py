"""The spec of a connection: one configured transfer, immutable, as it stands in YAML and in the ledger."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from data_connections.data_types import Suite
from data_connections.spec.alerts import Alerts
from data_connections.spec.arrival import Arrival, Limits
from data_connections.spec.dataset import Dataset
from data_connections.spec.details import (
    InboundFtpDetails,
    InboundHostedDetails,
    InboundSftpDetails,
    InboundSource,
    OutboundFolder,
    OutboundFtpDetails,
    OutboundHostedDetails,
    OutboundSftpDetails,
)
from data_connections.spec.expected import Expected, ExpectedDelivery, ExpectedFiles
from data_connections.spec.file_format import FileFormat
from data_connections.spec.mailbox import InboundHostedMailDetails, InboundMailboxDetails, OutboundMailDetails
from data_connections.spec.mapping import ColumnMapping
from data_connections.spec.output_format import Covers, OutputFormat, Packaging
from data_connections.spec.pgp import InboundPgp, OutboundPgp
from data_connections.spec.schedule import ON_REQUEST, PRESETS, check_schedule
from data_connections.spec.time_zone import TimeZone

SLUG = r"^[a-z0-9][a-z0-9_-]{0,99}$"
Slug = Annotated[str, Field(pattern=SLUG)]


Schedule = Annotated[
    str,
    AfterValidator(check_schedule),
    WithJsonSchema(
        {"anyOf": [{"enum": [*PRESETS, ON_REQUEST]}, {"type": "string", "pattern": r"^\s*\S+(\s+\S+){4}\s*$"}]}
    ),
]
_LOGIN = "Name of the login, kept apart from the spec; never the secret itself."


class Contacts(BaseModel):
    """Who to talk to about a connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ours: tuple[str, ...] = Field(default=(), description="Addresses on our side.")
    partner: tuple[str, ...] = Field(default=(), description="Addresses on the partner's side.")


class _Connection(BaseModel):
    """What every connection has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Slug = Field(description="Unique name, used in the DAG's id, in folders and on the command line.")
    display_name: str = Field(default="", max_length=200, description="Name for people; the name when left out.")
    description: str = Field(default="", description="What the transfer is for.")
    program: Slug = Field(description="Key of the program that the data belongs to.")
    data_type: Slug = Field(description="What the rows are: a folder of include/schemas, or a report's name.")
    direction: str = Field(description="Whether files come in or go out.")
    method: str = Field(description="How files travel.")
    credentials: Slug | None = Field(
        default=None, description="Name of the login, kept apart from the spec; none where we host the folder."
    )
    schedule: Schedule = Field(default="daily", description="A cron line, a preset such as 'daily', or 'on request'.")
    time_zone: TimeZone = Field(
        default="UTC", description="IANA time zone of the schedule, of times without an offset, of business days."
    )
    active_from: date | None = Field(default=None, description="First business day; earlier runs do nothing.")
    paused: bool = Field(default=False, description="The DAG is made, and runs only when somebody starts it.")
    owner: str = Field(default="", description="Who looks after the connection.")
    contacts: Contacts = Field(default=Contacts(), description="Whom to talk to about it.")
    alerts: Alerts = Field(default=Alerts(), description="Who is told about troubles, and how.")
    access_control: dict[str, tuple[Literal["view", "run", "edit"], ...]] = Field(
        default_factory=dict, description="What roles may do with it, such as {partner-managers: [view, run]}."
    )
    renamed_from: Slug | None = Field(default=None, description="Its name before: history and files stay with it.")

    @field_validator("expects", check_fields=False)
    @classmethod
    def _each_rule_once(cls, rules: tuple[Expected, ...], info: ValidationInfo) -> tuple[Expected, ...]:
        words = [rule.in_words(info.data.get("time_zone", "UTC")) for rule in rules]
        if twice := next((each for each in words if words.count(each) > 1), None):
            raise ValueError(f"{twice!r} is expected twice")
        return rules

    @property
    def title(self) -> str:
        """The display name, or the name where there is none."""
        return self.display_name or self.name

    @property
    def is_watched(self) -> bool:
        """Whether what it expects has to be there by its time."""
        return not self.paused


class InboundConnection(_Connection):
    """A connection that takes files in."""

    direction: Literal["inbound"] = Field(description="We take files in.")
    methodology: Literal["pull", "push"] = Field(default="pull", description="Whether we pull, or the partner pushes.")
    status: Literal["live", "testing"] = Field(
        default="live",
        description="While `testing`, files are judged and answered with receipt, summary and rejects, and nothing "
        "is applied.",
    )
    same_name: Literal["accept", "refuse", "correct"] = Field(
        default="accept",
        description="What a file does whose name came before with other bytes: it is one more file, it is refused, or "
        "what the earlier one did to actions is undone before it is applied.",
    )
    details: InboundSource = Field(description="Where the files are, and what happens to them there.")
    arrival: Arrival = Field(default=Arrival(), description="Which files a run waits for, and how long.")
    expects: tuple[ExpectedFiles, ...] = Field(
        default=(), description="Files that have to be there by a time of day; else people are told."
    )
    format: FileFormat = Field(default=FileFormat(), description="How the files are written.")
    pgp: InboundPgp | None = Field(default=None, description="Files are encrypted for us, signed, or both, with PGP.")
    mapping: ColumnMapping = Field(
        default=ColumnMapping(), description="How the files' columns become those of the data type."
    )
    limits: Limits = Field(default=Limits(), description="Sizes and counts beyond which something is wrong.")
    expectations: Suite = Field(default=Suite(), description="Expectations beside those of the data type.")
    unknown_columns: Literal["ignore", "warn", "reject"] = Field(
        default="warn", description="What a column does that the data type does not know."
    )
    dataset: Dataset = Field(
        default=Dataset(), description="Which rows the files write, for data types that are kept by key."
    )
    vanished_columns: Literal["ignore", "warn", "reject"] = Field(
        default="warn", description="What a column does that the last applied file had and this one has not."
    )
    order_lines: Literal["consecutive", "regroup"] = Field(
        default="consecutive",
        description="Whether the lines of one order have to follow each other, or are found anywhere in a file.",
    )
    unlikely_dates: Literal["reject", "warn"] = Field(
        default="reject", description="What a date before 1990 does, or an event in the future."
    )
    allow_empty: bool = Field(default=True, description="A file with a header only is Completed with 0 rows.")
    default_currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = Field(
        default=None, description="Currency of rows without one; the program's where left out."
    )


class OutboundConnection(_Connection):
    """A connection that sends a report out."""

    direction: Literal["outbound"] = Field(description="We send reports out.")
    methodology: Literal["push", "pull"] = Field(default="push", description="Whether we push, or the partner pulls.")
    status: Literal["live", "testing"] = Field(
        default="live",
        description="While `testing`, reports are made, checked and kept to be looked at; nothing is sent, and nothing "
        "counts as delivered.",
    )
    details: OutboundFolder = Field(description="Where the files go.")
    format: OutputFormat = Field(default=OutputFormat(), description="How the files are written.")
    pgp: OutboundPgp | None = Field(default=None, description="Files are encrypted, signed, or both, with PGP.")
    covers: Covers = Field(default=Covers(), description="Days that are sent beside those of the run.")
    packaging: Packaging = Field(default=Packaging(), description="How rows become files, and what goes with them.")
    expects: tuple[ExpectedDelivery, ...] = Field(
        default=(), description="By when a report has to be delivered, or collected; else people are told."
    )

    @property
    def is_watched(self) -> bool:
        """Whether its reports have to be there by their time: not while nothing is sent."""
        return super().is_watched and self.status == "live"

    @model_validator(mode="after")
    def _can_be_collected(self) -> OutboundConnection:
        if self.methodology == "push" and any(rule.state == "collected" for rule in self.expects):
            raise ValueError("`expects: state: collected` is for reports that partners collect at our gateway")
        return self


class InboundSftp(InboundConnection):
    """A connection that pulls files from a partner's SFTP server."""

    method: Literal["sftp"] = Field(description="How files travel.")
    methodology: Literal["pull"] = Field(default="pull", description="We pull from the partner's server.")
    credentials: Slug = Field(description=_LOGIN)
    details: InboundSftpDetails = Field(description="Where the files are, and what happens to them there.")


class InboundFtp(InboundConnection):
    """A connection that pulls files from a partner's FTP or FTPS server."""

    method: Literal["ftp"] = Field(description="How files travel.")
    methodology: Literal["pull"] = Field(default="pull", description="We pull from the partner's server.")
    credentials: Slug = Field(description=_LOGIN)
    details: InboundFtpDetails = Field(description="Where the files are, and what happens to them there.")


class InboundEmail(InboundConnection):
    """A connection that takes files from the mails in a mailbox."""

    method: Literal["email"] = Field(description="How files travel.")
    methodology: Literal["pull"] = Field(default="pull", description="We look into the mailbox.")
    credentials: Slug = Field(description=_LOGIN)
    details: InboundMailboxDetails = Field(description="Where the mails are, and what happens to them there.")


class OutboundSftp(OutboundConnection):
    """A connection that pushes a report to a partner's SFTP server."""

    method: Literal["sftp"] = Field(description="How files travel.")
    methodology: Literal["push"] = Field(default="push", description="We push to the partner's server.")
    credentials: Slug = Field(description=_LOGIN)
    details: OutboundSftpDetails = Field(description="Where the files go.")


class OutboundFtp(OutboundConnection):
    """A connection that pushes a report to a partner's FTP or FTPS server."""

    method: Literal["ftp"] = Field(description="How files travel.")
    methodology: Literal["push"] = Field(default="push", description="We push to the partner's server.")
    credentials: Slug = Field(description=_LOGIN)
    details: OutboundFtpDetails = Field(description="Where the files go.")


class OutboundEmail(OutboundConnection):
    """A connection that mails a report."""

    method: Literal["email"] = Field(description="How files travel.")
    methodology: Literal["push"] = Field(default="push", description="We send the mail.")
    credentials: Slug = Field(default="smtp_default", description="Name of the SMTP server's login, kept apart.")
    details: OutboundMailDetails = Field(description="Whom the files go to.")


class InboundHosted(InboundConnection):
    """A connection whose partner pushes files to our gateway."""

    methodology: Literal["push"] = Field(description="The partner pushes to us.")
    credentials: None = Field(default=None, description="None: `connections gateway create-login` makes logins.")
    details: InboundSource = Field(description="The partner's place at the gateway.")


class OutboundHosted(OutboundConnection):
    """A connection whose partner collects reports from our gateway."""

    methodology: Literal["pull"] = Field(description="The partner pulls from us.")
    credentials: None = Field(default=None, description="None: `connections gateway create-login` makes logins.")
    details: OutboundHostedDetails = Field(description="The partner's folder at the gateway.")


class InboundHostedSftp(InboundHosted):
    """A connection whose partner pushes files to our gateway by SFTP."""

    method: Literal["sftp"] = Field(description="How files travel.")
    details: InboundHostedDetails = Field(description="The partner's folder at the gateway.")


class InboundHostedFtp(InboundHosted):
    """A connection whose partner pushes files to our gateway by FTPS, or FTP where that is allowed."""

    method: Literal["ftp"] = Field(description="How files travel.")
    details: InboundHostedDetails = Field(description="The partner's folder at the gateway.")


class InboundHostedEmail(InboundHosted):
    """A connection whose partner mails files to an address at our gateway."""

    method: Literal["email"] = Field(description="How files travel.")
    details: InboundHostedMailDetails = Field(description="The partner's address at the gateway.")


class OutboundHostedSftp(OutboundHosted):
    """A connection whose partner collects reports from our gateway by SFTP."""

    method: Literal["sftp"] = Field(description="How files travel.")


class OutboundHostedFtp(OutboundHosted):
    """A connection whose partner collects reports from our gateway by FTPS, or FTP where that is allowed."""

    method: Literal["ftp"] = Field(description="How files travel.")


KINDS: dict[str, type[InboundConnection | OutboundConnection]] = {
    "inbound_sftp": InboundSftp,
    "inbound_sftp_push": InboundHostedSftp,
    "inbound_ftp": InboundFtp,
    "inbound_ftp_push": InboundHostedFtp,
    "inbound_email": InboundEmail,
    "inbound_email_push": InboundHostedEmail,
    "outbound_sftp": OutboundSftp,
    "outbound_sftp_pull": OutboundHostedSftp,
    "outbound_ftp": OutboundFtp,
    "outbound_ftp_pull": OutboundHostedFtp,
    "outbound_email": OutboundEmail,
}
"""Every kind of connection, by direction and method, and by methodology where that is not the usual one."""

_USUAL = {"inbound": "pull", "outbound": "push"}


def _kind(value: Any) -> str:
    content = value if isinstance(value, dict) else vars(value)
    direction, methodology = content.get("direction"), content.get("methodology")
    usual = methodology in (None, _USUAL.get(str(direction)))
    return f"{direction}_{content.get('method')}" + ("" if usual else f"_{methodology}")


ConnectionSpec = Annotated[
    Annotated[InboundSftp, Tag("inbound_sftp")]
    | Annotated[InboundHostedSftp, Tag("inbound_sftp_push")]
    | Annotated[InboundFtp, Tag("inbound_ftp")]
    | Annotated[InboundHostedFtp, Tag("inbound_ftp_push")]
    | Annotated[InboundEmail, Tag("inbound_email")]
    | Annotated[InboundHostedEmail, Tag("inbound_email_push")]
    | Annotated[OutboundSftp, Tag("outbound_sftp")]
    | Annotated[OutboundHostedSftp, Tag("outbound_sftp_pull")]
    | Annotated[OutboundFtp, Tag("outbound_ftp")]
    | Annotated[OutboundHostedFtp, Tag("outbound_ftp_pull")]
    | Annotated[OutboundEmail, Tag("outbound_email")],
    Discriminator(_kind),
]
"""Any connection, told apart by direction, method and methodology."""

CONNECTION_SPEC: TypeAdapter[ConnectionSpec] = TypeAdapter(ConnectionSpec)
"""Reads and writes specs: ``CONNECTION_SPEC.validate_python(mapping)``."""
