"""What the gateway answers to the commands of one SMTP connection."""

from __future__ import annotations

import asyncio
import logging
import re

from aiosmtpd.smtp import SMTP, Envelope, Session

from data_connections.gateway.mail_desk import MailDesk, Sent
from data_connections.gateway.reception import Reception
from data_connections.gateway.roster import Proof

MOST_RECIPIENTS = 20
MOST_UNKNOWN = 5
_UNFIT = re.compile(r"[^\x21-\x7e]")
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_log = logging.getLogger(__name__)


class MailEnvelope(Envelope):
    """A mail on its way in.

    Attributes:
        proofs: Whose addresses it is for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.proofs: list[Proof] = []


class MailTalk:
    """What is answered to the commands of one connection.

    Args:
        desk: Takes what the client brings.
        reception: Who comes in, by any protocol.
    """

    def __init__(self, desk: MailDesk, reception: Reception) -> None:
        self._desk = desk
        self._reception = reception
        self._unknown = 0

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: MailEnvelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Tell what is offered; no logins are."""
        session.host_name = hostname
        return [line for line in responses if "AUTH" not in line]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: MailEnvelope, address: str, options: list[str]
    ) -> str:
        """Begin a mail."""
        if self._reception.closing:
            return "421 4.3.2 The server is about to restart; please come again in a minute."
        if address in ("", "<>"):
            return "550 5.7.1 No mail goes out from here, so nothing can come back."
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: MailEnvelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient whom we know; guessing gets slower and slower."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients; please send another mail to the others."
        proof = await self._desk.find(address)
        if proof is None:
            return await self._refuse_unknown(server, session, envelope, address)
        if session.ssl is None and not self._desk.takes_plain(proof):
            return "530 5.7.0 Must issue a STARTTLS command first"
        if proof not in envelope.proofs:
            envelope.proofs.append(proof)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def _refuse_unknown(self, server: SMTP, session: Session, envelope: MailEnvelope, address: str) -> str:
        reception, came_from = self._reception, _peer(session)
        self._unknown += 1
        reception.journal.mail_refused(address, envelope.mail_from or "", came_from, "no such address")
        await asyncio.sleep(reception.failed.failed(came_from))
        if self._unknown >= MOST_UNKNOWN:
            server.loop.call_soon(_end, server)
            return "421 4.7.0 Too many unknown recipients."
        return "550 5.1.1 There is no such address here."

    async def handle_DATA(self, server: SMTP, session: Session, envelope: MailEnvelope) -> str:
        """Keep a mail that has come whole, and only then say so."""
        if _BARE_LINE_FEED.search(envelope.original_content or b""):
            # Servers do not agree on what such a line is, nor on whose the dot at its beginning is.
            return "550 5.6.0 Lines have to end with CR LF; please send it again so."
        sent = Sent(
            envelope.original_content or b"",
            envelope.mail_from or "",
            _peer(session),
            _UNFIT.sub("?", session.host_name or "")[:255],
            is_encrypted=session.ssl is not None,
        )
        self._reception.failed.succeeded(sent.address)
        return await self._desk.take(sent, envelope.proofs)

    async def handle_VRFY(self, server: SMTP, session: Session, envelope: MailEnvelope, address: str) -> str:
        """Tell nothing about addresses."""
        return "252 2.5.0 Send some mail, and see."

    async def handle_exception(self, error: Exception) -> str:
        """Answer what should not have happened, without telling of our insides."""
        _log.error("A mail was not taken.", exc_info=error)
        return "451 4.3.0 Something went wrong here; please send it again later."


def _end(server: SMTP) -> None:
    if server.transport is not None:
        server.transport.close()


def _peer(session: Session) -> str:
    return str((session.peer or ("?",))[0])
