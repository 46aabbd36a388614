"""Upkeep of the ledger's actions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from hooks.ledger import LedgerHook
from hooks.log_lines import about_submission
from operators.notices import tell, tell_of_installation

if TYPE_CHECKING:
    from airflow.sdk import Context


class LockActions(BaseOperator):
    """Locks the actions whose locking date has come."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Return how many actions were locked, and how many wait, by program."""
        from data_connections.ledger import signs_of_life
        from data_connections.steps.locking import lock_due

        ledger = LedgerHook().get_conn()
        done = lock_due(ledger, datetime.now(UTC))
        with ledger.connect() as connection:
            signs_of_life.note(connection, signs_of_life.LOCKING)
        for each in done:
            self.log.info("%s: %d actions locked.", each.program, each.locked)
            if each.waiting:
                self.log.warning("%s: %d wait for submissions %s.", each.program, each.waiting, each.waits_for)
            if each.went_past:
                self.log.warning("%s: locked past submissions %s.", each.program, each.went_past)
        return {each.program: {"locked": each.locked, "waiting": each.waiting} for each in done}


class RetryHeldRows(BaseOperator):
    """Tries held rows again, and rejects those whose time is up."""

    def execute(self, context: Context) -> dict[str, int]:
        """Return what became of them, as rows by outcome."""
        from airflow.sdk.exceptions import AirflowFailException

        from data_connections.steps.held_rows import retry_held

        ledger = LedgerHook().get_conn()
        done = retry_held(ledger, datetime.now(UTC))
        for each in done:
            with about_submission(each.submission_id):
                self.log.info("Held rows of submission %d: %s", each.submission_id, each)
        problems = [f"{each.submission_id} ({each.problem})" for each in done if each.problem]
        left = f"The held rows of some submissions were left as they are: {'; '.join(problems)}" if problems else None
        tell_of_installation(ledger, "held_rows", "held rows do not add up", left, context)
        if left:
            raise AirflowFailException(left)
        return {
            name: sum(getattr(each, name) for each in done) for name in ("accepted", "rejected", "duplicate", "held")
        }


class SumUpMonths(BaseOperator):
    """Sums what moved of the actions since the last time, so that month statements answer at once."""

    def execute(self, context: Context) -> list[str]:
        """Return the programs that were summed."""
        from data_connections.steps.month_sums import sum_up_months

        return sum_up_months(LedgerHook().get_conn())


class ReconcileBooks(BaseOperator):
    """Checks the books of the whole ledger against themselves; a mismatch is told and fails the task."""

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many submissions and actions were looked at."""
        from airflow.sdk.exceptions import AirflowFailException

        from data_connections.steps.reconciliation import reconcile

        ledger = LedgerHook().get_conn()
        found = reconcile(ledger)
        for name, mismatch in found.mismatches.items():
            self.log.error("%d times not equal: %s. First: %s", mismatch["count"], name, mismatch["first"])
        wrong = None if found.good else f"The books do not agree: {', '.join(found.mismatches)}."
        tell_of_installation(ledger, "books", "the books do not agree", wrong, context)
        if wrong:
            raise AirflowFailException(wrong)
        return {"submissions": found.submissions, "actions": found.actions}


class FindEndings(BaseOperator):
    """Finds logins, certificates and PGP keys that end within a month, and tells those whose connections need them."""

    def execute(self, context: Context) -> list[str]:
        """Return what ends, as sentences."""
        from data_connections.catalog import all_current
        from data_connections.steps.endings import record_endings
        from hooks.endings import find_endings

        ledger, now = LedgerHook().get_conn(), datetime.now(UTC)
        connections = [stored for stored in all_current(ledger) if stored.refusal is None]
        found = find_endings(ledger, connections, now)
        for told in record_endings(ledger, found, connections, now):
            tell(ledger, told.notice, told.connection, told.alerts, context)
        for ending in found:
            self.log.warning("%s", ending.text)
        return [ending.text for ending in found]
