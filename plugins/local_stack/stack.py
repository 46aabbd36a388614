"""The whole stack of one installation: up, down, and what it takes to work with it."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from data_connections.errors import ConnectionsError
from data_connections.postgres import embedded
from data_connections.settings import Settings
from local_stack.airflow_environment import airflow_environment, keys_of, stack_folder
from local_stack.databases import embedded_server, migrate_databases, open_databases
from local_stack.keys import ADMINISTRATOR
from local_stack.ports import DEFAULT_PORT, free_port_near
from local_stack.processes import end_processes, processes_of
from local_stack.readiness import unready_services, wait_until_ready
from local_stack.supervision import Program, Supervisor, airflow_programs, postgres_program

Progress = Callable[[str], None]
_READY_SECONDS = 300
_STOP_SECONDS = 25
_BUSY_SECONDS = 60


class Stack:
    """Airflow, its database and the ledger on this machine, all under ``CONNECTIONS_HOME``.

    Args:
        settings: The installation.
        progress: Told in a few words what happens.
    """

    def __init__(self, settings: Settings, *, progress: Progress = lambda _: None) -> None:
        self.settings = settings
        self._progress = progress
        self._folder = stack_folder(settings)
        self._supervisor = Supervisor(self._folder)

    @property
    def url(self) -> str:
        """Address of Airflow's screen and API, as chosen when the stack was last started."""
        return f"http://localhost:{self.port}"

    @property
    def port(self) -> int:
        """TCP port of Airflow's API server."""
        try:
            return int(self._port_file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return urlsplit(self.settings.airflow_url).port or DEFAULT_PORT

    @property
    def login(self) -> tuple[str, str]:
        """The administrator's name and password."""
        return self.login_of(ADMINISTRATOR)

    def login_of(self, name: str) -> tuple[str, str]:
        """Return the name and the password of one of the stack's logins at Airflow."""
        return name, keys_of(self.settings).password(name)

    @property
    def password_file(self) -> Path:
        """File that holds the administrator's password."""
        return keys_of(self.settings).password_file

    @property
    def logs(self) -> Path:
        """Folder with the logs of the stack's programs."""
        return self._supervisor.logs

    def end_of_logs(self, lines: int = 8) -> str:
        """Return the last lines of every program's log."""
        return self._supervisor.end_of_logs(lines)

    def environment(self) -> dict[str, str]:
        """Return the environment for commands that work with this stack; starts the database when it is needed."""
        databases = open_databases(self.settings)
        return airflow_environment(
            self.settings, port=self.port, ledger_url=databases.ledger, metadata_url=databases.metadata
        )

    def is_ready(self) -> bool:
        """Whether the supervisor runs and every service is healthy."""
        return self.is_supervised() and not unready_services(self.url, self._started)

    def is_at(self, url: str) -> bool:
        """Whether ``url`` is the address of this stack, and the stack runs."""
        asked = urlsplit(url)
        here = asked.hostname in {"localhost", "127.0.0.1"} and asked.port == self.port
        return here and self._port_file.exists() and self.is_supervised()

    def is_supervised(self) -> bool:
        """Whether the supervisor runs, which keeps the rest running."""
        return self._supervisor.pid is not None

    def up(self, *, more: tuple[Program, ...] = ()) -> None:
        """Start everything and wait until all of it is healthy; does nothing when it already is.

        Args:
            more: Further programs to keep running.

        Raises:
            ConnectionsError: Something does not start; the message says what and where its log is. What had started
                is stopped again.
        """
        with self._alone():
            if self._runs_already():
                self._progress("everything runs already")
                return
            self._stop()
            try:
                self._start(more)
            except BaseException:
                self._stop()
                raise

    def down(self) -> bool:
        """Stop every process of the stack and the embedded database; returns whether there was any.

        Raises:
            ConnectionsError: Some process does not end; the message names it.
        """
        if not self.settings.home.exists():
            return False
        with self._alone():
            return self._stop()

    def _runs_already(self) -> bool:
        """Whether everything runs; what is busy, or just comes back, is given time before it is started anew."""
        end = time.monotonic() + _BUSY_SECONDS
        while self._supervisor.pid is not None:
            if self.is_ready():
                return True
            if time.monotonic() > end:
                return False
            time.sleep(0.5)
        return False

    def _start(self, more: tuple[Program, ...]) -> None:
        self._choose_port()
        self._progress("starting the databases")
        environment = self.environment()
        self._progress("bringing the databases to their newest schemas")
        migrate_databases(self.settings, open_databases(self.settings), environment)
        self._progress("starting Airflow")
        started = datetime.now(UTC)
        (self._folder / "started").write_text(started.isoformat(), encoding="ascii")
        programs = (postgres_program(),) if embedded_server(self.settings) else ()
        self._supervisor.start((*programs, *airflow_programs(), *more), environment)
        self._wait(started)

    def _wait(self, started: datetime) -> None:
        def alive() -> bool:
            return self._supervisor.pid is not None

        try:
            wait_until_ready(self.url, started, patience=_READY_SECONDS, alive=alive, progress=self._progress)
        except ConnectionsError as unready:
            raise ConnectionsError(
                f"{unready} The logs are in {self.logs}; they end with:\n{self.end_of_logs()}"
            ) from unready

    def _stop(self) -> bool:
        found = processes_of(self._folder)
        if found:
            self._progress("stopping Airflow")
        self._supervisor.stop(_STOP_SECONDS)
        left = end_processes(self._folder)
        stopped = embedded(self.settings).stop()
        self._port_file.unlink(missing_ok=True)
        if left:
            names = ", ".join(f"{process.pid} ({process.command})" for process in left)
            raise ConnectionsError(f"These processes do not end: {names}. Stop them with `kill -9`.")
        return bool(found) or stopped

    def _choose_port(self) -> None:
        """Keep the port that was asked for, or take a free one when something else has it."""
        wanted = urlsplit(self.settings.airflow_url).port or DEFAULT_PORT
        port = free_port_near(wanted)
        if port != wanted:
            self._progress(f"port {wanted} is in use by another program, so the screen is at port {port}")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._port_file.write_text(str(port), encoding="ascii")

    @property
    def _port_file(self) -> Path:
        return self._folder / "port"

    @property
    def _started(self) -> datetime:
        return datetime.fromisoformat((self._folder / "started").read_text(encoding="ascii"))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait for another `up` or `down` of the same installation."""
        self.settings.home.mkdir(parents=True, exist_ok=True)
        with (self.settings.home / "stack.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
