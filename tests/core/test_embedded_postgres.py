"""The embedded PostgreSQL: starts once, survives what happens to servers, stops altogether."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from data_connections.errors import ConfigurationError, LedgerUnavailable
from data_connections.postgres import EmbeddedPostgres, embedded, ledger_url
from data_connections.postgres.account import Account, server_account
from data_connections.postgres.processes import processes_of
from data_connections.postgres.programs import find_programs
from data_connections.settings import Settings
from fixtures.homes import new_home
from fixtures.servers import free_port


@pytest.fixture
def server(home: Path) -> EmbeddedPostgres:
    """A server that was never started."""
    return EmbeddedPostgres(home / "postgres", durable=False)


@pytest.fixture(scope="module")
def made() -> Iterator[EmbeddedPostgres]:
    """A server for the tests that leave its data as they were, whatever they do to its processes."""
    folder = new_home("connections-made-")
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    yield server
    server.stop()
    shutil.rmtree(folder)


def answer(address: str, question: str = "select 1") -> object:
    with psycopg.connect(address) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None


def test_a_second_start_finds_the_first_server(made: EmbeddedPostgres) -> None:
    first = made.ensure_running().status()
    second = EmbeddedPostgres(made.data.parent, durable=False).ensure_running().status()
    assert first is not None
    assert first == second


def test_ten_processes_that_start_it_at_once_get_one_server(server: EmbeddedPostgres, home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from data_connections.postgres import EmbeddedPostgres\n"
        "print(EmbeddedPostgres(Path(sys.argv[1]), durable=False).ensure_running().status().pid)"
    )

    def start(_: int) -> str:
        command = [sys.executable, "-c", code, str(home / "postgres")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with ThreadPoolExecutor(10) as pool:
        pids = set(pool.map(start, range(10)))
    status = server.status()
    assert status is not None
    assert pids == {f"{status.pid}\n"}


def test_the_server_outlives_the_process_that_started_it(server: EmbeddedPostgres, home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from data_connections.postgres import EmbeddedPostgres\n"
        "EmbeddedPostgres(Path(sys.argv[1]), durable=False).ensure_running()"
    )
    subprocess.run([sys.executable, "-c", code, str(home / "postgres")], check=True)
    assert answer(server.url("postgres")) == 1


def test_two_homes_live_side_by_side(server: EmbeddedPostgres, home: Path) -> None:
    other = EmbeddedPostgres(home / "other", durable=False)
    try:
        server.ensure_running().ensure_database("only_here")
        other.ensure_running()
        count = "select count(*) from pg_database where datname = 'only_here'"
        assert (answer(server.url("postgres"), count), answer(other.url("postgres"), count)) == (1, 0)
    finally:
        other.stop()


def test_committed_rows_survive_kill_9(home: Path) -> None:
    server = EmbeddedPostgres(home / "postgres").ensure_running()
    with psycopg.connect(server.url("postgres")) as connection:
        connection.execute("create table kept as select 42 as value")
    kill(server)
    server.ensure_running()
    assert answer(server.url("postgres"), "select value from kept") == 42


def test_backends_that_outlive_their_server_are_no_hindrance(made: EmbeddedPostgres) -> None:
    made.ensure_running()
    with psycopg.connect(made.url("postgres")) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        kill(made)
        assert backend in processes_of(made.data)
        made.ensure_running()
    assert backend not in processes_of(made.data)
    assert answer(made.url("postgres")) == 1


def test_a_pid_file_that_names_another_process_is_no_hindrance(made: EmbeddedPostgres) -> None:
    made.ensure_running()
    pid_file = made.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    made.stop()
    sleeper = subprocess.Popen(["sleep", "600"])
    try:
        pid_file.write_text("\n".join([str(sleeper.pid), *lines[1:]]) + "\n")
        assert made.status() is None
        made.ensure_running()
        assert answer(made.url("postgres")) == 1
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_parallel_queries_need_no_room_in_dev_shm(made: EmbeddedPostgres) -> None:
    before = set(Path("/dev/shm").glob("PostgreSQL.*"))
    made.ensure_running()
    with psycopg.connect(made.url("postgres")) as connection:
        connection.execute("create table numbers as select generate_series(1, 100000) as n")
        connection.execute("set debug_parallel_query = on")
        assert connection.execute("select count(distinct n % 1000) from numbers").fetchone() == (1000,)
        own = [path for path in set(Path("/dev/shm").glob("PostgreSQL.*")) - before if owned_by(path, made)]
    assert own == []


def test_stop_ends_every_process_and_says_whether_there_was_one(made: EmbeddedPostgres) -> None:
    made.ensure_running()
    assert made.stop() is True
    assert processes_of(made.data) == []
    assert made.stop() is False


def test_nobody_else_can_enter_its_folders(made: EmbeddedPostgres) -> None:
    status = made.ensure_running().status()
    assert status is not None
    for folder in (made.data.parent, made.data, status.socket_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.stat().st_uid == server_account().uid


def test_without_a_port_it_takes_no_tcp(made: EmbeddedPostgres) -> None:
    made.ensure_running()
    assert answer(made.url("postgres"), "show listen_addresses") == ""


def test_with_a_port_it_takes_tcp_and_asks_for_the_password(home: Path) -> None:
    server = EmbeddedPostgres(home / "postgres", port=free_port(), durable=False).ensure_running()
    address = server.url("postgres", tcp=True)
    assert answer(address, "select host(inet_server_addr())") == "127.0.0.1"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        answer(address.replace(server.password, "wrong"))


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(home: Path) -> None:
    deep = home.joinpath(*["a-folder-with-quite-a-long-name"] * 4)
    server = EmbeddedPostgres(deep / "postgres", durable=False)
    try:
        status = server.ensure_running().status()
        assert status is not None
        assert answer(server.url("postgres")) == 1
        assert stat.S_IMODE(status.socket_folder.stat().st_mode) == 0o700
        assert len(str(status.socket_folder)) < 80
    finally:
        server.stop()
        status.socket_folder.rmdir()


def test_a_folder_with_spaces_and_signs_in_its_name_works(home: Path) -> None:
    server = EmbeddedPostgres(home / "it's a 100% öd & odd folder", durable=False)
    try:
        server.ensure_running().ensure_database("odd name")
        assert answer(server.url("odd name"), "select current_database()") == "odd name"
    finally:
        server.stop()


def test_text_sorts_and_changes_case_the_same_on_every_machine(made: EmbeddedPostgres) -> None:
    made.ensure_running()
    assert answer(made.url("postgres"), "select upper('zoë') || current_setting('timezone')") == "ZOËUTC"


def test_data_of_another_major_version_is_refused_with_what_to_do(server: EmbeddedPostgres) -> None:
    server.ensure_running()
    server.stop()
    (server.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(ConfigurationError, match=r"made by PostgreSQL 12.*pg_dumpall"):
        server.ensure_running()


def test_a_server_that_does_not_start_says_what_its_log_says(server: EmbeddedPostgres) -> None:
    server.ensure_running()
    server.stop()
    with (server.data / "postgresql.conf").open("a") as settings:
        settings.write("nonsense = on\n")
    with pytest.raises(LedgerUnavailable, match="nonsense"):
        server.ensure_running()


def test_the_ledger_is_where_the_settings_say(home: Path) -> None:
    elsewhere = Settings.from_environment(
        {"CONNECTIONS_HOME": str(home), "CONNECTIONS_DATABASE_URL": "postgresql://h/l"}
    )
    assert ledger_url(elsewhere) == "postgresql://h/l"
    assert embedded(elsewhere).status() is None


def test_without_a_url_the_ledger_is_an_embedded_database(home: Path) -> None:
    settings = Settings.from_environment({"CONNECTIONS_HOME": str(home)})
    assert answer(ledger_url(settings), "select current_database()") == "ledger"


def test_the_programs_work_when_they_are_copied_elsewhere(home: Path) -> None:
    copied = find_programs(home).copied_to(home)
    assert copied.root.is_relative_to(home)
    shown = server_account().run([copied.path("initdb"), "--version"])
    assert f"PostgreSQL) {copied.major}" in shown.stdout
    assert find_programs(home).copied_to(home) == copied


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to drop its rights")
class TestAsRoot:
    def test_the_server_runs_as_an_unprivileged_user(self, made: EmbeddedPostgres) -> None:
        status = made.ensure_running().status()
        assert status is not None
        assert Path("/proc", str(status.pid)).stat().st_uid == server_account().uid != 0

    def test_a_folder_that_user_cannot_reach_stays_closed(self, home: Path) -> None:
        closed = home / "closed"
        closed.mkdir(mode=0o700)
        server = EmbeddedPostgres(closed / "postgres", durable=False)
        try:
            server.ensure_running()
            assert answer(server.url("postgres")) == 1
            assert stat.S_IMODE(closed.stat().st_mode) == 0o700
            again = EmbeddedPostgres(closed / "postgres").status()
            assert again == server.status() is not None
        finally:
            server.stop()
            subprocess.run(["rm", "-rf", str(server.data.parent)], check=True)

    @pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
    def test_an_unprivileged_user_runs_a_server_of_its_own(self, home: Path) -> None:
        daemon = 1
        if not Account("daemon", daemon, daemon).can_enter(find_programs(home).root):
            pytest.skip("this project lies in a folder that other users may not enter")
        own = home / "own"
        own.mkdir()
        os.chown(own, daemon, daemon)
        child = os.fork()
        if child == 0:
            os._exit(_start_and_stop_as(daemon, own))
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0


def _start_and_stop_as(uid: int, folder: Path) -> int:
    server_account.cache_clear()
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    try:
        started = answer(server.ensure_running().url("postgres"), "select 1") == 1
        right_user = (folder / "postgres").stat().st_uid == uid
    finally:
        stopped = server.stop()
    return 0 if started and right_user and stopped else 1


def owned_by(path: Path, server: EmbeddedPostgres) -> bool:
    """Whether a process of ``server`` has ``path`` mapped."""
    maps = (Path("/proc", str(pid), "maps").read_text() for pid in processes_of(server.data))
    return any(str(path) in text for text in maps)


def kill(server: EmbeddedPostgres) -> None:
    """Kill the server's first process and wait until it is gone."""
    status = server.status()
    assert status is not None
    os.kill(status.pid, signal.SIGKILL)
    while server.status() is not None:
        time.sleep(0.01)
