"""The gateway as a process: it listens, keeps its roster fresh, and stops without cutting anybody off."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncssh

from data_connections.errors import ConfigurationError
from data_connections.gateway import sign_of_life
from data_connections.gateway.certificate import fingerprint_of, gateway_certificate
from data_connections.gateway.configuration import GatewayAddress, GatewayConfiguration
from data_connections.gateway.confirmation import confirmation
from data_connections.gateway.folder import INCOMING, TRIALS
from data_connections.gateway.ftp_server import FtpGateway
from data_connections.gateway.journal import Journal
from data_connections.gateway.link_server import LinkServer
from data_connections.gateway.mail_desk import MailDesk
from data_connections.gateway.reception import Reception
from data_connections.gateway.retention import expire_collected
from data_connections.gateway.roster import Roster
from data_connections.gateway.run_starter import RunStarter, StartRun
from data_connections.gateway.server_keys import ServerKey, ServerKeys
from data_connections.gateway.smtp_server import listen_smtp
from data_connections.gateway.ssh_server import listen_ssh
from data_connections.gateway.trials import CheckFile, Trials
from data_connections.ledger import Ledger, hosted_logins

_FLUSH_WITHIN = 10.0
_EXPIRE_EVERY = 600.0
_log = logging.getLogger(__name__)


class Gateway:
    """A running gateway.

    Args:
        configuration: Where it listens and keeps its things.
        ledger: The ledger.
        start_run: Starts a run of a connection that got a file.
        check_file: Checks a trial file.

    Attributes:
        broken: Done with an error when a part of the gateway has failed; the process had better end and begin anew.
    """

    def __init__(
        self, configuration: GatewayConfiguration, ledger: Ledger, start_run: StartRun, check_file: CheckFile
    ) -> None:
        self.configuration = configuration
        self._ledger = ledger
        self.keys = ServerKeys(configuration.state)
        self.journal = Journal(ledger)
        self.roster = Roster(ledger, configuration.refresh)
        self.starter = RunStarter(ledger, self.roster, configuration.hosted, start_run)
        self.trials = Trials(configuration.hosted, self.roster, self.journal, check_file)
        self.reception = Reception(configuration, self.roster, self.journal, self._file_arrived)
        self.mail_desk = MailDesk(configuration, self.roster, self.journal, self._file_arrived)
        self.address = GatewayAddress.of(configuration)
        self._ftp: FtpGateway | None = None
        self._smtp: asyncio.Server | None = None
        self._links = LinkServer(ledger, self.reception.failed, self._confirmation, self._has_password)
        self._port = configuration.sftp_port
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._serving = ""

    def _file_arrived(self, connection_id: int, path: bytes) -> None:
        *folders, name = path.split(b"/")
        if TRIALS in folders:
            self.trials.file_arrived(connection_id, name)
        else:
            self.starter.file_arrived(connection_id)

    async def listen(self) -> None:
        """Listen with the host key that is in use now.

        Raises:
            ConfigurationError: The port cannot be had.
        """
        keys = self.keys.valid()
        try:
            acceptor = await listen_ssh(self.reception, keys, self._port)
        except OSError as taken:
            raise ConfigurationError(
                f"The gateway cannot listen on {self.configuration.bind} port {self._port} ({taken.strerror}). Choose "
                "another with CONNECTIONS_GATEWAY_SFTP_PORT, or stop what has it; ports below 1024 may need rights."
            ) from taken
        self._acceptor, self._serving = acceptor, _names(keys)
        self._port = acceptor.get_port()
        if self._ftp is None:
            self._ftp, ftp_port, ftps_port = self._listen_ftp()
            self._smtp = await self._listen_smtp()
            self.address = replace(
                self.address,
                sftp_port=self._port,
                ftp_port=ftp_port,
                ftps_port=ftps_port,
                smtp_port=self._smtp.sockets[0].getsockname()[1],
                https_port=await self._listen_https(),
            )
        self.address.announce(self.configuration)

    def _listen_ftp(self) -> tuple[FtpGateway, int, int | None]:
        configuration = self.configuration
        ftp = FtpGateway(self.reception, gateway_certificate(configuration), asyncio.get_running_loop())
        try:
            return ftp, *ftp.listen(configuration.ftp_port, configuration.ftps_port)
        except OSError as taken:
            ports = " or ".join(str(port) for port in (configuration.ftp_port, configuration.ftps_port) if port)
            raise ConfigurationError(
                f"The gateway cannot listen on {configuration.bind} port {ports} ({taken.strerror}). Choose another "
                "with CONNECTIONS_GATEWAY_FTP_PORT or CONNECTIONS_GATEWAY_FTPS_PORT, or stop what has it."
            ) from taken

    async def _listen_smtp(self) -> asyncio.Server:
        port = self.configuration.smtp_port
        try:
            return await listen_smtp(self.reception, self.mail_desk, port)
        except OSError as taken:
            raise ConfigurationError(
                f"The gateway cannot listen on {self.configuration.bind} port {port} ({taken.strerror}). Choose "
                "another with CONNECTIONS_GATEWAY_SMTP_PORT, or stop what has it; ports below 1024 may need rights."
            ) from taken

    async def _listen_https(self) -> int | None:
        port = self.configuration.https_port
        if port is None:
            return None
        try:
            return await self._links.listen(self.configuration.bind, port, gateway_certificate(self.configuration))
        except OSError as taken:
            raise ConfigurationError(
                f"The gateway cannot listen on {self.configuration.bind} port {port} ({taken.strerror}). Choose "
                "another with CONNECTIONS_GATEWAY_HTTPS_PORT, or stop what has it."
            ) from taken

    def _has_password(self, connection_id: int) -> bool:
        spec = self.roster.spec(connection_id)
        return spec is not None and spec.method != "email"

    def _confirmation(self, connection_id: int, login: str) -> dict[str, Any] | None:
        spec = self.roster.spec(connection_id)
        if spec is None:
            return None
        certificate = fingerprint_of(gateway_certificate(self.configuration))
        local_parts = hosted_logins.mail_local_parts(self._ledger, login)
        return confirmation(login, spec, self.address, self.keys.valid(), certificate, local_parts)

    def loops(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """Return what goes on beside the transfers."""
        return (
            self.roster.refresh_on(),
            self.journal.write_on(),
            self.starter.start_on(),
            self.trials.check_on(),
            self.look_after(),
            self.expire(),
            sign_of_life.note_on(self._ledger),
        )

    def note_end(self, task: asyncio.Task[None]) -> None:
        """Take note that something has ended that goes on for ever."""
        if not task.cancelled() and not self.broken.done():
            self.broken.set_exception(task.exception() or RuntimeError("a part of the gateway has ended"))

    async def look_after(self) -> None:
        """End what is not valid any more, and change the host key when its time has come, until cancelled."""
        while True:
            await asyncio.sleep(self.configuration.refresh)
            self.reception.end_retired()
            if self._serving != _names(self.keys.valid(datetime.now(UTC))):
                _log.info("The host keys have changed; new connections see the new ones.")
                await self._stop_listening()
                await self.listen()

    async def expire(self) -> None:
        """Delete what was not collected in time, now and then, until cancelled."""
        while True:
            await asyncio.to_thread(expire_collected, self.configuration.hosted, self.roster.specs(), self.journal)
            await asyncio.sleep(_EXPIRE_EVERY)

    async def stop(self) -> None:
        """Take nobody new, let transfers end for as long as they may, then end every session."""
        self.reception.closing = True
        if self._ftp is not None:
            self._ftp.take_nobody_new()
        if self._smtp is not None:
            self._smtp.close()
        await self._links.stop()
        await self._stop_listening()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.configuration.drain):
                while self.reception.transfers():  # noqa: ASYNC110 - they end in several threads
                    await asyncio.sleep(0.05)
        if left := self.reception.transfers():
            _log.warning("%d transfers were still under way and are cut off.", left)
        self.reception.end_all()
        await asyncio.sleep(0.1)
        if self._ftp is not None:
            await asyncio.to_thread(self._ftp.stop)
        await self.journal.flush(_FLUSH_WITHIN)

    async def _stop_listening(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
            self._acceptor = None


def _names(keys: list[ServerKey]) -> str:
    return " ".join(key.fingerprint for key in keys)


@asynccontextmanager
async def running(
    configuration: GatewayConfiguration, ledger: Ledger, start_run: StartRun, check_file: CheckFile
) -> AsyncIterator[Gateway]:
    """Run a gateway while inside; at the end transfers may finish first.

    Raises:
        ConfigurationError: Another gateway serves these folders, or the port cannot be had.
    """
    with _only_one(configuration):
        gateway = Gateway(configuration, ledger, start_run, check_file)
        await gateway.roster.refresh()
        await gateway.listen()
        tasks = [asyncio.create_task(loop) for loop in gateway.loops()]
        for task in tasks:
            task.add_done_callback(gateway.note_end)
        try:
            yield gateway
        finally:
            await gateway.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _only_one(configuration: GatewayConfiguration) -> Iterator[None]:
    """Hold the folders for this gateway, and clear away what one that was killed left incomplete."""
    configuration.hosted.mkdir(mode=0o750, parents=True, exist_ok=True)
    configuration.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (configuration.hosted / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as taken:
            raise ConfigurationError(
                f"Another gateway serves the folders in {configuration.hosted}; one at a time may."
            ) from taken
        for incoming in configuration.hosted.glob(f"*/{INCOMING}"):
            shutil.rmtree(incoming)
            incoming.mkdir(mode=0o750)
        yield
