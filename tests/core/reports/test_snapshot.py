"""A report reads one moment of the ledger, may write nothing, sees only its tables, and needs little memory."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from data_connections.errors import ConfigurationError, LedgerError
from data_connections.ledger import Ledger, migrate
from data_connections.reports import Layout, Parameters, load_reports
from data_connections.reports.library import load_report
from data_connections.reports.querying import control_totals, stream
from data_connections.reports.snapshot import ROLE, open_snapshot
from data_connections.settings import PROJECT
from fixtures.books import Sale, Shop, book

DAY = Parameters(date(2026, 6, 10), date(2026, 6, 10))
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
ACME = Shop(1000, "acme", "Acme", "UTC")
RANGE = "%(date_from)s::date <= %(date_to)s::date"


@pytest.mark.parametrize(
    "statement",
    [
        "insert into program (id, key, name, currency) values (1, 'x', 'x', 'EUR')",
        "update action set amount = 0",
        "delete from delivery",
        "create table loot (id int)",
        "create temporary table loot (id int)",
        "select * from connection",
        "select * from submission",
        "select * from delivery",
        "copy program to program 'cat'",
        "select pg_read_file('/etc/passwd')",
        "select nextval('action_id_seq')",
        "set transaction read write",
    ],
)
def test_a_report_may_only_read_its_tables(ledger: Ledger, statement: str) -> None:
    with (
        pytest.raises(
            (
                psycopg.errors.InsufficientPrivilege,
                psycopg.errors.ReadOnlySqlTransaction,
                psycopg.errors.ActiveSqlTransaction,
            )
        ),
        open_snapshot(ledger) as connection,
    ):
        connection.execute(statement.encode())


def test_without_the_role_a_report_still_cannot_write(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("data_connections.reports.snapshot.ROLE", "no_such_role")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), open_snapshot(ledger) as connection:
        connection.execute("update action set amount = 0")
    assert "no_such_role is missing" in caplog.text


@pytest.fixture
def plain_ledger(postgres: str, ledger_template: str, request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """The first ledger of a server, whose owner is an ordinary user with the right that the test asks for."""
    name = f"plain_{os.getpid()}_{secrets.token_hex(4)}"
    with psycopg.connect(postgres, autocommit=True) as administrator:

        def administer(statement: str) -> None:
            administrator.execute(statement.encode())

        administer(f"alter role {ROLE} rename to {name}_aside")
        administer(f"create role {name} login {request.param}")
        administer(f"create database {name} owner {name}")
        address = postgres.replace("@/postgres?", f"@/{name}?").replace("//postgres@", f"//{name}@")
        migrate(address)
        yield Ledger(address)
        administer(f"drop database {name} with (force)")
        administer(f"drop role if exists {ROLE}")
        administer(f"drop role {name}")
        administer(f"alter role {name}_aside rename to {ROLE}")


@pytest.mark.parametrize(
    ("plain_ledger", "role"), [("createrole", True), ("nocreaterole", False)], indirect=["plain_ledger"]
)
def test_a_ledger_of_an_ordinary_user_has_reports(plain_ledger: Ledger, role: bool) -> None:
    book(plain_ledger, [Sale(ACME, NOON, Decimal(10))])
    with open_snapshot(plain_ledger) as connection:
        row = connection.execute("select current_user as role").fetchone()
        report = load_reports(PROJECT / "include")["performance_by_day"]
        rows = list(stream(connection, report, DAY))
    assert (row is not None and row["role"] == ROLE) is role
    assert len(rows) == 1


def test_a_report_that_writes_is_refused_with_its_file(ledger: Ledger, tmp_path: Path) -> None:
    definition = "title: t\ndate_basis: event\ncolumns: [{name: n, type: integer}]\n"
    (tmp_path / "bad.yaml").write_text(definition)
    (tmp_path / "bad.check.sql").write_text(f"select 0 as rows where {RANGE}")
    (tmp_path / "bad.sql").write_text(f"select nextval(pg_get_serial_sequence('submission', 'id')) as n where {RANGE}")
    with pytest.raises(ConfigurationError, match=r"bad\.sql"), open_snapshot(ledger) as connection:
        list(stream(connection, load_report(tmp_path / "bad.yaml"), DAY))


def test_the_check_sees_the_same_moment_as_the_report(ledger: Ledger) -> None:
    report = load_reports(PROJECT / "include")["performance_by_day"]
    book(ledger, [Sale(ACME, NOON, Decimal(10))])
    with open_snapshot(ledger) as snapshot:
        control = control_totals(snapshot, Layout.of(report), DAY).stored()
        book(ledger, [Sale(ACME, NOON, Decimal(5))], first_order=2)
        rows = list(stream(snapshot, report, DAY))
    assert control["EUR"]["GrossRevenue"] == "10"
    assert rows[0][7] == Decimal(10)


def test_a_query_that_takes_too_long_is_stopped(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "slow.yaml").write_text("title: t\ndate_basis: event\ncolumns: [{name: n}]\n")
    (tmp_path / "slow.check.sql").write_text(f"select 0 as rows where {RANGE}")
    (tmp_path / "slow.sql").write_text(f"select pg_sleep(30)::text as n where {RANGE}")
    with pytest.raises(LedgerError, match="ask for fewer days"), open_snapshot(ledger, timeout=1) as connection:
        list(stream(connection, load_report(tmp_path / "slow.yaml"), DAY))


MEASURE = """
import resource, sys
from datetime import date
from pathlib import Path
from data_connections.ledger import Ledger, migrate
from data_connections.reports import Layout, Parameters, write_checked
from data_connections.reports.library import load_report
day = date(2026, 6, 10)
with open(sys.argv[3], "wb+") as target:
    layout = Layout.of(load_report(Path(sys.argv[2])))
    counted = write_checked(Ledger(sys.argv[1]), layout, Parameters(day, day), target)
print(counted.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_report(ledger: Ledger, tmp_path: Path) -> None:
    used = {rows: peak(ledger, tmp_path, rows) for rows in (20_000, 400_000)}
    assert used[400_000] - used[20_000] < 24 * 1024, f"kilobytes: {used}"


def peak(ledger: Ledger, folder: Path, rows: int) -> int:
    """Peak memory in kB of a process that writes and checks a report of so many rows of 100 bytes."""
    columns = "columns: [{name: n, type: integer}, {name: filler}]\ncheck: {totals: [n]}\n"
    (folder / "long.yaml").write_text(f"title: t\ndate_basis: event\n{columns}")
    numbers = f"from generate_series(1, {rows}) as n where {RANGE}"
    (folder / "long.sql").write_text(f"select n, repeat('=', 100) as filler {numbers}")
    (folder / "long.check.sql").write_text(f"select count(*) as rows, sum(n) as n {numbers}")
    command = [sys.executable, "-c", MEASURE, ledger.url, str(folder / "long.yaml"), str(folder / "long.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    counted, kilobytes = map(int, done.stdout.split())
    assert counted == rows
    return kilobytes
