"""One embedded server: made once, started by whoever comes first, stopped by its data folder."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from data_connections.errors import ConfigurationError, LedgerUnavailable
from data_connections.postgres.account import Account, server_account
from data_connections.postgres.placement import Placement
from data_connections.postgres.processes import (
    RunningServer,
    forget_dead_server,
    processes_of,
    running_server,
    stop_processes,
)
from data_connections.postgres.programs import find_programs
from data_connections.postgres.tuning import as_options, server_options

SUPERUSER = "postgres"
_DEFAULT_PORT = 5432
_START_SECONDS = 120


class EmbeddedPostgres:
    """A PostgreSQL server that lives in one folder.

    Any number of processes may hold one; none of them stops it by ending. It is reached through a socket in a
    folder that only its user can enter, and through TCP on the loopback address when a port is given.

    Args:
        folder: Where it keeps everything; made when missing. As root, the data belongs to an unprivileged user.
        port: TCP port on 127.0.0.1, with the password of `password`; None for the socket alone.
        durable: False gives up safety for speed: for tests only, a crash of the machine loses data.
    """

    def __init__(self, folder: Path, *, port: int | None = None, durable: bool = True) -> None:
        self._folder = folder.absolute()
        self._port = port
        self._durable = durable

    @property
    def data(self) -> Path:
        """The data folder."""
        return Placement.of(self._folder).data

    def status(self) -> RunningServer | None:
        """Return what runs now, or None.

        Raises:
            ConfigurationError: The folder belongs to another user.
        """
        try:
            return running_server(self.data)
        except PermissionError as denied:
            raise ConfigurationError(
                "The embedded database belongs to another user. Run this as the user that started it, or choose "
                "another folder with CONNECTIONS_HOME.",
                path=self._folder,
            ) from denied

    def ensure_running(self) -> EmbeddedPostgres:
        """Start the server unless it runs; at once safe for many processes.

        Raises:
            LedgerUnavailable: It does not start; the message has the end of its log.
            ConfigurationError: It cannot run here; the message says what to do instead.
        """
        if not self._is_ready():
            with self._alone():
                if not self._is_ready():
                    self._start()
        return self

    def stop(self) -> bool:
        """Stop the server and every process of it; returns whether there was one.

        Raises:
            LedgerUnavailable: Some process of it does not end.
        """
        if self.status() is None and not processes_of(self.data):
            return False
        with self._alone():
            if not stop_processes(self.data):
                raise LedgerUnavailable(f"The embedded database at {self._folder} does not stop.")
        return True

    def url(self, database: str, *, tcp: bool = False) -> str:
        """Return the address of ``database`` for libpq, psycopg and SQLAlchemy; the server has to run.

        Args:
            database: Name of the database.
            tcp: The address on 127.0.0.1 with its password, instead of the socket.
        """
        server = self.status()
        if server is None:
            raise LedgerUnavailable(f"The embedded database at {self._folder} does not run.")
        name = quote(database, safe="")
        if tcp:
            return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{server.port}/{name}"
        port = "" if server.port == _DEFAULT_PORT else f"&port={server.port}"
        return f"postgresql://{SUPERUSER}@/{name}?host={quote(str(server.socket_folder))}{port}"

    @property
    def password(self) -> str:
        """The superuser's password, for TCP connections."""
        return self._password_file.read_text(encoding="ascii")

    def ensure_database(self, name: str) -> None:
        """Create the database ``name`` unless it is there."""
        with psycopg.connect(self.url(SUPERUSER), autocommit=True) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
            if not known:
                try:
                    connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
                except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    return

    @property
    def _password_file(self) -> Path:
        return self._folder.with_name(f"{self._folder.name}.password")

    def _is_ready(self) -> bool:
        server = self.status()
        return server is not None and server.ready

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock under which the server starts and stops."""
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder.with_name(f"{self._folder.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            end = time.monotonic() + _START_SECONDS
            while not _locked(handle):
                if time.monotonic() > end:
                    raise LedgerUnavailable(f"Another process has been starting {self._folder} for two minutes.")
                time.sleep(0.05)
            yield
        finally:
            os.close(handle)

    def _start(self) -> None:
        account = server_account()
        placement = Placement.prepare(self._folder, account, find_programs(self.data))
        stop_processes(placement.data)
        forget_dead_server(placement.data, placement.socket_folder)
        if not (placement.data / "PG_VERSION").exists():
            self._initialise(placement, account)
        options = as_options(server_options(placement.socket_folder, self._port, durable=self._durable))
        command = [placement.programs.path("pg_ctl"), "start", "--pgdata", str(placement.data), "--wait"]
        command += ["--timeout", str(_START_SECONDS), "--log", str(placement.start_log), "--options", options]
        self._check(account.run(command, folder=placement.folder).returncode, placement)

    def _initialise(self, placement: Placement, account: Account) -> None:
        """Make the data folder beside its final name, so that a half-made one never counts."""
        password = secrets.token_urlsafe(24)
        handle = os.open(self._password_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(password)
        unfinished = placement.data.with_name("data.unfinished")
        account.run(["rm", "-rf", str(unfinished)], folder=placement.folder)
        account.run(["/bin/sh", "-c", "cat > initial-password"], folder=placement.folder, given=f"{password}\n")
        command = [placement.programs.path("initdb"), "--pgdata", str(unfinished), "--username", SUPERUSER]
        command += ["--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile=initial-password", "--encoding=UTF8"]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        command += [] if self._durable else ["--no-sync"]
        made = account.run(command, folder=placement.folder)
        account.run(["rm", "initial-password"], folder=placement.folder)
        if made.returncode != 0:
            raise LedgerUnavailable(
                f"The embedded database could not be made in {placement.folder}: {' '.join(made.stderr.split())[-500:]}"
            )
        unfinished.rename(placement.data)

    def _check(self, status: int, placement: Placement) -> None:
        if status != 0 or not self._is_ready():
            raise LedgerUnavailable(
                f"The embedded database at {placement.folder} did not start. The end of its log "
                f"({placement.start_log}):\n{placement.end_of_log()}"
            )


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
