"""Watching what is expected by a time of day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.sdk import BaseOperator

from hooks.ledger import LedgerHook
from hooks.log_lines import about_connection
from operators.notices import tell

if TYPE_CHECKING:
    from airflow.sdk import Context


class WatchExpectedFiles(BaseOperator):
    """Looks whether expected files came and reports went out, and tells people about what is not there."""

    def execute(self, context: Context) -> list[str]:
        """Return what was told, as lines."""
        from data_connections.steps.expected_files import watch

        ledger = LedgerHook().get_conn()
        found = watch(ledger, datetime.now(UTC))
        for each in found:
            with about_connection(each.connection):
                tell(ledger, each.notice, each.connection, each.alerts, context)
                self.log.info("%s: %s", each.notice.subject, " ".join(each.notice.lines))
        return [each.notice.subject for each in found]
