"""Where a connection's files are, and what happens to them there."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from data_connections.errors import ConfigurationError
from data_connections.spec.file_name import check_file_name
from data_connections.spec.file_pattern import FilePattern

IMPLICIT_PORT = 990
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+")
_SHA256 = re.compile("[0-9a-f]{64}")
_KEY = re.compile(r"(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?")


def _is_host(host: str) -> str:
    if "@" in host:
        raise ValueError("write the host alone, no login before it: `credentials` names the login")
    if not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is not a host name or address (no scheme, no port, no path)")
    return host


def _is_host_key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("a host key is one line as in known_hosts, such as 'ssh-ed25519 AAAA...'")
    return key


def _is_certificate(fingerprint: str) -> str:
    digits = fingerprint.removeprefix("sha256:").replace(":", "").lower()
    if not _SHA256.fullmatch(digits):
        raise ValueError("a certificate is given by its SHA-256 fingerprint, 'sha256:' and 64 hexadecimal digits")
    return f"sha256:{digits}"


def _is_pattern(pattern: str) -> str:
    try:
        FilePattern(pattern)
    except ConfigurationError as wrong:
        near = f"; did you mean {wrong.suggestion!r}?" if wrong.suggestion else ""
        raise ValueError(f"{wrong.message.rstrip('.')}{near}") from wrong
    return pattern


Host = Annotated[str, AfterValidator(_is_host)]
HostKey = Annotated[str, AfterValidator(_is_host_key)]
Certificate = Annotated[str, AfterValidator(_is_certificate)]
Pattern = Annotated[str, AfterValidator(_is_pattern)]


class Folder(BaseModel, ABC):
    """A folder that files are in, wherever it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str = Field(min_length=1, description="Folder on the server; absolute, or relative to the login's own.")

    @property
    @abstractmethod
    def scheme(self) -> str:
        """How it is reached, as an address begins: ``sftp``, ``ftp`` or ``ftps``."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Where the server is, for messages."""

    @property
    def place(self) -> str:
        """``address/folder``, for people."""
        return f"{self.address}/{self.folder.lstrip('/')}"


class FolderHost(Folder):
    """A server with folders, and one of them."""

    host: Host = Field(description="Name or address of the server.")
    port: int = Field(gt=0, lt=65536, description="TCP port of the server.")

    @property
    def address(self) -> str:
        """``scheme://host:port``, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class SftpHost(FolderHost):
    """An SFTP server and a folder on it."""

    port: int = Field(default=22, gt=0, lt=65536, description="TCP port of the server.")
    host_key: tuple[HostKey, ...] = Field(
        default=(),
        description="The server's public keys; two while it changes. Where none is given, the credentials' are used.",
    )

    @property
    def scheme(self) -> str:
        """``sftp``."""
        return "sftp"


class FtpHost(FolderHost):
    """An FTP server and a folder on it."""

    port: int = Field(
        default=21, gt=0, lt=65536, description="TCP port of the server; 990 where left out with `tls: implicit`."
    )
    tls: Literal["explicit", "implicit", "none"] = Field(
        default="explicit",
        description="`explicit`: FTPS that begins with AUTH TLS; `implicit`: FTPS from the first byte; `none`: "
        "plain FTP, over which login, password and files travel readable.",
    )
    certificate: tuple[Certificate, ...] = Field(
        default=(),
        description="SHA-256 fingerprints of server certificates that are trusted as they are; two while it changes. "
        "Where none is given, the credentials' are used, and else the certificate authorities that are trusted.",
    )

    ends_tls: bool = Field(
        default=True,
        description="`false` for an old server that never ends TLS on its data connections (no close_notify): its "
        "folder is listed until two listings agree, as nobody can tell one that broke off. Files are held against "
        "their size in any case.",
    )

    @model_validator(mode="before")
    @classmethod
    def _implicit_port(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and given.get("tls") == "implicit" and "port" not in given:
            return {**given, "port": IMPLICIT_PORT}
        return given

    @property
    def scheme(self) -> str:
        """``ftp`` for plain FTP, else ``ftps``."""
        return "ftp" if self.tls == "none" else "ftps"


class InboundSource(Folder):
    """A place that files are taken from."""

    file_pattern: Pattern = Field(
        min_length=1,
        description="Exact name, or with `*` (any run), `?` (one character) and `{date:%Y_%m_%d}` (business date).",
    )
    exclude: tuple[Pattern, ...] = Field(default=(), description="Patterns of files that are never taken.")
    member_pattern: Pattern = Field(
        default="*",
        min_length=1,
        description="Of a zip with several files, those that are taken, by their names without folders; each becomes "
        "a submission of its own.",
    )
    after_read: Literal["keep", "flag", "delete", "move"] = Field(
        default="keep", description="What happens to the partner's file once its outcome is known."
    )
    done_folder: str = Field(default="done", description="For `move`: where files go that were applied.")
    failed_folder: str = Field(default="failed", description="For `move`: where refused files go.")


class InboundFolder(InboundSource):
    """A folder that files are taken from."""

    marker: str | None = Field(
        default=None,
        pattern=r"^\.[A-Za-z0-9_.-]{1,20}$",
        description="Ending of the empty files that say that a file is whole, such as `.fin`: `orders.csv.fin` or "
        "`orders.fin` for `orders.csv`. A file is taken once its marker is there, and not before.",
    )
    manifest: Pattern | None = Field(
        default=None,
        description="Pattern of manifests, which name files with their size, MD5 or SHA-256 and rows. A file is taken "
        "once a manifest names it, and refused where it is not what that says.",
    )
    after_read: Literal["keep", "delete", "move"] = Field(
        default="keep", description="What happens to the partner's file once its outcome is known."
    )
    result_folder: str | None = Field(
        default=None, description="Where receipt, summary and rejects are put; none are sent where it is left out."
    )


class OutboundFolder(Folder):
    """A folder that files are put into."""

    file_name: Annotated[str, AfterValidator(check_file_name)] = Field(
        min_length=1,
        description="Name of the file; `{business_date:%Y-%m-%d}`, `{last_date}`, `{connection}`, `{program}` and "
        "`{report}` are filled in.",
    )
    existing: Literal["replace", "version"] = Field(
        default="replace", description="What a day that is run again does: replaces its file, or adds _v2, _v3 ..."
    )


class InboundSftpDetails(SftpHost, InboundFolder):
    """A partner's SFTP folder that files are pulled from."""


class OutboundSftpDetails(SftpHost, OutboundFolder):
    """A partner's SFTP folder that files are pushed to."""


class InboundFtpDetails(FtpHost, InboundFolder):
    """A partner's FTP or FTPS folder that files are pulled from."""


class OutboundFtpDetails(FtpHost, OutboundFolder):
    """A partner's FTP or FTPS folder that files are pushed to."""


class Hosted(Folder):
    """A place of our own, at the gateway, for one partner."""

    folder: Literal["/"] = Field(default="/", description="The partner's main folder; always `/`.")
    quota_bytes: int = Field(default=20 * 1024**3, gt=0, description="Bytes of all files in the partner's folder.")
    quota_files: int = Field(default=10_000, gt=0, description="Files in the partner's folder.")

    @property
    def scheme(self) -> str:
        """``hosted``."""
        return "hosted"

    @property
    def address(self) -> str:
        """The gateway; where it listens is its own setting, not a connection's."""
        return "hosted:gateway"


class HostedFolder(Hosted):
    """A folder of our own, at the gateway, with logins for one partner."""

    plain_ftp: bool = Field(
        default=False,
        description="For `method: ftp`: the partner may come without TLS; password and files then travel readable.",
    )


class InboundHostedDetails(HostedFolder, InboundFolder):
    """A folder of our own that a partner puts files into."""

    after_read: Literal["keep", "delete", "move"] = Field(
        default="delete",
        description="What happens to the partner's file once its outcome is known; we keep the original.",
    )
    result_folder: str | None = Field(
        default="results", description="Where receipt, summary and rejects are put for the partner; null for none."
    )


class OutboundHostedDetails(HostedFolder, OutboundFolder):
    """A folder of our own that a partner collects files from."""

    keep_for: timedelta = Field(
        default=timedelta(days=14),
        gt=timedelta(0),
        description="How long a file waits to be collected, then it is deleted; ISO 8601 (P14D) or seconds.",
    )
