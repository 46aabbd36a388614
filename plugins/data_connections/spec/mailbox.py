"""Files by mail: out of a mailbox that we look into, and to those whom reports are mailed to."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from data_connections.spec.details import Certificate, FolderHost, Hosted, InboundSource, OutboundFolder
from data_connections.spec.file_name import check_placeholders

IMAPS_PORT, IMAP_PORT = 993, 143
GATEWAY_VERIFIER = "connections-gateway"
"""How the gateway calls itself where it says whether a sender is proven."""

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\[\]\\]+@([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+")
_SENDER = re.compile(r"([^\s@<>\"(),:;\[\]\\]+)?@([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+")


def check_address(address: str) -> str:
    """Return an e-mail address; ValueError where it is none, or more than one."""
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is not an e-mail address alone, such as files@partner.example")
    return address


def _is_sender(sender: str) -> str:
    if not _SENDER.fullmatch(sender):
        raise ValueError(f"{sender!r} is neither an e-mail address nor a domain, such as @partner.example")
    return sender.lower()


Address = Annotated[str, AfterValidator(check_address)]
Sender = Annotated[str, AfterValidator(_is_sender)]
Tls = Literal["implicit", "starttls", "none"]


class MailSender(BaseModel):
    """The server by which mails of ours go out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    smtp: str = Field(
        default="smtp_default",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="Name of the SMTP credentials by which answers go out: host, port, login and sender.",
    )


class MailSource(InboundSource, MailSender):
    """Mails whose attachments are taken as files."""

    after_read: Literal["keep", "flag", "move", "delete"] = Field(
        default="keep", description="What happens to a mail once the outcome of all its files is known."
    )
    senders: tuple[Sender, ...] = Field(
        default=(),
        description="Addresses, and domains such as `@partner.example`, whose mails are taken; anybody's where left "
        "out. A mailbox that we look into needs `authserv_id` for it.",
    )
    reply_to_refused: bool = Field(
        default=True, description="Whether a proven sender who is not among `senders` is told so, once and never again."
    )
    return_address: Address | None = Field(
        default=None,
        description="Address that gets receipt, summary and rejects; none are sent where it is left out.",
    )

    @property
    @abstractmethod
    def verifier(self) -> str:
        """Name of the server whose word about senders is believed; empty for none."""


class InboundMailboxDetails(FolderHost, MailSource):
    """A mailbox that mails are taken from, by IMAP."""

    folder: str = Field(default="INBOX", min_length=1, description="Folder of the mailbox, as the server names it.")
    port: int = Field(
        default=IMAPS_PORT, gt=0, lt=65536, description="TCP port of the server; 143 where left out without `implicit`."
    )
    tls: Tls = Field(
        default="implicit",
        description="`implicit`: IMAPS, encrypted from the first byte; `starttls`: IMAP that begins with STARTTLS; "
        "`none`: login, password and mails travel readable.",
    )
    certificate: tuple[Certificate, ...] = Field(
        default=(),
        description="SHA-256 fingerprints of server certificates that are trusted as they are; two while it changes. "
        "Where none is given, the credentials' are used, and else the certificate authorities that are trusted.",
    )
    mark_read: bool = Field(default=False, description="Whether mails that were taken are marked as read afterwards.")
    newer_than: timedelta = Field(
        default=timedelta(days=30),
        ge=timedelta(days=1),
        description="Older mails are not looked at, so that a mailbox may grow; ISO 8601 (P30D) or seconds.",
    )
    authserv_id: str | None = Field(
        default=None,
        min_length=1,
        description="Name that our own mail server gives itself in the `Authentication-Results` that it puts on top of "
        "every mail; no other header proves a sender.",
    )

    @model_validator(mode="after")
    def _senders_are_proven(self) -> Self:
        if self.senders and self.authserv_id is None:
            raise ValueError(
                "senders needs authserv_id: what a mail says about its sender proves nothing, only the "
                "Authentication-Results of our own mail server do"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _usual_port(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and given.get("tls") in ("starttls", "none") and "port" not in given:
            return {**given, "port": IMAP_PORT}
        return given

    @property
    def scheme(self) -> str:
        """``imap`` where nothing is encrypted, else ``imaps``."""
        return "imap" if self.tls == "none" else "imaps"

    @property
    def verifier(self) -> str:
        """Our mail server."""
        return self.authserv_id or ""


class InboundHostedMailDetails(Hosted, MailSource):
    """An address of our own, at the gateway, that a partner mails files to."""

    quota_bytes: int = Field(default=5 * 1024**3, gt=0, description="Bytes of all mails that wait.")
    quota_files: int = Field(default=1_000, gt=0, description="Mails that wait.")
    after_read: Literal["keep", "delete"] = Field(
        default="delete",
        description="What happens to a mail once the outcome of all its files is known; we keep the originals.",
    )
    keep_for: timedelta = Field(
        default=timedelta(days=30),
        ge=timedelta(days=1),
        description="How long mails stay that nothing is taken from; ISO 8601 (P30D) or seconds.",
    )
    plain_smtp: bool = Field(
        default=False, description="Whether mails are taken that come without TLS; they then travel readable."
    )

    @property
    def verifier(self) -> str:
        """The gateway itself, which looks at the DKIM signatures of every mail."""
        return GATEWAY_VERIFIER


class OutboundMailDetails(OutboundFolder):
    """People and machines that reports are mailed to."""

    folder: Literal["/"] = Field(default="/", description="Always `/`: a mail has no folders.")
    to: tuple[Address, ...] = Field(min_length=1, description="Addresses that get the mail.")
    cc: tuple[Address, ...] = Field(default=(), description="Addresses that get a copy.")
    subject: Annotated[str, AfterValidator(check_placeholders)] = Field(
        default="{report} {business_date:%Y-%m-%d}",
        min_length=1,
        max_length=200,
        description="Subject of the mail, with the same placeholders as `file_name`.",
    )
    text: str = Field(default="", description="What the mail says before it lists its files.")
    attach_up_to: int = Field(
        default=10 * 1024 * 1024,
        ge=0,
        description="Bytes of all files that are attached; above it the mail has a link to the delivery on our screen.",
    )
    existing: Literal["replace", "version"] = Field(
        default="version", description="What a day that is run again does: sends the same name, or adds _v2, _v3 ..."
    )

    @property
    def scheme(self) -> str:
        """``smtp``."""
        return "smtp"

    @property
    def address(self) -> str:
        """``mailto:`` and the addresses."""
        return f"mailto:{','.join(self.to)}"

    @property
    def place(self) -> str:
        """The same, for people."""
        return self.address
