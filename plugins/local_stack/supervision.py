"""The supervisor that keeps the stack's programs running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from data_connections.errors import ConnectionsError
from local_stack.airflow_environment import MARK
from local_stack.processes import processes_of, remember_session, send_signal, wait_for_end

_APPEAR_SECONDS = 60


@dataclass(frozen=True)
class Program:
    """A program that the supervisor keeps running.

    Attributes:
        name: Its name in logs.
        command: Program and arguments.
        environment: Variables for it alone, no secrets: they stand in a file.
        priority: Programs with lower numbers start before and stop after the others.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    priority: int = 20


def airflow_programs() -> tuple[Program, ...]:
    """Return Airflow's four services."""

    def airflow(*arguments: str) -> Program:
        return Program(arguments[0], (sys.executable, "-m", "airflow", *arguments))

    # Tasks are forked from the scheduler; logs are read from the disk, so nobody has to serve them.
    scheduler = (sys.executable, "-m", "local_stack.fresh_scheduler")
    return (
        airflow("api-server"),
        Program("scheduler", scheduler, {"CONNECTIONS_PRELOAD": "1"}),
        airflow("dag-processor"),
        airflow("triggerer", "--skip-serve-logs"),
    )


def gateway_program(ports: Mapping[str, int]) -> Program:
    """Return the program that serves the endpoints that we host; supervisor waits 10 s before it kills.

    Args:
        ports: Its TCP ports by what is spoken there: SFTP, FTP, SMTP and HTTPS.
    """
    environment = {
        **{f"CONNECTIONS_GATEWAY_{protocol}_PORT": str(port) for protocol, port in ports.items()},
        "CONNECTIONS_GATEWAY_DRAIN": "7",
    }
    return Program("gateway", (sys.executable, "-m", "command_line.main", "gateway", "serve"), environment, priority=30)


def postgres_program() -> Program:
    """Return the program that keeps the embedded PostgreSQL running."""
    return Program("postgres", (sys.executable, "-m", "local_stack.postgres_keeper"), priority=10)


class Supervisor:
    """supervisord for one stack, found again by its folder.

    Args:
        folder: Where its configuration and logs are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def logs(self) -> Path:
        """Folder with one log for each program."""
        return self._folder / "logs"

    @property
    def pid(self) -> int | None:
        """The running supervisor's process id."""
        try:
            pid = int((self._folder / "supervisord.pid").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None
        return pid if any(process.pid == pid for process in processes_of(self._folder)) else None

    def start(self, programs: tuple[Program, ...], environment: Mapping[str, str]) -> None:
        """Start the supervisor in the background; it starts ``programs``.

        Raises:
            ConnectionsError: It does not start; the message has what it said.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "supervisord.conf"
        configuration.write_text(self._configuration(programs), encoding="utf-8")
        command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(configuration)]
        marked = {**environment, MARK: str(self._folder)}
        done = subprocess.run(command, env=marked, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not self._appears():
            raise ConnectionsError(
                f"The supervisor did not start: {done.stderr.strip() or done.stdout.strip() or 'see its log'} "
                f"({self.logs / 'supervisord.log'})"
            )

    def stop(self, patience: float) -> None:
        """Have the supervisor stop its programs and itself, and wait at most ``patience`` seconds for its end."""
        pid = self.pid
        if pid is not None:
            send_signal(pid, signal.SIGTERM)
            wait_for_end(pid, patience)

    def end_of_logs(self, lines: int = 8) -> str:
        """Return the last lines of every program's log."""
        parts = []
        for log in sorted(self.logs.glob("*.log")):
            text = log.read_text(encoding="utf-8", errors="replace")
            parts += [f"--- {log.name}", *text.splitlines()[-lines:]]
        return "\n".join(parts)

    def _appears(self) -> bool:
        """Wait until the supervisor, which goes into the background, has said its process id."""
        end = time.monotonic() + _APPEAR_SECONDS
        while (pid := self.pid) is None and time.monotonic() < end:
            time.sleep(0.05)
        if pid is not None:
            remember_session(self._folder, pid)
        return pid is not None

    def _configuration(self, programs: tuple[Program, ...]) -> str:
        airflow = ",".join(program.name for program in programs if program.priority == Program.priority)
        return "\n".join(
            [
                "[supervisord]",
                f"directory={_quoted(self._folder)}",
                f"pidfile={_quoted(self._folder)}/supervisord.pid",
                f"logfile={_quoted(self.logs)}/supervisord.log",
                "logfile_maxbytes=5MB",
                "logfile_backups=1",
                "umask=077",
                *(["user=root"] if os.geteuid() == 0 else []),
                "",
                *(line for program in programs for line in self._section(program)),
                # One group, so that they are stopped together and not one after the other.
                "[group:airflow]",
                f"programs={airflow}",
                f"priority={Program.priority}",
                "",
            ]
        )

    def _section(self, program: Program) -> list[str]:
        variables = ",".join(f'{name}="{_quoted(value)}"' for name, value in program.environment.items())
        return [
            f"[program:{program.name}]",
            f"command={' '.join(_argument(word) for word in program.command)}",
            f"environment={variables}",
            f"priority={program.priority}",
            "autorestart=true",
            "startsecs=5",
            "startretries=1000",
            "stopasgroup=true",
            "killasgroup=true",
            "stopwaitsecs=10",
            "redirect_stderr=true",
            f"stdout_logfile={_quoted(self.logs)}/{program.name}.log",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=2",
            "",
        ]


def _quoted(value: object) -> str:
    """Escape the one sign that supervisor's configuration expands."""
    return str(value).replace("%", "%%")


def _argument(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return _quoted(f'"{escaped}"')
