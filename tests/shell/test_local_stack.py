"""The whole stack on one machine: up, healthy, restarted when it dies, and down without a trace."""

from __future__ import annotations

import os
import signal
import socket
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from data_connections.postgres import embedded
from data_connections.settings import PROJECT, Settings
from fixtures.stack_processes import executor_workers, services
from local_stack import Stack
from local_stack.airflow_environment import airflow_environment
from local_stack.ports import free_port_near, is_free
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
        right = httpx.post(f"{stack.url}/auth/token", json={"username": name, "password": password}, timeout=60)
        wrong = httpx.post(f"{stack.url}/auth/token", json={"username": name, "password": "wrong"}, timeout=60)
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

    def test_services_that_die_come_back_and_leave_no_workers(self, stack: Stack) -> None:
        killed_at, before, workers = datetime.now(UTC), services(stack), executor_workers(stack)
        died = ("scheduler", "triggerer")
        for name in died:
            os.kill(before[name], signal.SIGKILL)
        wait_for(stack, lambda: [name for name in died if services(stack).get(name, before[name]) == before[name]])
        wait_for(stack, lambda: unready_services(stack.url, killed_at))
        assert workers
        assert executor_workers(stack)
        assert not workers & executor_workers(stack)

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


def wait_for(stack: Stack, unready: Callable[[], list[str]]) -> None:
    """Wait until nothing is unready any more; a failure says what still is, and how the logs end."""
    end = time.monotonic() + PATIENCE
    while left := unready():
        if time.monotonic() > end:
            pytest.fail(f"after {PATIENCE} s not ready: {', '.join(left)}\n{stack.end_of_logs()}")
        time.sleep(0.2)
