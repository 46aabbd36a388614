"""The whole stack on one machine: up, healthy, restarted when it dies, and down without a trace."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from data_connections.postgres import embedded
from data_connections.settings import PROJECT, Settings
from local_stack import Stack
from local_stack.airflow_environment import airflow_environment
from local_stack.ports import free_port_near, is_free
from local_stack.processes import processes_of
from local_stack.readiness import unready_services

PATIENCE = 240


def settings_of(home: Path) -> Settings:
    return Settings.from_environment({"CONNECTIONS_HOME": str(home)})


def environment_of(home: Path, inherited: dict[str, str]) -> dict[str, str]:
    return airflow_environment(
        settings_of(home), port=8080, ledger_url="postgresql:///l", metadata_url="postgresql:///a", inherited=inherited
    )


class TestConfiguration:
    def test_keys_are_made_once_and_readable_by_their_user_alone(self, home: Path) -> None:
        first, second = environment_of(home, {}), environment_of(home, {})
        assert first == second
        assert len(first["AIRFLOW__CORE__FERNET_KEY"]) == 44
        assert {stat.S_IMODE(path.stat().st_mode) for path in (home / "keys").iterdir()} == {0o600}

    def test_two_installations_have_different_keys(self, home: Path) -> None:
        one, two = environment_of(home / "one", {}), environment_of(home / "two", {})
        for name in ("CORE__FERNET_KEY", "API_AUTH__JWT_SECRET", "API__SECRET_KEY"):
            assert one[f"AIRFLOW__{name}"] != two[f"AIRFLOW__{name}"]

    def test_what_the_user_set_for_airflow_wins(self, home: Path) -> None:
        environment = environment_of(home, {"AIRFLOW__CORE__PARALLELISM": "3", "UNTOUCHED": "yes"})
        assert (environment["AIRFLOW__CORE__PARALLELISM"], environment["UNTOUCHED"]) == ("3", "yes")

    def test_a_port_in_use_is_not_taken(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = other.getsockname()[1]
            assert free_port_near(taken) != taken
        assert is_free(free_port_near(taken))

    def test_commands_find_the_stack_at_the_port_that_it_took(self, home: Path) -> None:
        assert settings_of(home).airflow_url == "http://localhost:8080"
        (home / "stack").mkdir()
        (home / "stack" / "port").write_text("18080")
        assert settings_of(home).airflow_url == "http://localhost:18080"

    def test_down_with_nothing_running_says_so_and_makes_nothing(self, home: Path) -> None:
        nowhere = home / "nowhere"
        assert Stack(settings_of(nowhere)).down() is False
        assert not nowhere.exists()

    def test_the_plugins_folder_runs_one_module_only(self) -> None:
        ignored = (PROJECT / "plugins" / ".airflowignore").read_text().split()
        assert ignored == ["*", "!connections_plugin.py"]


@pytest.mark.stack
class TestWholeStack:
    def test_every_service_is_healthy_and_the_administrator_can_log_in(self, stack: Stack) -> None:
        name, password = stack.login
        right = httpx.post(f"{stack.url}/auth/token", json={"username": name, "password": password})
        wrong = httpx.post(f"{stack.url}/auth/token", json={"username": name, "password": "wrong"})
        assert stack.is_ready()
        assert (right.status_code, wrong.status_code) == (201, 401)

    def test_it_listens_on_the_loopback_address_alone(self, stack: Stack) -> None:
        assert listeners(stack.port) == {"127.0.0.1"}

    def test_no_secret_stands_in_a_file_but_the_key_files(self, stack: Stack) -> None:
        environment = stack.environment()
        secrets = [environment["AIRFLOW__CORE__FERNET_KEY"], stack.login[1]]
        readable = [*(stack.settings.home / "stack").rglob("*.conf"), *stack.logs.glob("*.log")]
        assert readable
        assert not [path for path in readable for secret in secrets if secret in path.read_text()]

    def test_up_again_changes_nothing(self, stack: Stack) -> None:
        before = services(stack)
        stack.up()
        assert services(stack) == before

    @pytest.mark.parametrize("name", ["scheduler", "triggerer"])
    def test_a_service_that_dies_comes_back(self, stack: Stack, name: str) -> None:
        before, killed_at, workers = services(stack)[name], datetime.now(UTC), executor_workers(stack)
        os.kill(before, signal.SIGKILL)
        wait_for(stack, lambda: [] if services(stack).get(name, before) != before else [name])
        wait_for(stack, lambda: unready_services(stack.url, killed_at))
        assert executor_workers(stack)
        assert not workers & executor_workers(stack) or name != "scheduler"

    def test_a_database_that_dies_comes_back_and_airflow_with_it(self, stack: Stack) -> None:
        server = embedded(stack.settings)
        before = server.status()
        assert before is not None
        killed_at = datetime.now(UTC)
        os.kill(before.pid, signal.SIGKILL)
        wait_for(
            stack, lambda: [] if (now := server.status()) and now.ready and now.pid != before.pid else ["postgres"]
        )
        with psycopg.connect(stack.environment()["CONNECTIONS_DATABASE_URL"]) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        wait_for(stack, lambda: unready_services(stack.url, killed_at))

    def test_down_leaves_nothing_even_after_the_supervisor_and_the_scheduler_were_killed(self, stack: Stack) -> None:
        assert f"{stack.url}\n" in run(stack, "up")
        pids = services(stack)
        os.kill(pids["supervisord"], signal.SIGKILL)
        os.kill(pids["scheduler"], signal.SIGKILL)
        assert executor_workers(stack)
        assert "nothing is left running" in run(stack, "down")
        assert users_of(stack.settings.home) == []
        assert is_free(stack.port)
        assert "Nothing was running" in run(stack, "down")


def run(stack: Stack, command: str) -> str:
    """What `python -m local_stack COMMAND` prints for this stack."""
    environment = {
        **os.environ,
        "CONNECTIONS_HOME": str(stack.settings.home),
        "AIRFLOW_HOME": str(stack.settings.airflow_home),
        "CONNECTIONS_AIRFLOW_URL": stack.settings.airflow_url,
    }
    words = [sys.executable, "-m", "local_stack", command]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout


def services(stack: Stack) -> dict[str, int]:
    """Process ids of the supervisor and of what it started itself, by name."""
    marks = {"scheduler": "airflow scheduler", "dag-processor": "airflow dag-processor"}
    marks |= {"triggerer": "airflow triggerer", "api-server": "api_server", "postgres": "postgres_keeper"}
    supervisor = int((stack.settings.home / "stack" / "supervisord.pid").read_text())
    children = [p for p in processes_of(stack.settings.home / "stack") if _parent(p.pid) == supervisor]
    found = {name: process.pid for process in children for name, mark in marks.items() if mark in process.command}
    return {"supervisord": supervisor, **found}


def users_of(folder: Path) -> list[str]:
    """Every living process that works in ``folder``, has a file of it open, or was started with its path."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()) or _state(process) == "Z":
            continue
        try:
            links = [link.readlink() for link in (process / "cwd", *(process / "fd").iterdir())]
            words = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if any(str(link).startswith(str(folder)) for link in links) or str(folder) in words:
            found.append(f"{process.name}: {words}")
    return found


def _state(process: Path) -> str:
    return _stat(process)[0]


def _parent(pid: int) -> int:
    return int(_stat(Path("/proc", str(pid)))[1])


def _stat(process: Path) -> list[str]:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["Z", "0"]


def listeners(port: int) -> set[str]:
    """Addresses on which somebody listens at ``port``."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, state = line.split()[1], line.split()[3]
        address, number = local.split(":")
        if state == "0A" and int(number, 16) == port:
            found.add(socket.inet_ntoa(bytes.fromhex(address)[::-1]))
    found |= {
        "IPv6"
        for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].split(":")[1], 16) == port
    }
    return found


def executor_workers(stack: Stack) -> set[int]:
    """Process ids of the processes that LocalExecutor runs tasks in."""
    return {
        process.pid for process in processes_of(stack.settings.home / "stack") if "LocalExecutor" in process.command
    }


def wait_for(stack: Stack, unready: Callable[[], list[str]]) -> None:
    """Wait until nothing is unready any more; a failure says what still is, and how the logs end."""
    end = time.monotonic() + PATIENCE
    while left := unready():
        if time.monotonic() > end:
            pytest.fail(f"after {PATIENCE} s not ready: {', '.join(left)}\n{stack.end_of_logs()}")
        time.sleep(0.2)
