"""The daily tasks, executed as Airflow executes them, on a ledger with something to do for each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowFailException

from data_connections.settings import PROJECT
from fixtures.desk import Desk, table
from operators.upkeep import LockActions, ReconcileBooks, RetryHeldRows
from operators.watching import WatchExpectedFiles

ORDERS = "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount"
CHANGES = "ActionTrackerId,OrderId,Amount,Reason"


@pytest.fixture
def shop(desk: Desk, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("CONNECTIONS_DATABASE_URL", ledger_url)
    with desk.ledger.connect() as connection:
        connection.execute("update event_type set locking_after = 'event', locking_days = 10 where id = 2001")
    desk.connect("changes", data_type="action_modifications")
    desk.submit(table(CHANGES, "2001,LOST,1.00,OTHER"), "changes.csv", "changes")
    desk.submit(table(ORDERS, "1000,2001,2026-02-20T10:00:00Z,A,EUR,10.00"))
    with desk.ledger.connect() as connection:
        connection.execute("update held_row set held_until = now()")
    return desk


def test_each_task_does_its_part_and_says_how_much(shop: Desk) -> None:
    retried = RetryHeldRows(task_id="retry_held_rows").execute({})
    locked = LockActions(task_id="lock_actions").execute({})
    reconciled = ReconcileBooks(task_id="reconcile_books").execute({})

    assert retried == {"accepted": 0, "rejected": 1, "duplicate": 0, "held": 0}
    assert locked == {"acme": {"locked": 1, "waiting": 0}}
    assert reconciled == {"submissions": 2, "actions": 1}


def test_books_that_do_not_agree_fail_the_task(shop: Desk) -> None:
    with shop.ledger.connect() as connection:
        connection.execute("delete from held_row")

    with pytest.raises(AirflowFailException, match="held rows"):
        ReconcileBooks(task_id="reconcile_books").execute({})


def test_held_rows_that_do_not_add_up_fail_the_task_after_the_others_were_tried(shop: Desk) -> None:
    with shop.ledger.connect() as connection:
        connection.execute(b'update held_row set staged = staged || \'{"measured_amount": 99, "order_id": "A"}\'')

    with pytest.raises(AirflowFailException, match="left as they are"):
        RetryHeldRows(task_id="retry_held_rows").execute({})


@pytest.mark.airflow
@pytest.mark.usefixtures("airflow_database")
def test_the_daily_dag_does_all_of_it(shop: Desk) -> None:
    daily = DagBag(dag_folder=PROJECT / "dags", bundle_name="dags-folder").dags["connections_daily"]
    run = daily.test(logical_date=datetime(2026, 3, 20, tzinfo=UTC))

    done = ("retry_held_rows", "lock_actions", "reconcile_books", "clean_up", "sweep_leftovers", "find_endings")
    states = dict.fromkeys(done, "success") | {"clean_airflow": "skipped"}  # nobody said where its database is
    assert {ti.task_id: str(ti.state) for ti in run.get_task_instances()} == states
    assert shop.ledger.one("select state, locked_by from action") == {"state": "APPROVED", "locked_by": "date"}
    assert shop.ledger.one("select count(*) as held from held_row") == {"held": 0}


@pytest.mark.airflow
@pytest.mark.usefixtures("airflow_database")
def test_the_maintenance_dag_watches_what_is_expected(shop: Desk) -> None:
    in_half_a_day = datetime.now(UTC) + timedelta(hours=12)
    shop.connect(expects=[{"by": f"{in_half_a_day:%H:%M}", "warn_before": "P1D"}])
    maintenance = DagBag(dag_folder=PROJECT / "dags", bundle_name="dags-folder").dags["connections_maintenance"]
    run = maintenance.test(logical_date=datetime(2026, 3, 20, tzinfo=UTC))

    assert {str(ti.state) for ti in run.get_task_instances()} == {"success"}
    assert shop.ledger.all("select split_part(kind, ': ', 1) as kind, told_at from incident") == [
        {"kind": "due_soon", "told_at": None}  # nobody is named who could be told
    ]


def test_a_day_is_expected_at_its_time_when_the_clocks_change(shop: Desk) -> None:
    shop.connect(expects=[{"by": "15:00", "time_zone": "Europe/Berlin", "on": ["sunday"]}])
    watcher = WatchExpectedFiles(task_id="watch_expected_files")
    for day, due in (("2026-03-29", 13), ("2026-10-25", 14)):
        with time_machine.travel(datetime.fromisoformat(f"{day}T00:00:00+00:00")):
            watcher.execute({})
        told = []
        for hour, minute in ((due - 1, 29), (due - 1, 30), (due, 0)):
            with time_machine.travel(datetime.fromisoformat(f"{day}T{hour:02}:{minute:02}:30+00:00")):
                told.append(watcher.execute({}))
        assert told == [[], ["Connection orders: not there yet"], ["Connection orders: late"]]
