"""What Airflow calls when the last word about a run is spoken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from data_connections.spec import ConnectionSpec

if TYPE_CHECKING:
    from airflow.sdk import Context

Callback = Callable[["Context"], None]


def tell_people(spec: ConnectionSpec) -> Callback:
    """Return the callback of the tasks after which a run has ended, well or badly."""
    name, alerts = spec.name, spec.alerts

    def tell(context: Context) -> None:
        """Tell people, unless the run is one of a backfill that tells nobody."""
        from data_connections.steps.backfill import Conduct
        from operators.notices import tell_of_run

        run = context["dag_run"]
        if Conduct.of_run(run.run_type, run.conf).alerts:
            tell_of_run(name, run.run_id, alerts, context)

    return tell
