"""The Airflow dags that keep the ledger in order: what dead runs left behind, and each day actions and books."""

from __future__ import annotations

from datetime import timedelta

from dag_factory.upkeep import upkeep_dag
from operators.cleaning import CleanAirflow, CleanUp, SweepLeftovers
from operators.reconcile import DropAbandonedStaging, FinishSubmissions, ReconcileRuns
from operators.upkeep import FindEndings, LockActions, ReconcileBooks, RetryHeldRows, SumUpMonths
from operators.watchdog import Heartbeat, WatchInstallation
from operators.watching import WatchExpectedFiles

with upkeep_dag(
    "connections_maintenance",
    "*/10 * * * *",
    "Ends runs that died in Airflow, drops what dead attempts staged, sums months, watches files.",
    __doc__,
    retries=1,
    execution_timeout=timedelta(minutes=5),
):
    ReconcileRuns(task_id="reconcile_runs")
    DropAbandonedStaging(task_id="drop_abandoned_staging")
    FinishSubmissions(task_id="finish_submissions")
    SumUpMonths(task_id="sum_up_months")
    WatchExpectedFiles(task_id="watch_expected_files")

with upkeep_dag(
    "connections_daily",
    "10 3 * * *",
    "Held rows, locking, the books, what is old, what ends soon.",
    __doc__,
    retries=2,
    execution_timeout=timedelta(hours=1),
):
    (
        RetryHeldRows(task_id="retry_held_rows")
        >> LockActions(task_id="lock_actions")
        >> ReconcileBooks(task_id="reconcile_books", retries=0)
    )
    CleanUp(task_id="clean_up") >> SweepLeftovers(task_id="sweep_leftovers")
    CleanAirflow(task_id="clean_airflow")
    FindEndings(task_id="find_endings")

with upkeep_dag(
    "connections_watchdog",
    "*/5 * * * *",
    "Watches gateway, locking, disk, staging and database; calls the heartbeat while all works.",
    __doc__,
    execution_timeout=timedelta(minutes=2),
):
    WatchInstallation(task_id="watch_installation")
    Heartbeat(task_id="heartbeat")
