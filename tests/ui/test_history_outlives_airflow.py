"""History on the screen, in the API and on the command line, after Airflow has cleaned up its own records of runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, apply_to, changed
from hooks.airflow_records import clean_airflow
from operators.cleaning import CleanAirflow

pytestmark = pytest.mark.airflow
NAME, OLD, NEW = "outlives-airflow", "scheduled__old", "scheduled__new"
DAYS_AGO = {OLD: 120, NEW: 2}


@pytest.fixture
def both_know(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Runs of a connection that the ledger and Airflow know: one of long ago, one of the day before yesterday."""
    from airflow.configuration import conf
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    apply_to(ledger, changed(INBOUND, name=NAME))
    now = datetime.now(UTC)
    with ledger.connect() as connection, create_session() as session:
        if session.get(DagBundleModel, "history") is None:
            session.add(DagBundleModel(name="history"))
            session.flush()
        session.merge(DagModel(dag_id=NAME, bundle_name="history"))
        session.flush()
        for run_id, days in DAYS_AGO.items():
            at = now - timedelta(days=days)
            connection.execute(
                """insert into connection_run (connection_id, revision, dag_run_id, state, files, rows, accepted,
                                               started_at, finished_at)
                   select id, 1, %s, 'completed', 1, 10, 10, %s, %s from connection""",
                [run_id, at, at],
            )
            session.add(
                DagRun(
                    dag_id=NAME,
                    run_id=run_id,
                    logical_date=at,
                    run_after=at,
                    start_date=at,
                    run_type=DagRunType.SCHEDULED,
                    state="success",
                    triggered_by=DagRunTriggeredByType.TIMETABLE,
                )
            )
    monkeypatch.setenv("CONNECTIONS_AIRFLOW_DATABASE_URL", conf.get("database", "sql_alchemy_conn"))
    return ledger


def in_airflow() -> list[str]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return sorted(session.scalars(select(DagRun.run_id).where(DagRun.dag_id == NAME)))


@pytest.fixture
def its_tasks(both_know: Ledger) -> None:
    """Tasks of both runs: of the new one several failed."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import insert

    now = datetime.now(UTC)
    tasks = [
        (NEW, "fetch", 0, "success"),
        (NEW, "fetch", 1, "failed"),
        (NEW, "acknowledge", 1, "failed"),
        (NEW, "wrap_up", -1, "failed"),
        (OLD, "fetch", 0, "success"),
        (OLD, "wrap_up", -1, "success"),
    ]
    with create_session() as session:
        for minute, (run_id, task_id, index, state) in enumerate(tasks):
            begun = now + timedelta(minutes=minute)
            given = {"run_id": run_id, "task_id": task_id, "map_index": index, "state": state, "start_date": begun}
            session.execute(insert(TaskInstance).values(dag_id=NAME, pool="x", pool_slots=1, **given))


def test_the_history_leads_to_logs_and_keeps_runs_that_airflow_forgot(
    client, both_know, its_tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    from command_line.main import app

    assert in_airflow() == [NEW, OLD]
    page = client("viewer").get(f"connections/{NAME}/history").text
    assert set(re.findall(r'data-airflow="([^"]*/tasks/[^"]*)"', page)) == {
        f"/dags/{NAME}/runs/{run}/tasks/{place}" for run, place in ((NEW, "fetch/mapped/1"), (OLD, "wrap_up"))
    }

    # As in a task, whose own variable leads nowhere.
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    assert CleanAirflow(task_id="clean_airflow").execute({}) >= 1

    assert in_airflow() == [NEW]
    page = client("viewer").get(f"connections/{NAME}/history").text
    told = client("viewer").get(f"api/v1/connections/{NAME}/runs").json()["items"]
    printed = CliRunner().invoke(app, ["history", NAME]).stdout
    for run_id in (OLD, NEW):
        assert run_id in page
        assert run_id in printed
        assert [(run["state"], run["accepted"]) for run in told if run["dag_run_id"] == run_id] == [("completed", 10)]


def test_nothing_is_cleaned_where_nobody_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    monkeypatch.delenv("CONNECTIONS_AIRFLOW_DATABASE_URL", raising=False)
    with pytest.raises(ConfigurationError, match="CONNECTIONS_AIRFLOW_DATABASE_URL"):
        clean_airflow(datetime.now(UTC))
    for days, words in (("0", "for ever"), ("30", "is not set")):
        monkeypatch.setenv("CONNECTIONS_KEEP_RUNS", days)
        with pytest.raises(AirflowSkipException, match=words):
            CleanAirflow(task_id="clean_airflow").execute({})
