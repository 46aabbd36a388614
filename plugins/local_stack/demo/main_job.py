"""The demo, step by step: a file comes in, a report goes out, and every effect is checked."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console

from data_connections.errors import ConnectionsError
from data_connections.ledger import Ledger
from data_connections.settings import PROJECT, Settings, allowed_file
from local_stack.demo.checks import check_delivery, check_results, check_submission
from local_stack.demo.commands import Commands
from local_stack.demo.files import ZONE, conversions_file
from local_stack.demo.story import tell_story
from local_stack.partner_sftp import PartnerLogin, prepare_partner
from local_stack.ports import free_port_near
from local_stack.stack import Stack
from local_stack.supervision import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

_Answer = TypeVar("_Answer")

INBOUND = "acme-conversions"
OUTBOUND = "acme-daily-performance"
CREDENTIALS = "acme-sftp"
_PATIENCE = 150.0
_SUBMISSION = """
    select s.*, c.name as connection from submission s join connection c on c.id = s.connection_id
    where c.name = %s and s.file_name = %s
"""
_DELIVERY = """
    select d.state, d.business_date, f.remote_path, f.sha256
    from delivery d join connection c on c.id = d.connection_id
    join delivery_file f on f.delivery_id = d.id and f.number = 1
    where c.name = %s and d.business_date = %s order by d.version desc limit 1
"""
_RUN = """
    select r.state, r.reason from connection_run r join connection c on c.id = r.connection_id
    where c.name = %s order by r.id desc limit 1
"""


class Demo:
    """One run of the demo, in a home of its own beside the installation's.

    Args:
        settings: The installation.
        console: Where progress and the story go.
    """

    def __init__(self, settings: Settings, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._stack = Stack(demo_settings(settings), progress=self._tell)
        self._partner = self._stack.settings.home / "partner"
        self._port = free_port_near(2222)
        now = datetime.now(ZONE)
        self._mark = now.strftime("%Y%m%d%H%M%S")
        self._today = now.date()

    @property
    def logs(self) -> Path:
        """Folder with the logs of everything that ran."""
        return self._stack.logs

    def run(self) -> None:
        """Do the main job and check it.

        Raises:
            ConnectionsError: An effect is missing or wrong, or something did not start.
        """
        self._forget_the_last_one()
        login = prepare_partner(self._partner)
        # The partner stands on this machine, where connections go only when they are told to.
        allowed_file(self._stack.settings.home).write_text("127.0.0.0/8\n::1\n", encoding="ascii")
        self._stack.up(more=(self._partner_program(),))
        commands = Commands(self._stack, self._demo_variables())
        ledger = Ledger(commands.environment["CONNECTIONS_DATABASE_URL"])
        file_name = self._put_file()
        self._configure(commands, login)
        submission = self._wait_for_submission(ledger, file_name)
        files = self._partner / "files"
        check_submission(ledger, submission)
        returned = check_results(files / "results", submission)
        delivery = self._deliver(commands, ledger)
        report = check_delivery(ledger, delivery, files)
        self._wait_for("the runs to end", lambda: self._run_states(ledger))
        tell_story(self._console, commands, submission, returned, delivery, report)

    def stop(self) -> None:
        """Stop everything that the demo started."""
        self._stack.down()

    def _forget_the_last_one(self) -> None:
        """Begin with empty databases: to a scheduler that knows the DAGs, today's runs would be done already."""
        home = self._stack.settings.home
        self._stack.down()
        data = home / "postgres"
        for folder in (data.resolve(), home) if data.is_symlink() else (home,):
            if folder.exists():
                shutil.rmtree(folder)

    def _configure(self, commands: Commands, login: PartnerLogin) -> None:
        self._tell("storing the login, the programs and the example connections")
        commands.run("reference", "apply")
        key, host_key = self._partner / "client_key", self._partner / "host_key.pub"
        write_private(key, login.private_key)
        write_private(host_key, login.host_key)
        commands.run(
            *("credentials", "set", CREDENTIALS, "--login", login.login),
            *("--private-key-file", str(key), "--host-key-file", str(host_key)),
        )
        commands.run("apply", "-f", str(PROJECT / "include" / "connections"), "--source", "demo")

    def _put_file(self) -> str:
        """Upload as a partner would: under another name first."""
        name = f"conversions_{self._mark}.csv"
        self._tell(f"the partner puts {name} into its folder /outbox")
        outbox = self._partner / "files" / "outbox"
        for folder in (outbox, self._partner / "files" / "reports"):
            folder.mkdir(parents=True, exist_ok=True)
        part = outbox / f".{name}.part"
        part.write_text(conversions_file(self._mark, self._today), encoding="utf-8", newline="")
        part.rename(outbox / name)
        return name

    def _wait_for_submission(self, ledger: Ledger, file_name: str) -> dict[str, Any]:
        def acknowledged() -> dict[str, Any] | None:
            found = ledger.one(_SUBMISSION, [INBOUND, file_name])
            if found is None or found["acknowledged_at"] is None:
                self._stop_when_failed(ledger, INBOUND)
                return None
            return found

        return self._wait_for(f"{INBOUND} to take, check, book and answer the file", acknowledged)

    def _deliver(self, commands: Commands, ledger: Ledger) -> dict[str, Any]:
        day = self._today - timedelta(days=1)
        commands.run("run", OUTBOUND, "--business-date", day.isoformat())

        def delivered() -> dict[str, Any] | None:
            found = ledger.one(_DELIVERY, [OUTBOUND, day])
            if found is None or found["state"] != "delivered":
                self._stop_when_failed(ledger, OUTBOUND)
                return None
            return found

        return self._wait_for(f"{OUTBOUND} to export, check and deliver the report of {day}", delivered)

    def _run_states(self, ledger: Ledger) -> bool | None:
        runs = [ledger.one(_RUN, [name]) for name in (INBOUND, OUTBOUND)]
        return True if all(run and run["state"] == "completed" for run in runs) else None

    def _stop_when_failed(self, ledger: Ledger, name: str) -> None:
        run = ledger.one(_RUN, [name])
        if run is not None and run["state"] == "failed":
            raise ConnectionsError(f"The run of {name} failed: {run['reason']}.")

    def _wait_for(self, what: str, ask: Callable[[], _Answer | None]) -> _Answer:
        self._tell(f"waiting for {what}")
        deadline = time.monotonic() + _PATIENCE
        while (answer := ask()) is None:
            if time.monotonic() > deadline:
                raise ConnectionsError(f"Waited {_PATIENCE:.0f} s in vain for {what}.")
            time.sleep(0.5)
        return answer

    def _partner_program(self) -> Program:
        command = (sys.executable, "-m", "local_stack.partner_sftp", "--folder", str(self._partner))
        return Program("partner", (*command, "--port", str(self._port)), priority=15)

    def _demo_variables(self) -> dict[str, str]:
        return {"DEMO_SFTP_HOST": "127.0.0.1", "DEMO_SFTP_PORT": str(self._port)}

    def _tell(self, words: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._began:5.1f} s[/dim]  {words}", soft_wrap=True)


def demo_settings(settings: Settings) -> Settings:
    """Return the settings of the demo's own home: embedded databases, whatever the installation uses."""
    home = settings.home / "demo"
    return replace(
        settings,
        home=home,
        database_url=None,
        landing_url=str(home / "landing"),
        airflow_home=home / "airflow",
        airflow_url="http://localhost:8080",
    )


def run_demo(settings: Settings, console: Console | None = None) -> int:
    """Run the demo; returns 0 when every effect was there, else 1."""
    console = console or Console(highlight=False)
    with _terminated_like_interrupted():
        demo = Demo(settings, console)
        try:
            demo.run()
        except ConnectionsError as failure:
            console.print(f"\n[bold red]The demo failed.[/bold red] {failure}", soft_wrap=True)
            console.print(f"The logs are in {demo.logs}", soft_wrap=True)
            return 1
        finally:
            demo.stop()
    return 0


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM end the demo as Ctrl-C does: with everything stopped."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
