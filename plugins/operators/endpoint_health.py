"""The daily look at partners' servers: whether each lets us in, and has the folders that runs need."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from hooks.ledger import LedgerHook
from hooks.log_lines import about_connection
from operators.notices import tell

if TYPE_CHECKING:
    from airflow.sdk import Context

KEPT = timedelta(days=3)
"""A connection that was not looked at for this long is looked at no more."""


class LookAtEndpoints(BaseOperator):
    """Looks at the endpoints of connections at one server, within its pool; what is broken is recorded and told.

    Args:
        connections: Names of the connections; those that are paused or gone by now are left out.
    """

    template_fields: Sequence[str] = ("connections",)

    def __init__(self, *, connections: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connections = list(connections)

    def execute(self, context: Context) -> dict[str, list[str]]:
        """Return the names of connections whose endpoint ``works``, and of those where it is ``broken``."""
        from data_connections.catalog import all_current
        from data_connections.steps.endpoint_health import record_looks
        from data_connections.steps.standstill import outside_maintenance
        from hooks.endpoint_look import look_at
        from hooks.failures import TaskFailed

        ledger = LedgerHook().get_conn()
        known = {stored.name: stored for stored in all_current(ledger) if stored.name in self.connections}
        specs = [stored.spec for stored in outside_maintenance(ledger, known.values()) if not stored.spec.paused]
        looks = [(known[spec.name], look) for spec, look in look_at(specs)]
        passing = [look.message for _, look in looks if look.may_pass]
        if passing and _is_tried_again(context):
            raise TaskFailed(f"It is looked again later: {passing[0]}")
        for told in record_looks(ledger, looks, datetime.now(UTC)):
            with about_connection(told.connection):
                tell(ledger, told.notice, told.connection, told.alerts, context)
        for stored, look in looks:
            with about_connection(stored.name):
                self.log.info("%s: %s", stored.name, look.message)
        return {
            "works": [stored.name for stored, look in looks if look.works],
            "broken": [stored.name for stored, look in looks if not look.works],
        }


class ForgetLooks(BaseOperator):
    """Forgets what was found of connections that are looked at no more."""

    def execute(self, context: Context) -> int:
        """Return how many."""
        from data_connections.steps.endpoint_health import forget_looks

        return forget_looks(LedgerHook().get_conn(), datetime.now(UTC) - KEPT)


def _is_tried_again(context: Context) -> bool:
    """Whether Airflow tries this task again if it fails."""
    ti = context.get("ti")
    return ti is not None and ti.try_number <= ti.max_tries
