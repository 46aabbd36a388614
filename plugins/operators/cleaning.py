"""Nightly cleaning: what is older than the settings say, and what dead processes left behind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from hooks.landing import LandingHook
from hooks.ledger import LedgerHook

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanUp(BaseOperator):
    """Deletes originals, sent files, history and journal whose time is over."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Return how many files, bytes and rows went."""
        from dataclasses import asdict

        from data_connections.settings import Keep
        from data_connections.steps.retention import clean_up

        keep = Keep.from_environment()
        return asdict(clean_up(LedgerHook().get_conn(), LandingHook().get_conn(), keep, datetime.now(UTC)))


class CleanAirflow(BaseOperator):
    """Deletes Airflow's old records of runs, tasks and events, by `airflow db clean`; our own history stays."""

    def execute(self, context: Context) -> int:
        """Return how many rows went."""
        from airflow.sdk.exceptions import AirflowSkipException

        from data_connections.settings import Keep, airflow_database
        from hooks.airflow_records import clean_airflow

        keep = Keep.from_environment().runs
        if keep is None:
            raise AirflowSkipException("CONNECTIONS_KEEP_RUNS is 0: Airflow's records are kept for ever.")
        if airflow_database() is None:
            raise AirflowSkipException("CONNECTIONS_AIRFLOW_DATABASE_URL is not set: Airflow's records are kept.")
        return clean_airflow(datetime.now(UTC) - keep)


class SweepLeftovers(BaseOperator):
    """Deletes what dead processes left in the landing area, and staged rows that belong to nothing."""

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many files and staging tables went."""
        from data_connections.steps.leftovers import sweep

        return sweep(LedgerHook().get_conn(), LandingHook().get_conn(), datetime.now(UTC))
