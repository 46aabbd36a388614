"""One FTP login, in calls that block: each ends by its socket's time limit, or when ``abort`` is called."""

from __future__ import annotations

import ftplib
import socket
import ssl
import time
from contextlib import suppress
from datetime import datetime
from typing import Literal

from data_connections.endpoints.certificates import check_pinned
from data_connections.endpoints.contract import Credentials, Timeouts
from data_connections.endpoints.ftp_errors import login_refused, no_tls
from data_connections.endpoints.ftp_listing import parse_time
from data_connections.endpoints.names import LINE_BREAKS, encode_path, shown, split
from data_connections.errors import FatalEndpointError

Tls = Literal["explicit", "implicit", "none"]
PIECE = 256 * 1024
BLOCK = 1024 * 1024
FILL_WITHIN = 0.5
# The methods without the TLS that ftplib adds in its own way.
_PLAIN = ftplib.FTP


class FtpClient(ftplib.FTP_TLS):
    """ftplib's client on a socket of ours, with the TLS session of the login on every data connection."""

    def __init__(self, host: str, sock: socket.socket, context: ssl.SSLContext | None, timeout: float) -> None:
        # Names are bytes; latin-1 lets them through as they are.
        super().__init__(
            context=context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), timeout=timeout, encoding="latin-1"
        )
        self.host = host
        self.af = sock.family
        self._use(sock)

    def _use(self, sock: socket.socket) -> None:
        self.sock = sock
        self.file = sock.makefile("r", encoding=self.encoding, newline="\n")

    def wrap(self) -> ssl.SSLSocket:
        """Begin TLS on the control connection and return it."""
        assert self.sock is not None  # noqa: S101 - it was given to the client
        secured = self.context.wrap_socket(self.sock, server_hostname=self.host)
        self._use(secured)
        return secured

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Return a data connection for a command, encrypted where the control connection is."""
        connection, size = _PLAIN.ntransfercmd(self, cmd, rest)
        if not isinstance(self.sock, ssl.SSLSocket):
            return connection, size
        try:
            # vsftpd refuses a data connection that does not go on with the session of the login.
            secured = self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session)
        except BaseException:
            connection.close()
            raise
        return secured, size


class FtpSession:
    """A connection that is logged in.

    Attributes:
        address: Where it is, for messages.
        home: Folder that the login starts in, absolute.
        features: What the server says it can do, such as ``MLST``.
        is_closed: Whether it is of no use any more.
        used: When it last answered, in seconds of the monotonic clock.
    """

    def __init__(self, client: FtpClient, timeouts: Timeouts, address: str) -> None:
        self.address = address
        self._client = client
        self._data: socket.socket | None = None
        self._block = bytearray(BLOCK)
        self._timeouts = timeouts
        self._type = ""
        self.home = "/"
        self.features: frozenset[str] = frozenset()
        self.used = time.monotonic()
        self.is_closed = False

    @classmethod
    def log_in(
        cls,
        sock: socket.socket,
        host: str,
        tls: Tls,
        context: ssl.SSLContext | None,
        credentials: Credentials,
        timeouts: Timeouts,
        address: str,
    ) -> FtpSession:
        """Greet, encrypt, log in and ask what the server can do, on a connected socket.

        Raises:
            FatalEndpointError: No TLS where it is wanted, another certificate, or a refused login.
        """
        sock.settimeout(timeouts.login)
        client = FtpClient(host, sock, context, timeouts.connect)
        _encrypt(client, tls, credentials, address)
        try:
            _PLAIN.login(client, credentials.login, credentials.password or "")
        except ftplib.error_perm as error:
            raise login_refused(address, credentials.login, error, encrypted=tls != "none") from error
        if tls != "none":
            client.prot_p()
        session = cls(client, timeouts, address)
        session._settle()
        return session

    def _settle(self) -> None:
        self._socket.settimeout(self._timeouts.operation)
        self.features = self._ask_features()
        if "UTF8" in self.features:
            with suppress(ftplib.error_perm):
                self._client.sendcmd("OPTS UTF8 ON")
        self.home = self._client.pwd()

    def _ask_features(self) -> frozenset[str]:
        try:
            lines = self._client.sendcmd("FEAT").splitlines()[1:-1]
        except ftplib.error_perm:
            return frozenset()
        return frozenset(line.split()[0].upper() for line in lines if line.strip())

    @property
    def _socket(self) -> socket.socket:
        assert self._client.sock is not None  # noqa: S101 - it is set from the beginning, and closed for good
        return self._client.sock

    def command(self, line: str) -> str:
        """Send one command and return the answer.

        Raises:
            ftplib.Error: The server says no.
        """
        answer = self._client.sendcmd(line)
        self.used = time.monotonic()
        return answer

    def ask(self, command: str, path: str) -> str:
        """Send a command about one path, relative to where the login starts, and return the answer.

        Raises:
            FatalEndpointError: FTP cannot name the path.
            ftplib.Error: The server says no.
        """
        return self.command(f"{command} {self._sent(path)}")

    def _sent(self, path: str) -> str:
        sent = encode_path(path)
        if LINE_BREAKS & set(sent):
            raise FatalEndpointError(f"{self.address}: FTP cannot name {shown(path)!r}: it holds a line break.")
        text = sent.decode("latin-1")
        if text.startswith("/"):
            return text
        home = self.home.rstrip("/")
        return f"{home}/{text}" if text not in ("", ".") else home or "/"

    def size_and_time(self, path: str) -> tuple[int, datetime]:
        """Return bytes and last change (UTC) of one file, links followed.

        Raises:
            ftplib.error_perm: It is not there, or no file.
            FatalEndpointError: The server does not tell.
        """
        self.set_type("I")
        size = self.ask("SIZE", path)[3:].strip()
        if not size.isdigit():
            raise self._not_told("size", path)
        return int(size), self.time_of(path)

    def time_of(self, path: str) -> datetime:
        """Return when a file was last changed, UTC to the second; errors as in ``size_and_time``."""
        mtime = parse_time(self.ask("MDTM", path)[3:].encode())
        if mtime is None:
            raise self._not_told("time", path)
        return mtime

    def _not_told(self, what: str, path: str) -> FatalEndpointError:
        return FatalEndpointError(
            f"{self.address}: the server gives no {what} for {shown(path)!r}; without it nobody can tell whether a "
            "file is complete."
        )

    def is_there(self, path: str) -> bool:
        """Whether there is a file of that name."""
        try:
            self.size_and_time(path)
        except ftplib.error_perm:
            return False
        return True

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder of that name that the login may enter; it is entered."""
        try:
            self.ask("CWD", path)
        except ftplib.error_perm:
            return False
        return True

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it, as far as they are not there."""
        if path in ("", ".", "/") or self.is_folder(path):
            return
        self.make_folder(split(path)[0])
        try:
            self.ask("MKD", path)
        except ftplib.error_perm:
            if not self.is_folder(path):
                raise

    def set_type(self, letter: Literal["A", "I"]) -> None:
        """Choose how data travels: text for listings, bytes as they are for files."""
        if self._type != letter:
            self.command(f"TYPE {letter}")
            self._type = letter

    def listing(self, command: str) -> bytes:
        """Return the answer to MLSD, LIST or NLST in the current folder."""
        self.set_type("A")
        self._open(command, None, self._timeouts.operation)
        received = bytearray()
        while block := self.receive():
            received += block
        self.finish()
        return bytes(received)

    def begin(self, command: str, path: str, offset: int = 0) -> None:
        """Open the data connection of RETR or STOR."""
        self.set_type("I")
        self._open(f"{command} {self._sent(path)}", offset or None, self._timeouts.stall)

    def _open(self, command: str, offset: int | None, limit: float) -> None:
        self._data, _ = self._client.ntransfercmd(command, offset)
        self._data.settimeout(limit)

    def receive(self) -> bytes:
        """Return the next bytes, up to 1 MB, none at the end; what came within half a second is handed on."""
        assert self._data is not None  # noqa: S101 - between begin and finish
        secured = self._data if isinstance(self._data, ssl.SSLSocket) else None
        filled, begun = 0, time.monotonic()
        with memoryview(self._block) as view:
            while filled < BLOCK:
                with view[filled:] as rest:
                    # TLS hands out one record of 16 kB at a time: `read` is the shorter way to it.
                    count = int(secured.read(len(rest), rest)) if secured else self._data.recv_into(rest)
                filled += count
                if not count or time.monotonic() - begun > FILL_WITHIN:
                    break
            return bytes(view[:filled])

    def send(self, data: bytes) -> None:
        """Send bytes of a file."""
        assert self._data is not None  # noqa: S101 - between begin and finish
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            self._data.sendall(view[start : start + PIECE])

    def finish(self) -> None:
        """Close the data connection and wait for the server to say that all went well."""
        data, self._data = self._data, None
        assert data is not None  # noqa: S101 - after begin
        if isinstance(data, ssl.SSLSocket):
            data.settimeout(self._timeouts.close)
            # Some servers never answer the goodbye; the sizes are compared anyway.
            with suppress(OSError, ValueError):
                data.unwrap()
        data.close()
        self._client.voidresp()
        self.used = time.monotonic()

    def leave(self) -> None:
        """Say goodbye and close."""
        with suppress(OSError, EOFError, ftplib.Error):
            self._socket.settimeout(self._timeouts.close)
            self._client.quit()
        self.abort()

    def abort(self) -> None:
        """Cut the connection; a call that waits in another thread ends at once."""
        self.is_closed = True
        for sock in (self._data, self._client.sock):
            if sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for each in (self._data, self._client.file, self._client.sock):
            if each is not None:
                with suppress(OSError):
                    each.close()


def _encrypt(client: FtpClient, tls: Tls, credentials: Credentials, address: str) -> None:
    if tls == "implicit":
        check_pinned(client.wrap(), credentials, address)
    client.welcome = client.getresp()
    if tls == "explicit":
        try:
            client.voidcmd("AUTH TLS")
        except ftplib.error_perm as error:
            raise no_tls(address, error) from error
        check_pinned(client.wrap(), credentials, address)
