"""FTP and FTPS at the gateway, on pyftpdlib, in a thread of its own: passive only, TLS unless it is allowed without."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from OpenSSL import SSL
from pyftpdlib.exceptions import AuthenticationFailed
from pyftpdlib.handlers import TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer
from pyftpdlib.utils import is_ssl_sock

from data_connections.gateway.desk import Desk
from data_connections.gateway.ftp_folder import FtpFile, FtpFolder
from data_connections.gateway.reception import Reception
from data_connections.gateway.refusals import Refused
from data_connections.gateway.roster import Proof
from data_connections.gateway.transfers import Download, Upload
from data_connections.spec.details import HostedFolder

LOOK_EVERY = 0.1
ANSWER_WITHIN = 60
LOGIN_WITHIN = 30
LEFT_OUT = ("PORT", "EPRT", "STOU", "SITE CHMOD", "MFMT")
"""Commands that are not offered: connections from here to anywhere, and names and times that are ours to give."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class FtpData(TLS_DTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
    """A data connection; an upload is complete when the client ends it properly."""

    transfer_finished: bool
    _resp: Any

    def close(self) -> None:
        """Settle the transfer before the client is answered."""
        if not self._closed and isinstance(self.file_obj, FtpFile) and not self.file_obj.closed:
            self._settle(self.cmd_channel.desk, self.file_obj.transfer)
        super().close()

    def _settle(self, desk: Desk, transfer: Upload | Download) -> None:
        if isinstance(transfer, Download):
            desk.finish_download(transfer)
            return
        try:
            if transfer.is_refused or (self.transfer_finished and self._ended_properly()):
                desk.finish_upload(transfer)
                return
            desk.give_up(transfer)
            self._resp = self._resp or ("426 The transfer was cut off; nothing of the file is kept.", _log.info)
            if self._resp[0].startswith("226"):
                self._resp = ("426 The connection ended without TLS's end; nothing of the file is kept.", _log.info)
        except Refused as refused:
            self._resp = (f"550 {refused}", _log.info)
        self.transfer_finished = False

    def _ended_properly(self) -> bool:
        """Whether the client said that it was done, which only TLS lets it do: without, an early end looks the same."""
        return not is_ssl_sock(self.socket) or bool(self.socket.get_shutdown() & SSL.RECEIVED_SHUTDOWN)


class FtpControl(TLS_FTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
    """A control connection; the class attributes that pyftpdlib reads are set by ``FtpGateway``."""

    dtp_handler = FtpData
    abstracted_fs = FtpFolder
    unicode_errors = "surrogateescape"
    use_sendfile = False
    use_gmt_times = True
    banner = "Connections"
    max_login_attempts = 3
    timeout = 300
    gateway: FtpGateway
    proto_cmds = {name: rules for name, rules in TLS_FTPHandler.proto_cmds.items() if name not in LEFT_OUT}  # noqa: RUF012

    desk: Desk | None = None
    _stay: Any = None

    def on_connect(self) -> None:
        """Look whether there is room; who does not log in soon has to go."""
        self._stay = self.ioloop.call_later(LOGIN_WITHIN, self._end_stranger)
        end = lambda: self.gateway.end(self)  # noqa: E731 - it is called from another thread
        if not self.gateway.in_loop(self.gateway.reception.greet, self, end, self.remote_ip):
            self.close()

    def _end_stranger(self) -> None:
        if self.desk is None:
            self.close()

    def on_disconnect(self) -> None:
        """Leave."""
        if self._stay is not None and not self._stay.cancelled:
            self._stay.cancel()
        if self.desk is not None:
            self.desk.leave()
        self.gateway.in_loop(self.gateway.reception.part, self)

    def end_data(self) -> None:
        """End the data connection: a block was refused."""
        if self.data_channel is not None:
            self.data_channel.close()


class ImplicitControl(FtpControl):
    """A control connection that is TLS from the first byte; so are its data connections, whether asked for or not."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._pbsz = self._prot = True

    def handle(self) -> None:
        """Begin TLS before anything is said."""
        self.secure_connection(self.ssl_context)

    def handle_ssl_established(self) -> None:
        """Greet."""
        super().handle()


class _Authorizer:
    """Lets logins of the roster in; what they may do, the desk decides."""

    def validate_authentication(self, username: str, password: str, handler: FtpControl) -> None:
        reception, address = handler.gateway.reception, handler.remote_ip
        proof = handler.gateway.ask(reception.roster.by_password(username, password))
        protocol = "ftps" if is_ssl_sock(handler.socket) else "ftp"
        if proof is not None and self._may_come(reception, proof, protocol):
            handler.desk = handler.gateway.in_loop(reception.admit, handler, proof, address, protocol)
        if handler.desk is None:
            handler.auth_failed_timeout = handler.gateway.in_loop(reception.failed.failed, address)
            reception.journal.login_refused(username, address, protocol, "password")
            raise AuthenticationFailed("Authentication failed.")

    @staticmethod
    def _may_come(reception: Reception, proof: Proof, protocol: str) -> bool:
        spec = reception.roster.spec(proof.connection_id)
        details = spec.details if spec is not None else None
        return protocol == "ftps" or (isinstance(details, HostedFolder) and details.plain_ftp)

    def get_home_dir(self, username: str) -> str:
        return "/"

    def get_msg_login(self, username: str) -> str:
        return "Welcome."

    def get_msg_quit(self, username: str) -> str:
        return "Goodbye."

    def has_perm(self, username: str, perm: str, path: str | None = None) -> bool:
        return True

    def get_perms(self, username: str) -> str:
        return "elrdfw"

    def impersonate_user(self, username: str, password: str) -> None:
        return

    def terminate_impersonation(self, username: str) -> None:
        return


class FtpGateway:
    """The FTP side of a gateway.

    Args:
        reception: Who comes in.
        certificate: File with certificate and private key.
        loop: The event loop that ``reception`` lives in.
    """

    def __init__(self, reception: Reception, certificate: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.reception = reception
        self._loop = loop
        self._ending: deque[FtpControl] = deque()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        configuration = reception.configuration
        self._settings = {
            "gateway": self,
            "authorizer": _Authorizer(),
            "certfile": str(certificate),
            "ssl_context": None,
            "tls_control_required": not configuration.plain_ftp,
            "tls_data_required": not configuration.plain_ftp,
            "passive_ports": list(configuration.passive_ports) or None,
            "masquerade_address": configuration.passive_address,
        }
        self._servers: list[FTPServer] = []

    def listen(self, port: int, implicit_port: int | None) -> tuple[int, int | None]:
        """Begin to take connections and return the ports; OSError where one cannot be had."""
        ioloop = IOLoop()
        try:
            found = self._listen_on(port, FtpControl, ioloop)
            implicit = None if implicit_port is None else self._listen_on(implicit_port, ImplicitControl, ioloop)
        except OSError:
            for server in self._servers:
                server.close()
            raise
        self._thread = threading.Thread(target=self._serve, args=[ioloop], name="ftp", daemon=True)
        self._thread.start()
        return found, implicit

    def _listen_on(self, port: int, kind: type[FtpControl], ioloop: IOLoop) -> int:
        handler = type(kind.__name__, (kind,), self._settings)
        server = FTPServer((self.reception.configuration.bind, port), handler, ioloop=ioloop)
        server.max_cons = 0
        self._servers.append(server)
        return int(server.socket.getsockname()[1])

    def end(self, control: FtpControl) -> None:
        """End a session soon; may be called from any thread."""
        self._ending.append(control)

    def take_nobody_new(self) -> None:
        """Leave the port; sessions go on. pyftpdlib's own thread does it."""
        self._closing = True

    def stop(self) -> None:
        """End every session and the thread; call it outside of the event loop."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(ANSWER_WITHIN)

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine of the event loop answers."""
        return asyncio.run_coroutine_threadsafe(question, self._loop).result(ANSWER_WITHIN)

    def in_loop(self, function: Callable[..., T], *args: Any) -> T:
        """Return what a function answers that must be called in the event loop."""

        async def call() -> T:
            return function(*args)

        return self.ask(call())

    _closing = False

    def _serve(self, ioloop: IOLoop) -> None:
        listening = True
        while not self._stopped.is_set():
            ioloop.loop(timeout=LOOK_EVERY, blocking=False)
            while self._ending:
                self._ending.popleft().close()
            if self._closing and listening:
                listening = False
                for server in self._servers:
                    server.close()
        for server in self._servers:
            server.close_all()
