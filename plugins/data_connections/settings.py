"""Where this installation keeps its things: read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path

from data_connections.errors import ConfigurationError

PROJECT = Path(__file__).resolve().parents[2]
LEAST_RUNS = timedelta(days=7)


@dataclass(frozen=True)
class Keep:
    """How long things are kept; None is for ever.

    Attributes:
        originals: Files that came in (``CONNECTIONS_KEEP_ORIGINALS``, in days like the others, default 90).
        sent: Files that went out (``CONNECTIONS_KEEP_SENT``, default 30).
        history: Rejected rows by line, files not taken, incidents and expected days that are over
            (``CONNECTIONS_KEEP_HISTORY``, default 400).
        activity: The activity log (``CONNECTIONS_KEEP_ACTIVITY``, default for ever).
        journal: The landing area's journal, by which a ledger that was restored from a backup is made whole
            (``CONNECTIONS_KEEP_JOURNAL``, default 90).
        runs: Airflow's own records of runs, tasks and events (``CONNECTIONS_KEEP_RUNS``, default 90, at least 7).
    """

    originals: timedelta | None = timedelta(days=90)
    sent: timedelta | None = timedelta(days=30)
    history: timedelta | None = timedelta(days=400)
    activity: timedelta | None = None
    journal: timedelta | None = timedelta(days=90)
    runs: timedelta | None = timedelta(days=90)

    def __post_init__(self) -> None:
        if self.runs is not None and self.runs < LEAST_RUNS:
            raise ConfigurationError(
                f"CONNECTIONS_KEEP_RUNS is {self.runs.days}; it has to be {LEAST_RUNS.days} or more, or 0 for ever: "
                "Airflow's clean-up takes runs that are still at work, too."
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Keep:
        """Read the days from ``environment``; 0 is for ever.

        Raises:
            ConfigurationError: One is no number of days.
        """
        given = {each.name: environment.get(f"CONNECTIONS_KEEP_{each.name.upper()}") for each in fields(cls)}
        return cls(**{name: _days(name, text) for name, text in given.items() if text})


def _days(name: str, text: str) -> timedelta | None:
    if not text.isdecimal() or len(text) > 6:
        raise ConfigurationError(
            f"CONNECTIONS_KEEP_{name.upper()} is {text!r}; it has to be a number of days, or 0 for ever."
        )
    return timedelta(days=int(text)) or None


@dataclass(frozen=True)
class Alarms:
    """When the installation itself is told of, and who is to miss it.

    Attributes:
        disk_free: Per cent of the disk that have to be free (``CONNECTIONS_ALARM_DISK``).
        staging: GiB of staged rows that are still normal (``CONNECTIONS_ALARM_STAGING``).
        sessions: Per cent of the ledger server's connections that may be in use (``CONNECTIONS_ALARM_DATABASE``).
        heartbeat_url: Called every five minutes while all works (``CONNECTIONS_HEARTBEAT_URL``); may hold a secret.
    """

    disk_free: float = 10
    staging: float = 20
    sessions: float = 80
    heartbeat_url: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Alarms:
        """Read them from ``environment``.

        Raises:
            ConfigurationError: One is no number, or the address is none.
        """
        names = {"disk_free": "DISK", "staging": "STAGING", "sessions": "DATABASE"}
        given = {field: environment.get(f"CONNECTIONS_ALARM_{name}") for field, name in names.items()}
        limits = {field: _limit(names[field], text) for field, text in given.items() if text}
        url = environment.get("CONNECTIONS_HEARTBEAT_URL") or None
        if url is not None and not url.startswith(("https://", "http://")):
            raise ConfigurationError("CONNECTIONS_HEARTBEAT_URL has to begin with https:// or http://.")
        return cls(**limits, heartbeat_url=url)


def _limit(name: str, text: str) -> float:
    try:
        limit = float(text)
    except ValueError:
        limit = -1
    if not 0 <= limit < 1e9:
        raise ConfigurationError(f"CONNECTIONS_ALARM_{name} is {text!r}; it has to be a number.")
    return limit


def airflow_database(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the address of Airflow's metadata database for its own clean-up, as SQLAlchemy understands it.

    It is ``CONNECTIONS_AIRFLOW_DATABASE_URL``; Airflow's own variable says nothing inside a task.
    """
    return environment.get("CONNECTIONS_AIRFLOW_DATABASE_URL") or None


@dataclass(frozen=True)
class Settings:
    """Folders and addresses of one installation.

    Attributes:
        home: All that this machine keeps (``CONNECTIONS_HOME``, default ``.connections`` in the project).
        database_url: The ledger (``CONNECTIONS_DATABASE_URL``); None means the embedded PostgreSQL under ``home``.
        landing_url: Where originals are kept (``CONNECTIONS_LANDING_URL``): a folder or any fsspec URL.
        include: Schemas, templates, reference data and examples (``CONNECTIONS_INCLUDE``).
        schemas: Folders of data types: that of ``include``, then those of ``CONNECTIONS_SCHEMAS``, with colons between.
        airflow_home: Airflow's own folder (``AIRFLOW_HOME``).
        airflow_url: Address of Airflow's API server and screen (``CONNECTIONS_AIRFLOW_URL``, default: where
            `make up` has put it, else port 8080 here).
        allowed_addresses: Networks inside which connections may go although they are not public
            (``CONNECTIONS_ALLOW_ADDRESSES``, such as ``10.1.0.0/16,127.0.0.1``; default: those of the file
            ``allowed-addresses`` in ``home``, one a line, which the demo writes for its partner on this machine).
    """

    home: Path
    database_url: str | None
    landing_url: str
    include: Path
    schemas: tuple[Path, ...]
    airflow_home: Path
    airflow_url: str
    allowed_addresses: tuple[str, ...] = ()

    @property
    def mappings(self) -> Path:
        """Folder of ready mappings of columns."""
        return self.include / "mappings"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from ``environment``; every value has a default."""
        home = Path(environment.get("CONNECTIONS_HOME") or PROJECT / ".connections").absolute()
        include = Path(environment.get("CONNECTIONS_INCLUDE") or PROJECT / "include").absolute()
        more = filter(None, environment.get("CONNECTIONS_SCHEMAS", "").split(os.pathsep))
        return cls(
            home=home,
            database_url=environment.get("CONNECTIONS_DATABASE_URL") or None,
            landing_url=environment.get("CONNECTIONS_LANDING_URL") or str(home / "landing"),
            include=include,
            schemas=(include / "schemas", *(Path(folder).absolute() for folder in more)),
            airflow_home=Path(environment.get("AIRFLOW_HOME") or home / "airflow").absolute(),
            airflow_url=environment.get("CONNECTIONS_AIRFLOW_URL") or _local_airflow(home),
            allowed_addresses=_allowed_addresses(home, environment),
        )


def _local_airflow(home: Path) -> str:
    """Return the address of the stack that runs under ``home``, or of one that would."""
    try:
        port = (home / "stack" / "port").read_text(encoding="ascii")
    except OSError:
        port = "8080"
    return f"http://localhost:{port}"


def allowed_file(home: Path) -> Path:
    """Return the file that holds allowed networks where no variable does."""
    return home / "allowed-addresses"


def _allowed_addresses(home: Path, environment: Mapping[str, str]) -> tuple[str, ...]:
    given = environment.get("CONNECTIONS_ALLOW_ADDRESSES")
    if given is None:
        try:
            given = allowed_file(home).read_text(encoding="ascii")
        except OSError:
            return ()
    return tuple(given.replace(",", " ").split())
