"""Mails of our own as bytes: the same content always gives the same bytes, and the same Message-ID."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime


@dataclass(frozen=True)
class AttachedFile:
    """A file that goes with a mail.

    Attributes:
        name: Its name, in any letters.
        content: Its bytes.
    """

    name: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """A mail that is to be sent.

    Attributes:
        key: Tells it apart from every other mail; its Message-ID is made of it.
        sender: Address that it is from.
        to: Addresses that it is for.
        subject: One line.
        lines: The text, a paragraph each.
        at: What stands as its date.
        files: What goes with it.
        cc: Addresses that get a copy.
        automatic: Whether it answers a mail, so that no machine answers it again.
    """

    key: str
    sender: str
    to: Sequence[str]
    subject: str
    lines: Iterable[str]
    at: datetime
    files: Sequence[AttachedFile] = ()
    cc: Sequence[str] = ()
    automatic: bool = False

    @property
    def message_id(self) -> str:
        """``<key@domain>``."""
        return f"<{self.key}@{self.sender.rpartition('@')[2]}>"

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody who gets it, once."""
        return tuple(dict.fromkeys((*self.to, *self.cc)))

    def as_bytes(self) -> bytes:
        """Return the mail as it is sent."""
        mail = EmailMessage(policy=SMTP)
        mail["Message-ID"] = self.message_id
        mail["Date"] = format_datetime(self.at)
        mail["From"] = self.sender
        mail["To"] = ", ".join(self.to)
        if self.cc:
            mail["Cc"] = ", ".join(self.cc)
        mail["Subject"] = " ".join(self.subject.split())
        mail["Auto-Submitted"] = "auto-replied" if self.automatic else "auto-generated"
        mail.set_content("\n\n".join(self.lines) + "\n", cte="quoted-printable")
        for file in self.files:
            mail.add_attachment(
                file.content, maintype="application", subtype="octet-stream", filename=file.name, cte="base64"
            )
        if self.files:
            # Else the boundary is drawn by lot, and a second try would have other bytes.
            mail.set_boundary(f"part-{hashlib.sha256(self.key.encode()).hexdigest()[:32]}")
        return mail.as_bytes()
