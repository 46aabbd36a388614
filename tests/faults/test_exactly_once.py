"""Whatever is killed, lost, repeated or tampered with: every accepted row is in the ledger once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from data_connections.applying import library
from data_connections.errors import LedgerUnavailable, OutOfTurn, TotalsMismatch
from data_connections.landing.area import OriginalDamaged
from data_connections.ledger import Ledger, migrate
from data_connections.postgres import EmbeddedPostgres
from data_connections.steps import inbound, manual
from fixtures.apart import Apart, take_steps
from fixtures.desk import PROGRAMS, RECEIVED, Desk, table
from fixtures.lost_replies import LostReplies
from fixtures.oracle import Expected, assert_ledger_holds, made_up_file

PATIENCE = 240


def kept(desk: Desk, text: str) -> int:
    """Return a submission whose original is kept, and of which nothing else was done."""
    path = desk.file(text)
    return manual.take(desk.ledger, desk.landing, "orders", path, who="tester", received_at=RECEIVED)


def start(desk: Desk, submission: int, *steps: str) -> Apart:
    """Start a process that does some steps of a submission."""
    return Apart(take_steps, desk.ledger.url, str(desk.folder.parent / "landing"), submission, *steps)


def wait_until(desk: Desk, query: str, process: Apart) -> None:
    """Wait until a query finds a row."""
    end = time.monotonic() + PATIENCE
    with psycopg.connect(desk.ledger.url, autocommit=True) as connection:
        while time.monotonic() < end:
            if connection.execute(query.encode()).fetchone():
                return
            if process.exit_code is not None:
                pytest.fail(f"the process ended early: {process.said()}")
            time.sleep(0.02)
    pytest.fail(f"never seen: {query}")


BLOCKED = """
select 1 from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and wait_event_type = 'Lock'
"""
COPYING = """
select 1 from pg_stat_activity where datname = current_database() and query ilike 'copy %' and state = 'active'
"""


@contextmanager
def locked(desk: Desk, statement: str) -> Iterator[None]:
    """Hold a lock, so that whoever needs the same waits at that place."""
    with psycopg.connect(desk.ledger.url) as connection:
        connection.execute(statement.encode())
        yield
        connection.rollback()


def end_all_sessions(desk: Desk) -> None:
    """Wait until the server has noticed that its clients are gone."""
    with psycopg.connect(desk.ledger.url, autocommit=True) as connection:
        for _ in range(PATIENCE * 20):
            row = connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            ).fetchone()
            if row == (0,):
                return
            time.sleep(0.05)
    pytest.fail("sessions of killed processes are still there")


def finish_and_compare(desk: Desk, submission: int, *expected: Expected) -> None:
    done = manual.finish(desk.ledger, desk.landing, submission)
    assert done["state"] in ("applied", "partly_applied"), done
    last = expected[-1].outcomes
    assert (done["accepted"], done["rejected"]) == (last["accepted"], last["rejected"])
    assert_ledger_holds(desk.ledger, *expected)


@pytest.mark.parametrize("table_name", ["action", "action_item", "outcome", "submission_total"])
def test_killed_while_it_applies(desk: Desk, table_name: str) -> None:
    text, expected = made_up_file(300, seed=1)
    submission = kept(desk, text)
    inbound.validate(desk.ledger, submission, desk.landing)

    with locked(desk, f"lock table {table_name} in share row exclusive mode"):
        process = start(desk, submission, "apply")
        wait_until(desk, BLOCKED, process)
        process.kill()
    end_all_sessions(desk)

    assert desk.actions() == []
    assert inbound.result_of(desk.ledger, submission)["state"] == "validated"
    finish_and_compare(desk, submission, expected)


@pytest.mark.parametrize("at", ["begin", "copy", "seal"])
def test_killed_while_it_validates(desk: Desk, at: str) -> None:
    text, expected = made_up_file(60_000 if at != "begin" else 300, seed=2)
    submission = kept(desk, text)
    row = f"select from submission where id = {submission} for update"

    if at == "begin":
        with locked(desk, row):
            process = start(desk, submission, "validate")
            wait_until(desk, BLOCKED, process)
            process.kill()
    else:
        process = start(desk, submission, "validate")
        wait_until(desk, COPYING, process)
        if at == "seal":
            process.signal(signal.SIGSTOP)  # it must not come to the seal before the lock is there
            with locked(desk, row):
                process.signal(signal.SIGCONT)
                wait_until(desk, BLOCKED, process)
                process.kill()
        process.kill()
    end_all_sessions(desk)

    assert inbound.result_of(desk.ledger, submission)["state"] == "fetched"
    finish_and_compare(desk, submission, expected)


@pytest.mark.parametrize("commit", range(1, 7))
def test_the_answer_to_a_commit_is_lost(desk: Desk, lost_replies: type[LostReplies], commit: int) -> None:
    text, expected = made_up_file(100, seed=3)
    submission = kept(desk, text)
    proxy = lost_replies(commit)
    ledger = Ledger(proxy.url)

    for step in (inbound.validate, inbound.apply):
        try:
            step(ledger, submission, desk.landing)
        except LedgerUnavailable:
            step(ledger, submission, desk.landing)

    assert proxy.lost == 1, f"the steps make only {proxy.commits} commits"
    end_all_sessions(desk)
    finish_and_compare(desk, submission, expected)


def test_four_processes_at_once(desk: Desk) -> None:
    text, expected = made_up_file(500, seed=4)
    submission = kept(desk, text)

    with locked(desk, f"select from submission where id = {submission} for update"):
        processes = [start(desk, submission, "validate", "apply") for _ in range(4)]
        wait_until(desk, f"{BLOCKED} offset 3", processes[0])
    results = [process.told(PATIENCE) for process in processes]

    assert [process.exit_code for process in processes] == [0] * 4, results
    assert {output.split()[-1] for output, _ in results} == {"partly_applied"}
    finish_and_compare(desk, submission, expected)


def test_a_process_that_was_frozen_while_another_did_its_work(desk: Desk) -> None:
    text, expected = made_up_file(60_000, seed=5)
    submission = kept(desk, text)
    zombie = start(desk, submission, "validate", "apply")
    wait_until(desk, COPYING, zombie)
    zombie.signal(signal.SIGSTOP)

    done = manual.finish(desk.ledger, desk.landing, submission)
    zombie.signal(signal.SIGCONT)
    output, errors = zombie.told(PATIENCE)

    assert zombie.exit_code == 0, errors
    assert output.split() == [done["state"]] * 2
    finish_and_compare(desk, submission, expected)


@pytest.mark.parametrize(
    "damage",
    [
        "truncate staging.rows_{0}",
        "drop table staging.rows_{0}",
        "drop table staging.findings_{0}",
        "truncate staging.findings_{0}",
        "delete from staging.rows_{0} where line = (select min(line) from staging.rows_{0} where outcome = 0)",
        "insert into staging.rows_{0} select * from staging.rows_{0} where outcome = 0 limit 1",
        "update staging.rows_{0} set order_id = 'forged' where line = (select max(line) from staging.rows_{0})",
        "update staging.rows_{0} set measured_amount = measured_amount + 1 where outcome = 0",
        "update staging.rows_{0} set outcome = 0 where outcome = 1",
    ],
)
def test_staged_rows_that_are_not_the_sealed_ones_are_staged_again(desk: Desk, damage: str) -> None:
    text, expected = made_up_file(200, seed=6)
    submission = kept(desk, text)
    inbound.validate(desk.ledger, submission, desk.landing)
    with desk.ledger.connect() as connection:
        row = connection.execute("select attempt from submission where id = %s", [submission]).fetchone()
        assert row is not None
        connection.execute(damage.format(row["attempt"]).encode())

    finish_and_compare(desk, submission, expected)


def test_a_file_on_hold_whose_staging_was_lost_waits_all_the_same(desk: Desk) -> None:
    from data_connections.steps import approval

    text, expected = made_up_file(50, seed=7)
    desk.connect(limits={"hold_if": {"rows_over": 10}})
    submission = kept(desk, text)
    assert inbound.validate(desk.ledger, submission, desk.landing)["state"] == "on_hold"
    with desk.ledger.connect() as connection:
        row = connection.execute("select attempt from submission where id = %s", [submission]).fetchone()
        assert row is not None
        connection.execute(f"truncate staging.rows_{row['attempt']}".encode())

    assert inbound.apply(desk.ledger, submission, desk.landing)["state"] == "on_hold"
    approval.approve(desk.ledger, submission, "the boss")
    finish_and_compare(desk, submission, expected)


def test_the_server_is_killed_between_validate_and_apply(home: Path, desk: Desk) -> None:
    server = EmbeddedPostgres(home / "postgres").ensure_running()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("create database books")
    url = server.url("books")
    migrate(url)
    own = Desk(Ledger(url), desk.landing, desk.folder)
    with own.ledger.connect() as connection:
        connection.execute(PROGRAMS.encode())
    own.connect()
    text, expected = made_up_file(300, seed=8)
    submission = kept(own, text)
    inbound.validate(own.ledger, submission, own.landing)

    running = server.status()
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    while server.status() is not None:
        time.sleep(0.01)
    with pytest.raises(LedgerUnavailable):
        inbound.apply(own.ledger, submission, own.landing)
    server.ensure_running()

    finish_and_compare(own, submission, expected)


def test_a_session_that_is_ended_by_the_server_is_tried_again(desk: Desk) -> None:
    text, expected = made_up_file(300, seed=9)
    submission = kept(desk, text)
    inbound.validate(desk.ledger, submission, desk.landing)

    with locked(desk, "lock table action in share row exclusive mode"):
        process = start(desk, submission, "apply")
        wait_until(desk, BLOCKED, process)
        with psycopg.connect(desk.ledger.url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            )
        _, errors = process.told(PATIENCE)

    assert process.exit_code != 0
    assert "LedgerUnavailable" in errors
    finish_and_compare(desk, submission, expected)


def test_two_files_with_the_same_orders_at_the_same_time(desk: Desk) -> None:
    text, expected = made_up_file(400, seed=10)
    first, second = kept(desk, text), kept(desk, text + "\n")
    for submission in (first, second):
        inbound.validate(desk.ledger, submission, desk.landing)

    with locked(desk, "lock table action in share row exclusive mode"):
        processes = [start(desk, submission, "apply") for submission in (first, second)]
        wait_until(desk, f"{BLOCKED} offset 1", processes[0])
    for process in processes:
        _, errors = process.told(PATIENCE)
        assert process.exit_code == 0, errors

    results = [inbound.result_of(desk.ledger, submission) for submission in (first, second)]
    assert sorted(result["accepted"] for result in results) == [0, expected.outcomes["accepted"]]
    assert sorted(result["duplicate"] for result in results) == [0, expected.outcomes["accepted"]]
    assert_ledger_holds(desk.ledger, expected)


def test_many_files_in_any_order_with_repetitions(desk: Desk) -> None:
    files = [made_up_file(80, seed=20 + number, prefix=f"F{number}-") for number in range(4)]
    for number in (0, 1, 0, 2, 1, 3, 3, 0):
        desk.submit(files[number][0], name=f"{number}.csv")

    assert_ledger_holds(desk.ledger, *(expected for _, expected in files))


def test_an_order_of_a_rejected_line_is_not_half_applied_when_it_is_repeated(desk: Desk) -> None:
    header = "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount,Category,Sku,Quantity"
    rows = [f"1000,2001,2026-02-11T10:00:00Z,A,EUR,{amount},Shoes,s{number},1" for number, amount in enumerate("1x3")]
    done = desk.submit(table(header, *rows))

    assert (done["accepted"], done["rejected"], desk.actions()) == (0, 3, [])


def test_two_submissions_of_the_same_bytes_at_the_same_time(desk: Desk) -> None:
    text, _ = made_up_file(40, seed=30)
    text = "\n".join(line for line in text.splitlines() if "oops" not in line and ",999," not in line) + "\n"
    first, second = kept(desk, text), kept(desk, text)
    for submission in (first, second):
        inbound.validate(desk.ledger, submission, desk.landing)

    with locked(desk, "lock table action in share row exclusive mode"):
        processes = [start(desk, submission, "apply") for submission in (first, second)]
        wait_until(desk, f"{BLOCKED} offset 1", processes[0])
    for process in processes:
        _, errors = process.told(PATIENCE)
        assert process.exit_code == 0, errors

    states = [inbound.result_of(desk.ledger, submission)["state"] for submission in (first, second)]
    assert sorted(states) == ["applied", "duplicate"]
    assert len(desk.actions()) == len({line.split(",")[3] for line in text.splitlines()[1:]})


@pytest.mark.parametrize(
    ("table_name", "change"),
    [
        ("action", "new.amount = new.amount + 0.01; return new;"),
        ("action", "if new.line % 7 = 0 then return null; end if; return new;"),
        ("action", "new.currency = 'CHF'; return new;"),
        ("action_item", "new.quantity = new.quantity + 1; return new;"),
        ("action_item", "new.amount = new.amount - 0.01; return new;"),
    ],
)
def test_nothing_is_applied_when_what_was_written_does_not_add_up(desk: Desk, table_name: str, change: str) -> None:
    text, expected = made_up_file(100, seed=31)
    submission = kept(desk, text)
    inbound.validate(desk.ledger, submission, desk.landing)
    with desk.ledger.connect() as connection:
        body = f"create function spoil() returns trigger language plpgsql as $$ begin {change} end $$"
        connection.execute(body.encode())
        connection.execute(
            f"create trigger spoil before insert on {table_name} for each row execute function spoil()".encode()
        )

    with pytest.raises(TotalsMismatch):
        inbound.apply(desk.ledger, submission, desk.landing)

    assert (desk.actions(), inbound.result_of(desk.ledger, submission)["state"]) == ([], "validated")
    with desk.ledger.connect() as connection:
        connection.execute(b"drop function spoil cascade")
    finish_and_compare(desk, submission, expected)


def test_a_damaged_original_is_never_applied(desk: Desk) -> None:
    text, _ = made_up_file(50, seed=32)
    submission = kept(desk, text)
    with desk.ledger.connect() as connection:
        row = connection.execute("select landing_key from submission where id = %s", [submission]).fetchone()
    assert row is not None
    original = desk.folder.parent / "landing" / row["landing_key"]
    original.write_bytes(original.read_bytes().replace(b"EUR", b"USD"))

    with pytest.raises(OriginalDamaged):
        inbound.validate(desk.ledger, submission, desk.landing)

    assert inbound.result_of(desk.ledger, submission)["state"] == "fetched"


def test_files_of_a_data_type_with_an_order_wait_for_those_before(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversions need no order, so the setting is turned on for them here."""
    monkeypatch.setattr(library, "RULES", {"conversions": replace(library.RULES["conversions"], strict_order=True)})
    (early, expected), (late, expected_late) = made_up_file(20, 33, "E"), made_up_file(20, 34, "L")
    first, second = kept(desk, early), kept(desk, late)
    inbound.validate(desk.ledger, second, desk.landing)

    with pytest.raises(OutOfTurn, match=f"submission {first}"):
        inbound.apply(desk.ledger, second, desk.landing)

    manual.finish(desk.ledger, desk.landing, first)
    finish_and_compare(desk, second, expected, expected_late)
