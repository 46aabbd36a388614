"""What a killed scheduler leaves in the way of the next one: database sessions that its workers keep open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local_stack.fresh_scheduler import end_sessions, session_name

KILLED = """
import os, sys, psycopg
connection = psycopg.connect(sys.argv[1], application_name=sys.argv[2])
connection.execute("select * from busy for update")
worker = os.fork()
if worker:
    print(worker, flush=True)
sys.stdin.read()
"""
LOCK = "select * from busy for update nowait"


@pytest.fixture
def database(empty_database: str) -> str:
    with psycopg.connect(empty_database) as connection:
        connection.execute("create table busy as select 1 as number")
    return empty_database


@pytest.fixture
def name(database: str, tmp_path: Path) -> Iterator[str]:
    """A session whose process was killed while it held a lock, and whose worker lives on."""
    name = session_name(tmp_path)
    read_end, write_end = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, database, name], stdin=read_end, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        process.kill()
        process.wait()
        yield name
        os.kill(worker, signal.SIGKILL)
        os.close(read_end)
        os.close(write_end)


def test_the_locks_of_a_killed_scheduler_are_freed(database: str, name: str) -> None:
    with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.LockNotAvailable):
        connection.execute(LOCK)

    assert end_sessions(database.replace("postgresql://", "postgresql+psycopg2://"), name) == 1

    with psycopg.connect(database) as connection:
        assert connection.execute(LOCK).fetchall() == [(1,)]


def test_sessions_of_others_stay(database: str, name: str, tmp_path: Path) -> None:
    with psycopg.connect(database, application_name="somebody else") as other:
        assert end_sessions(database, session_name(tmp_path / "another stack")) == 0
        assert end_sessions(database, name) == 1
        assert other.execute("select 1").fetchone() == (1,)


def test_a_database_that_does_not_answer_is_left_to_the_scheduler(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_sessions(f"postgresql://nobody@/none?host={tmp_path}", "any") == 0
    assert "could not be looked for" in capsys.readouterr().out
