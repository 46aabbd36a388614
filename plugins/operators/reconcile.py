"""Maintenance: the ledger's record of runs corrected from Airflow, and what dead attempts left behind."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import BaseOperator

from hooks.landing import LandingHook
from hooks.ledger import LedgerHook
from hooks.log_lines import about_connection, about_submission
from operators.airflow_runs import find_airflow_run
from operators.notices import tell_of_run

if TYPE_CHECKING:
    from airflow.sdk import Context

    from data_connections.steps.backfill import Conduct
    from data_connections.steps.reconcile import OpenRun

QUIET = timedelta(minutes=10)
"""How long a run has to be in progress before Airflow is asked about it."""


class ReconcileRuns(BaseOperator):
    """Ends the ledger's record of runs that Airflow ended without their last task, such as after a kill."""

    def execute(self, context: Context) -> int:
        """Return how many runs were corrected."""
        from data_connections.catalog import revision
        from data_connections.steps import reconcile

        ledger = LedgerHook().get_conn()
        corrected = 0
        for run in reconcile.open_runs(ledger, QUIET):
            if self._count(context, run, ["queued", "running"]):
                continue
            failed = not self._count(context, run, ["success"])
            tells_people = self._conduct(run).alerts
            with about_connection(run.connection, run.id):
                reconcile.end_run(ledger, run, failed=failed)
                self.log.warning("%s: the run %s was still open in the ledger.", run.connection, run.dag_run_id)
                if tells_people:
                    alerts = revision(ledger, run.connection, run.revision).spec.alerts
                    tell_of_run(run.connection, run.dag_run_id, alerts, context)
            corrected += 1
        return corrected

    @staticmethod
    def _conduct(run: OpenRun) -> Conduct:
        from data_connections.steps.backfill import Conduct

        known = find_airflow_run(run.connection, run.dag_run_id)
        return Conduct.of_run(known.run_type, known.conf) if known else Conduct.of_run(run.type_by_id, None)

    @staticmethod
    def _count(context: Context, run: OpenRun, states: list[str]) -> int:
        """Return 1 where Airflow has the run in one of these states; a run that was deleted there is in none."""
        return int(context["ti"].get_dr_count(dag_id=run.connection, run_ids=[run.dag_run_id], states=states))


class DropAbandonedStaging(BaseOperator):
    """Drops staged rows of submissions that are final, left by attempts that died."""

    def execute(self, context: Context) -> int:
        """Return how many submissions were cleaned up after."""
        from data_connections.steps import reconcile

        return reconcile.drop_abandoned_staging(LedgerHook().get_conn())


class FinishSubmissions(BaseOperator):
    """Goes on with submissions whose command died, such as a `connections submit` that was killed."""

    def execute(self, context: Context) -> dict[str, str]:
        """Return the state of each that was gone on with, by its id."""
        from data_connections.steps import manual

        ledger, landing = LedgerHook().get_conn(), LandingHook().get_conn()
        states = {}
        for submission, state in manual.finish_abandoned(ledger, landing):
            with about_submission(submission):
                self.log.warning("Submission %d was left by a command that died; now it is %s.", submission, state)
            states[str(submission)] = state
        return states
