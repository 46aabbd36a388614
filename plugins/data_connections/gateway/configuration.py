"""Where the gateway listens and keeps its things: read once from the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from data_connections.errors import ConfigurationError
from data_connections.settings import Settings


@dataclass(frozen=True)
class GatewayConfiguration:
    """Addresses, folders and limits of one gateway.

    Attributes:
        hosted: Folder with a folder for each connection (``CONNECTIONS_HOSTED``, default ``hosted`` under
            ``CONNECTIONS_HOME``); tasks and triggers see the same one.
        state: Host keys and certificate, ``gateway`` under ``CONNECTIONS_HOME``.
        bind: Address to listen on (``CONNECTIONS_GATEWAY_BIND``, default 127.0.0.1).
        host: Name under which partners reach it (``CONNECTIONS_GATEWAY_HOST``, default localhost).
        sftp_port: TCP port of SFTP (``CONNECTIONS_GATEWAY_SFTP_PORT``, default 22); 0 takes any free one.
        ftp_port: TCP port of FTP and FTPS (``CONNECTIONS_GATEWAY_FTP_PORT``, default 21); 0 takes any free one.
        ftps_port: TCP port of FTPS that is TLS from the first byte (``CONNECTIONS_GATEWAY_FTPS_PORT``, usually 990);
            not offered where left out.
        smtp_port: TCP port of SMTP (``CONNECTIONS_GATEWAY_SMTP_PORT``, default 25); 0 takes any free one.
        mail_domain: Domain of the addresses that partners mail to (``CONNECTIONS_GATEWAY_MAIL_DOMAIN``); ``host`` where
            left out.
        nameserver: ``address:port`` of the name server that is asked for keys of senders
            (``CONNECTIONS_GATEWAY_NAMESERVER``); the system's where left out.
        most_mail_bytes: Bytes of one mail.
        https_port: TCP port of the page with login details (``CONNECTIONS_GATEWAY_HTTPS_PORT``); not offered where left
            out.
        https_address: What links to it begin with (``CONNECTIONS_GATEWAY_HTTPS_ADDRESS``), where that is not
            ``https://host:https_port``.
        passive_ports: Ports of FTP's data connections (``CONNECTIONS_GATEWAY_FTP_PASSIVE``, such as 50000-50100); any
            where left out.
        passive_address: Address that FTP clients are told to connect to, where it is not the one that they came to
            (``CONNECTIONS_GATEWAY_FTP_ADDRESS``).
        plain_ftp: Whether FTP without TLS is spoken at all (``CONNECTIONS_GATEWAY_PLAIN_FTP=1``); the connection has
            to allow it too.
        certificate: File with certificate and key (``CONNECTIONS_GATEWAY_CERTIFICATE``); made where left out.
        drain: Seconds that transfers have to end when the gateway is told to stop (``CONNECTIONS_GATEWAY_DRAIN``).
        refresh: Seconds after which a login that was made or retired is known.
        sessions: Connections at the same time.
        greetings: Connections at the same time that have not logged in yet.
        greetings_of_address: Those of one address.
        sessions_of_login: Connections at the same time of one login.
    """

    hosted: Path
    state: Path
    bind: str = "127.0.0.1"
    host: str = "localhost"
    sftp_port: int = 22
    ftp_port: int = 21
    ftps_port: int | None = None
    smtp_port: int = 25
    mail_domain: str = ""
    nameserver: str | None = None
    most_mail_bytes: int = 50_000_000
    https_port: int | None = None
    https_address: str = ""
    passive_ports: tuple[int, ...] = ()
    passive_address: str | None = None
    plain_ftp: bool = False
    certificate: Path | None = None
    drain: float = 60.0
    refresh: float = 2.0
    sessions: int = 2000
    greetings: int = 600
    greetings_of_address: int = 100
    sessions_of_login: int = 50

    @classmethod
    def from_environment(cls, settings: Settings, environment: Mapping[str, str] = os.environ) -> GatewayConfiguration:
        """Read the configuration; every value has a default.

        Raises:
            ConfigurationError: A value cannot be used.
        """
        return cls(
            hosted=hosted_folder(settings, environment),
            state=settings.home / "gateway",
            bind=environment.get("CONNECTIONS_GATEWAY_BIND") or "127.0.0.1",
            host=environment.get("CONNECTIONS_GATEWAY_HOST") or "localhost",
            sftp_port=_number(environment, "CONNECTIONS_GATEWAY_SFTP_PORT", 22),
            ftp_port=_number(environment, "CONNECTIONS_GATEWAY_FTP_PORT", 21),
            ftps_port=_number(environment, "CONNECTIONS_GATEWAY_FTPS_PORT", 0) or None,
            smtp_port=_number(environment, "CONNECTIONS_GATEWAY_SMTP_PORT", 25),
            mail_domain=(environment.get("CONNECTIONS_GATEWAY_MAIL_DOMAIN") or "").lower(),
            nameserver=_nameserver(environment.get("CONNECTIONS_GATEWAY_NAMESERVER") or ""),
            https_port=_number(environment, "CONNECTIONS_GATEWAY_HTTPS_PORT", 0) or None,
            https_address=environment.get("CONNECTIONS_GATEWAY_HTTPS_ADDRESS") or "",
            passive_ports=_ports(environment.get("CONNECTIONS_GATEWAY_FTP_PASSIVE") or ""),
            passive_address=environment.get("CONNECTIONS_GATEWAY_FTP_ADDRESS") or None,
            plain_ftp=environment.get("CONNECTIONS_GATEWAY_PLAIN_FTP") == "1",
            certificate=Path(file) if (file := environment.get("CONNECTIONS_GATEWAY_CERTIFICATE")) else None,
            drain=_number(environment, "CONNECTIONS_GATEWAY_DRAIN", 60),
        )


@dataclass(frozen=True)
class GatewayAddress:
    """Where a gateway is reached, as it said when it last started.

    Attributes:
        host: Name that partners use.
        sftp_port: TCP port of SFTP.
        ftp_port: TCP port of FTP and FTPS.
        ftps_port: TCP port of FTPS that is TLS from the first byte; None where that is not offered.
        smtp_port: TCP port of SMTP.
        mail_domain: Domain of the addresses that partners mail to.
        https_port: TCP port of the page with login details; None where that is not offered.
        https_address: What links to it begin with, where that is configured.
    """

    host: str
    sftp_port: int
    ftp_port: int
    ftps_port: int | None = None
    smtp_port: int = 25
    mail_domain: str = ""
    https_port: int | None = None
    https_address: str = ""

    @property
    def links(self) -> str:
        """What links to login details begin with.

        Raises:
            ConfigurationError: They are not offered.
        """
        if self.https_port is None:
            raise ConfigurationError(
                "Login details can be mailed once the gateway serves the page that shows them: set "
                "CONNECTIONS_GATEWAY_HTTPS_PORT for it, such as 8443."
            )
        return self.https_address or f"https://{self.host}:{self.https_port}"

    def mail_address(self, local_part: str) -> str:
        """Return an address that partners mail to."""
        return f"{local_part}@{self.mail_domain or self.host}"

    def announce(self, configuration: GatewayConfiguration) -> None:
        """Leave the address where commands find it."""
        path = _address_file(configuration)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(self)), encoding="utf-8")
        part.replace(path)

    @classmethod
    def find(cls, configuration: GatewayConfiguration) -> GatewayAddress:
        """Return the address that was announced last, or the configured one."""
        try:
            return cls(**json.loads(_address_file(configuration).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls.of(configuration)

    @classmethod
    def of(cls, configuration: GatewayConfiguration) -> GatewayAddress:
        """Return the address as it is configured."""
        names = (
            "host",
            "sftp_port",
            "ftp_port",
            "ftps_port",
            "smtp_port",
            "mail_domain",
            "https_port",
            "https_address",
        )
        return cls(**{name: getattr(configuration, name) for name in names})


def hosted_folder(settings: Settings, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that holds the folder of every hosted connection."""
    return Path(environment.get("CONNECTIONS_HOSTED") or settings.home / "hosted").absolute()


def _address_file(configuration: GatewayConfiguration) -> Path:
    return configuration.state / "address.json"


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name) or str(default)
    if not (value.isdigit() and int(value) < 65536):
        raise ConfigurationError(f"{name} must be a whole number below 65,536, not {value!r}.")
    return int(value)


def _nameserver(text: str) -> str | None:
    host, _, port = text.rpartition(":")
    if text and not (host and port.isdigit()):
        raise ConfigurationError(f"CONNECTIONS_GATEWAY_NAMESERVER must be an address and a port, not {text!r}.")
    return text or None


def _ports(text: str) -> tuple[int, ...]:
    first, _, last = text.partition("-")
    if not text:
        return ()
    if not (first.isdigit() and last.isdigit() and 0 < int(first) <= int(last) < 65536):
        raise ConfigurationError(
            f"CONNECTIONS_GATEWAY_FTP_PASSIVE must be FIRST-LAST, such as 50000-50100, not {text!r}."
        )
    return tuple(range(int(first), int(last) + 1))
