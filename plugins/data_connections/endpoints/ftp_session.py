"""One FTP login, in calls that block: each ends by its socket's time limit, or when ``abort`` is called."""

from __future__ import annotations

import ftplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Literal

from data_connections.endpoints.certificates import check_pinned
from data_connections.endpoints.contract import Credentials, Timeouts
from data_connections.endpoints.cuttable import Cuttable, calling
from data_connections.endpoints.ftp_client import PLAIN, FtpClient, Tls
from data_connections.endpoints.ftp_errors import login_refused, no_tls
from data_connections.endpoints.ftp_listing import parse_time
from data_connections.endpoints.names import LINE_BREAKS, encode_path, shown, split
from data_connections.errors import FatalEndpointError

PIECE = 256 * 1024
BLOCK = 1024 * 1024
FILL_WITHIN = 0.5


class FtpSession(Cuttable):
    """A connection that is logged in.

    Attributes:
        address: Where it is, for messages.
        home: Folder that the login starts in, absolute.
        features: What the server says it can do, such as ``MLST``.
        used: When it last answered, in seconds of the monotonic clock.
        broke_off: Whether what was received last ended without the server's having ended TLS: more may have been meant.
    """

    def __init__(
        self, sock: socket.socket, host: str, context: ssl.SSLContext | None, timeouts: Timeouts, address: str
    ) -> None:
        super().__init__()
        self.address = address
        self._client = FtpClient(host, sock, context, timeouts)
        self._block = bytearray(BLOCK)
        self._timeouts = timeouts
        self._type = ""
        self.home = "/"
        self.features: frozenset[str] = frozenset()
        self.used = time.monotonic()
        self.broke_off = False

    @calling
    def log_in(self, tls: Tls, credentials: Credentials) -> None:
        """Greet, encrypt, log in and ask what the server can do.

        Raises:
            FatalEndpointError: No TLS where it is wanted, another certificate, or a refused login.
        """
        self._socket.settimeout(self._timeouts.login)
        secured = _encrypt(self._client, tls, self.address)
        if secured is not None:
            check_pinned(secured, credentials, self.address)
        try:
            PLAIN.login(self._client, credentials.login, credentials.password or "")
        except ftplib.error_perm as error:
            raise login_refused(self.address, credentials.login, error, encrypted=tls != "none") from error
        if tls != "none":
            self._client.prot_p()
        self._settle()

    @calling
    def offered_certificate(self, tls: Tls) -> bytes:
        """Return the server's certificate (DER), without logging in and whoever vouches for it.

        Raises:
            FatalEndpointError: It has no TLS.
        """
        self._socket.settimeout(self._timeouts.login)
        secured = _encrypt(self._client, tls, self.address)
        return (secured and secured.getpeercert(binary_form=True)) or b""

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

    @calling
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
        """Return the answer to MLSD, LIST or NLST in the current folder, as far as it came (see ``broke_off``)."""
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

    @calling
    def _open(self, command: str, offset: int | None, limit: float) -> None:
        connection, _ = self._client.ntransfercmd(command, offset)
        connection.settimeout(limit)
        self.broke_off = False

    @contextmanager
    def _transfer(self) -> Iterator[socket.socket]:
        """Hand out the data connection; where it breaks, the server's reason is raised."""
        with self.call(), self._client.explained():
            if self._client.data is None:
                raise ConnectionAbortedError("the data connection is closed")
            yield self._client.data

    def receive(self) -> bytes:
        """Return the next bytes, up to 1 MB, none at the end; what came within half a second is handed on."""
        filled, begun = 0, time.monotonic()
        with self._transfer() as data, memoryview(self._block) as view:
            secured = data if isinstance(data, ssl.SSLSocket) else None
            while filled < BLOCK:
                with view[filled:] as rest:
                    count = self._read_secured(secured, rest) if secured else data.recv_into(rest)
                filled += count
                if not count or time.monotonic() - begun > FILL_WITHIN:
                    break
            return bytes(view[:filled])

    def _read_secured(self, data: ssl.SSLSocket, into: memoryview) -> int:
        try:
            # TLS hands out one record of 16 kB at a time: `read` is the shorter way to it.
            return int(data.read(len(into), into))
        except ssl.SSLEOFError:
            self.broke_off = True
            return 0

    def send(self, content: bytes) -> None:
        """Send bytes of a file."""
        view = memoryview(content)
        with self._transfer() as data:
            for start in range(0, len(view), PIECE):
                data.sendall(view[start : start + PIECE])

    @calling
    def finish(self) -> None:
        """Close the data connection and wait for the server to say that all went well."""
        data = self._client.data
        if isinstance(data, ssl.SSLSocket):
            data.settimeout(self._timeouts.close)
            # Some servers never answer the goodbye; the sizes are compared anyway.
            with suppress(OSError, ValueError):
                data.unwrap()
        self._client.drop_data()
        self._client.voidresp()
        self.used = time.monotonic()

    def leave(self) -> None:
        """Say goodbye and close."""
        with suppress(OSError, EOFError, ftplib.Error), self.call():
            self._socket.settimeout(self._timeouts.close)
            self._client.quit()
        self.abort()

    def _shut(self) -> None:
        self._client.shut()

    def _close(self) -> None:
        self._client.close()


def _encrypt(client: FtpClient, tls: Tls, address: str) -> ssl.SSLSocket | None:
    """Wait for the greeting and begin TLS before or after it, where the connection has any."""
    secured = client.wrap() if tls == "implicit" else None
    client.welcome = client.getresp()
    if tls == "explicit":
        try:
            client.voidcmd("AUTH TLS")
        except ftplib.error_perm as error:
            raise no_tls(address, error) from error
        secured = client.wrap()
    return secured
