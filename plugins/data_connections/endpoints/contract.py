"""What every endpoint can do, and the values that go in and out of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import BinaryIO, Self

from data_connections.endpoints.names import shown

Source = bytes | BinaryIO | Iterable[bytes] | AsyncIterable[bytes]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as its endpoint lists it.

    Attributes:
        path: Where it lies, as text that names the same file when it is sent back (see ``names``).
        name: The last part of the path, by which patterns match.
        size: Bytes; 0 is a file too.
        mtime: When it was last written, in UTC; SFTP knows whole seconds only.
        sender: Of a file in a mail, the address that the mail says it is from; None for other files.
    """

    path: str
    name: str
    size: int
    mtime: datetime
    sender: str | None = None

    def __post_init__(self) -> None:
        if self.mtime.tzinfo is None:
            raise ValueError("RemoteFile.mtime needs a time zone.")

    @property
    def shown(self) -> str:
        """The name, safe to show."""
        return shown(self.name)

    def same_state(self, other: RemoteFile) -> bool:
        """Whether size and time are those of ``other``: nobody wrote to it in between, as far as can be seen."""
        return (self.size, self.mtime) == (other.size, other.mtime)

    def as_json(self) -> dict[str, str | int]:
        """Return the file for XCom or a trigger's event; ``from_json`` reads it back."""
        file: dict[str, str | int] = {
            "path": self.path,
            "name": self.name,
            "size": self.size,
            "mtime": self.mtime.isoformat(),
        }
        return file if self.sender is None else {**file, "sender": self.sender}

    @classmethod
    def from_json(cls, value: dict[str, str | int]) -> RemoteFile:
        """Return the file that ``as_json`` wrote."""
        mtime, sender = datetime.fromisoformat(str(value["mtime"])), value.get("sender")
        name, size = str(value["name"]), int(value["size"])
        return cls(str(value["path"]), name, size, mtime, None if sender is None else str(sender))


@dataclass(frozen=True)
class Credentials:
    """A login; ``repr`` shows no secret.

    Attributes:
        login: The name at the server, case-sensitive.
        password: Also tried where the server asks for it with its own prompt (keyboard-interactive).
        private_key: Text of the key file (OpenSSH, PEM or PKCS8).
        passphrase: Opens ``private_key``.
        host_keys: Public keys of the server that are trusted, each ``algorithm base64``; several while a partner
            rotates. SFTP refuses to connect without one.
        certificates: SHA-256 fingerprints (``sha256:...``) of the server's certificates that are trusted as they are;
            without any, an authority has to vouch for the certificate. For FTPS and mail.
        authorities: PEM of certificate authorities that are trusted beside those of this machine.
    """

    login: str
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    host_keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    authorities: str | None = field(default=None, repr=False)

    def secrets(self) -> tuple[str, ...]:
        """Return every value that must never reach a log or a screen."""
        return tuple(value for value in (self.password, self.private_key, self.passphrase) if value)


@dataclass(frozen=True)
class Timeouts:
    """Seconds after which something that does not answer is given up.

    Attributes:
        connect: Name look-up and TCP connection.
        login: From connected to logged in.
        operation: One request (list, stat, rename, ...).
        stall: A transfer during which not one block arrived or left.
        close: A polite goodbye; then the connection is cut.
    """

    connect: float = 15.0
    login: float = 30.0
    operation: float = 60.0
    stall: float = 60.0
    close: float = 5.0

    def __post_init__(self) -> None:
        for each in fields(self):
            if not getattr(self, each.name) > 0:
                raise ValueError(f"Timeouts.{each.name} must be above 0 seconds.")


class Endpoint(ABC):
    """A place that holds files, used as ``async with``; it connects by itself, again after a connection was lost.

    Every method raises ``RetriableEndpointError`` for trouble that may pass, ``FatalEndpointError`` for what will
    not, ``EndpointFileMissing`` where the named file is not there, and ends in bounded time. Several coroutines may
    use one endpoint at once. Paths are text as in ``RemoteFile.path``; relative ones start where the login does.
    """

    @property
    @abstractmethod
    def address(self) -> str:
        """Where this is, for messages: ``sftp://host:port``."""

    @abstractmethod
    async def connect(self) -> None:
        """Connect and log in now rather than at the first use."""

    @abstractmethod
    async def close(self) -> None:
        """Leave; never raises, never takes longer than ``Timeouts.close``."""

    @abstractmethod
    async def list(self, folder: str) -> list[RemoteFile]:
        """Return the files of one folder, in the server's order; sub-folders are left out."""

    @abstractmethod
    async def stat(self, path: str) -> RemoteFile:
        """Return the present state of one file."""

    @abstractmethod
    def read(self, path: str, offset: int = 0) -> AsyncIterator[bytes]:
        """Yield the bytes from ``offset`` to the end, in order, no byte left out or made up."""

    @abstractmethod
    async def upload(self, path: str, source: Source) -> int:
        """Write a file that must not exist yet under exactly this name and return its bytes; see ``publish``."""

    @abstractmethod
    async def move(self, old: str, new: str, *, replace: bool = False) -> None:
        """Rename a file; only with ``replace`` over one that exists, else ``EndpointFileExists``."""

    @abstractmethod
    async def delete(self, path: str) -> None:
        """Delete a file."""

    @abstractmethod
    async def make_folder(self, path: str) -> None:
        """Create a folder and those above it; one that exists is fine."""

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
