"""ftplib's client on a socket of ours: TLS on both connections, and what the server says when its data breaks off."""

from __future__ import annotations

import ftplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from data_connections.endpoints.contract import Timeouts

Tls = Literal["explicit", "implicit", "none"]
# The methods without the TLS that ftplib adds in its own way.
PLAIN = ftplib.FTP
_AT_HAND = 0.1
_REASON_WITHIN = 3.0
_PORTS = range(1, 65536)


class FtpClient(ftplib.FTP_TLS):
    """A client that goes on with the TLS session of the login on every data connection.

    Attributes:
        data: The data connection of the command that runs, if one does.
    """

    def __init__(self, host: str, sock: socket.socket, context: ssl.SSLContext | None, timeouts: Timeouts) -> None:
        # Names are bytes; latin-1 lets them through as they are.
        super().__init__(
            context=context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), timeout=timeouts.connect, encoding="latin-1"
        )
        self.host = host
        self.af = sock.family
        self.data: socket.socket | None = None
        self._timeouts = timeouts
        self._use(sock)

    def _use(self, sock: socket.socket) -> None:
        self.sock = sock
        self.file = sock.makefile("r", encoding=self.encoding, newline="\n")

    def wrap(self) -> ssl.SSLSocket:
        """Begin TLS on the control connection and return it."""
        assert self.sock is not None  # noqa: S101 - it was given to the client
        secured = self.context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        # First kept, so that it can be cut while the server is silent.
        self._use(secured)
        secured.do_handshake()
        return secured

    def makepasv(self) -> tuple[str, int]:
        """Ask for the port of a data connection; the host is always that of the control connection."""
        try:
            host, port = super().makepasv()
        except ValueError as unreadable:
            raise ftplib.error_proto(str(unreadable)) from unreadable
        if port not in _PORTS:
            raise ftplib.error_proto(f"there is no port {port} for a data connection")
        return host, port

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Return a data connection for a command, encrypted where the control connection is."""
        self.data, size = PLAIN.ntransfercmd(self, cmd, rest)
        if isinstance(self.sock, ssl.SSLSocket):
            with self.explained():
                self.data = self._secured(self.data, self.sock.session)
                self.data.do_handshake()
        return self.data, size

    def _secured(self, connection: socket.socket, session: ssl.SSLSession | None) -> ssl.SSLSocket:
        # vsftpd refuses a data connection that does not go on with the session of the login.
        return self.context.wrap_socket(
            connection,
            server_hostname=self.host,
            session=session,
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
        )

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise what the server says about a data connection that breaks inside, where it says something in time.

        Raises:
            ftplib.error_temp, ftplib.error_perm: The server's reason, such as a full disk.
            OSError: It gave none: what was seen here.
        """
        try:
            yield
        except TimeoutError as late:
            # Closing it now would make the server complain about that, so only what it has said already counts.
            reason = self._reason(_AT_HAND)
            self.drop_data()
            if reason is None:
                raise
            raise reason from late
        except OSError as broken:
            self.drop_data()
            reason = self._reason(min(_REASON_WITHIN, self._timeouts.operation))
            if reason is None:
                raise
            raise reason from broken

    def _reason(self, limit: float) -> ftplib.Error | None:
        if self.sock is None:
            return None
        before = self.sock.gettimeout()
        try:
            self.sock.settimeout(limit)
            self.voidresp()
        except (ftplib.error_temp, ftplib.error_perm) as reason:
            return reason
        except (OSError, EOFError, ftplib.Error):
            return None
        finally:
            with suppress(OSError):
                self.sock.settimeout(before)
        return None

    def drop_data(self) -> None:
        """Close the data connection without a word."""
        data, self.data = self.data, None
        if data is not None:
            data.close()

    def shut(self) -> None:
        """End whatever waits on these connections in another thread; they stay open until ``close``."""
        for sock in (self.data, self.sock):
            if sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close both connections without a word."""
        self.drop_data()
        with suppress(OSError):
            super().close()
