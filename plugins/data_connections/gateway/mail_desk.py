"""Mails to addresses of ours: whose they are, whether their sender is proven, and into which mailboxes they go."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from data_connections.gateway.configuration import GatewayAddress, GatewayConfiguration
from data_connections.gateway.desk import Arrived
from data_connections.gateway.journal import Journal
from data_connections.gateway.mailbox import MAILS, PartnerMailbox
from data_connections.gateway.refusals import Refused
from data_connections.gateway.roster import Proof, Roster
from data_connections.gateway.sender_proof import KeysUnavailable, SenderProof
from data_connections.spec import InboundHostedMailDetails
from data_connections.spec.mailbox import GATEWAY_VERIFIER

_log = logging.getLogger(__name__)
_ODD = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True)
class Sent:
    """A mail as a client handed it over.

    Attributes:
        content: Its bytes.
        sender: Address of the envelope.
        address: Where the client is.
        greeting: How the client called itself.
        is_encrypted: Whether it came by TLS.
    """

    content: bytes
    sender: str
    address: str
    greeting: str
    is_encrypted: bool


class MailDesk:
    """Takes mails for the connections of a gateway.

    Args:
        configuration: Its folders and domain.
        roster: Whose the addresses are.
        journal: Where it is written down.
        arrived: Told of connections that got a mail.
    """

    def __init__(self, configuration: GatewayConfiguration, roster: Roster, journal: Journal, arrived: Arrived) -> None:
        self._configuration = configuration
        self._roster = roster
        self._journal = journal
        self._arrived = arrived
        self._senders = SenderProof(configuration.nameserver)
        self._mailboxes: dict[int, PartnerMailbox] = {}

    async def find(self, address: str) -> Proof | None:
        """Return whose address it is; None where it is nobody's here."""
        local_part, _, domain = address.rpartition("@")
        if domain.lower() != GatewayAddress.of(self._configuration).mail_address("").removeprefix("@").lower():
            return None
        proof = await self._roster.by_address(local_part.lower())
        return proof if proof is not None and self._details(proof) is not None else None

    def takes_plain(self, proof: Proof) -> bool:
        """Whether a connection takes mails that come without TLS."""
        details = self._details(proof)
        return details is not None and details.plain_smtp

    async def take(self, sent: Sent, proofs: Sequence[Proof]) -> str:
        """Put a mail into the mailbox of everybody whom it is for, or of nobody, and return what is answered."""
        try:
            verdict = await self._verdict(sent, proofs)
            await asyncio.to_thread(self._keep, sent, verdict, [self._mailbox(proof) for proof in proofs])
        except KeysUnavailable as unknown:
            _log.warning("Whether a mail is from whom it says cannot be told now: %s", unknown)
            return "451 4.7.5 The signature cannot be checked now; please send it again later."
        except Refused as full:
            for proof in proofs:
                self._journal.mail_refused(proof.login, sent.sender, sent.address, str(full), proof)
            return f"452 4.2.2 {full}"
        for proof in proofs:
            self._journal.mailed(proof, sent.sender, len(sent.content), sent.address)
            self._arrived(proof.connection_id, f"/{MAILS}".encode())
        return "250 2.0.0 OK, it is kept."

    async def _verdict(self, sent: Sent, proofs: Sequence[Proof]) -> str:
        """Return what is said of the sender; nobody is asked where no connection wants to know."""
        if any(details.senders for proof in proofs if (details := self._details(proof)) is not None):
            return await asyncio.to_thread(self._senders.apart, sent.content)
        return f"{GATEWAY_VERIFIER}; none"

    def _keep(self, sent: Sent, verdict: str, mailboxes: Sequence[PartnerMailbox]) -> None:
        kept: list[tuple[PartnerMailbox, int]] = []
        try:
            for mailbox in mailboxes:
                number = mailbox.keep(self._head(sent, verdict), sent.content)
                kept.append((mailbox, number))
        except Refused:
            for mailbox, number in kept:
                mailbox.take_back(number)
            raise

    def _head(self, sent: Sent, verdict: str) -> bytes:
        """Return the lines of ours; the topmost is the one word about the sender that is believed."""
        protocol = "ESMTPS" if sent.is_encrypted else "ESMTP"
        received = (
            f"from {sent.greeting or 'somebody'} ([{sent.address}]) by {self._configuration.host} with {protocol} "
            f"id {secrets.token_hex(8)}; {format_datetime(datetime.now(UTC))}"
        )
        lines = (
            f"Authentication-Results: {verdict}",
            f"Return-Path: <{_ODD.sub('?', sent.sender)[:320]}>",
            f"Received: {received}",
        )
        return "".join(f"{line}\r\n" for line in lines).encode("ascii", "replace")

    def _mailbox(self, proof: Proof) -> PartnerMailbox:
        details = self._details(proof)
        if details is None:
            raise LookupError(f"connection {proof.connection_id} takes no mails any more")
        quotas = details.quota_bytes, details.quota_files
        mailbox = self._mailboxes.get(proof.connection_id)
        if mailbox is None:
            mailbox = PartnerMailbox(self._configuration.hosted / str(proof.connection_id), *quotas)
            self._mailboxes[proof.connection_id] = mailbox
        mailbox.change_quotas(*quotas)
        return mailbox

    def _details(self, proof: Proof) -> InboundHostedMailDetails | None:
        spec = self._roster.spec(proof.connection_id)
        details = spec.details if spec is not None else None
        return details if isinstance(details, InboundHostedMailDetails) else None
