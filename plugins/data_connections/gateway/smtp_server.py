"""SMTP at the gateway, on aiosmtpd: mails to addresses of ours, kept before they are acknowledged, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from typing import Any

from aiosmtpd.smtp import SMTP

from data_connections.gateway.certificate import gateway_certificate
from data_connections.gateway.mail_desk import MailDesk
from data_connections.gateway.mail_talk import MOST_RECIPIENTS, MailEnvelope, MailTalk
from data_connections.gateway.reception import Reception

IDLE = 60.0
"""Seconds between two commands of a client."""

DATA_WITHIN = 600.0
"""Seconds that a mail may take from its first byte to its last."""

SESSION_WITHIN = 1800.0
SESSIONS = 200
SESSIONS_OF_ADDRESS = 20
MAILS_AT_ONCE = 4
"""Mails whose bytes may arrive at the same time: each is held in memory until it is on the disk."""

WAIT_FOR_TURN = 60.0
LONGEST_LINE = 100_000
CALLS = {"RCPT": 10 * MOST_RECIPIENTS, "MAIL": 100, "DATA": 100, "*": 40}


class MailRoom:
    """Who may mail at the same time, whatever the connection.

    Args:
        desk: Takes what they bring.
        reception: Who comes in, by any protocol.
    """

    def __init__(self, desk: MailDesk, reception: Reception) -> None:
        self.desk = desk
        self.reception = reception
        self.turns = asyncio.Semaphore(MAILS_AT_ONCE)
        self.sessions: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Let a client in, where there is room."""
        full = self.sessions.total() >= SESSIONS or self.sessions[address] >= SESSIONS_OF_ADDRESS
        if full or self.reception.closing:
            return False
        self.sessions[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Let a client go."""
        self.sessions[address] -= 1
        self.sessions += Counter()


class PartnerSmtp(SMTP):
    """One SMTP connection; what is said in it is ``MailTalk``'s."""

    line_length_limit = LONGEST_LINE
    local_part_limit = 64

    def __init__(self, room: MailRoom, **named: Any) -> None:
        super().__init__(MailTalk(room.desk, room.reception), timeout=IDLE, command_call_limit=CALLS, **named)
        self._room = room
        self._address = ""
        self._is_in = False
        self._end: asyncio.TimerHandle | None = None

    def _create_envelope(self) -> MailEnvelope:
        return MailEnvelope()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look whether there is room; called again when TLS begins."""
        if self._end is None:
            self._address = str((transport.get_extra_info("peername") or ("?",))[0])
            self._is_in = self._room.enter(self._address)
            self._end = self.loop.call_later(SESSION_WITHIN, self.end)
            self._room.reception.visit(self, self.end)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Leave."""
        if self._end is not None:
            self._end.cancel()
        if self._is_in:
            self._is_in = False
            self._room.leave(self._address)
        self._room.reception.part(self)
        super().connection_lost(error)

    def end(self) -> None:
        """End the connection."""
        if self.transport is not None:
            self.transport.close()

    async def _handle_client(self) -> None:
        if not self._is_in:
            await self.push("421 4.3.2 Too many connections; please come again later.")
            self.end()
            return
        await super()._handle_client()

    async def smtp_AUTH(self, arg: str) -> None:
        """Refuse: an address that nobody can guess is what lets in."""
        await self.push("502 5.5.1 No login is needed here.")

    async def smtp_DATA(self, arg: str) -> None:
        """Take a mail when it is its turn; all of it has to come in time."""
        try:
            async with asyncio.timeout(WAIT_FOR_TURN):
                await self._room.turns.acquire()
        except TimeoutError:
            await self.push("451 4.3.2 Too many mails at once; please send it again later.")
            return
        try:
            self._reset_timeout(DATA_WITHIN)
            self._room.reception.mails_arriving += 1
            await super().smtp_DATA(arg)
        finally:
            self._room.reception.mails_arriving -= 1
            self._room.turns.release()


async def listen_smtp(reception: Reception, desk: MailDesk, port: int) -> asyncio.Server:
    """Begin to take SMTP connections; OSError where the port cannot be had.

    Args:
        reception: Who comes in.
        desk: Takes the mails.
        port: TCP port; 0 takes any free one.
    """
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    configuration = reception.configuration
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(gateway_certificate(configuration))
    room, loop = MailRoom(desk, reception), asyncio.get_running_loop()

    def talk() -> PartnerSmtp:
        return PartnerSmtp(
            room,
            data_size_limit=configuration.most_mail_bytes,
            enable_SMTPUTF8=True,
            hostname=configuration.host,
            ident="Connections",
            tls_context=context,
            loop=loop,
        )

    return await loop.create_server(talk, configuration.bind, port, backlog=128)
