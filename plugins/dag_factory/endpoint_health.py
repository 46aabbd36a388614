"""The DAG that looks at every endpoint once a day: a task for each server, in the pool of that server."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from airflow.sdk import DAG, get_parsing_context

from dag_factory.pools import pool_of
from dag_factory.upkeep import upkeep_dag
from data_connections.catalog import load_for_generation
from data_connections.errors import ConfigurationError
from data_connections.settings import Settings
from operators.endpoint_health import ForgetLooks, LookAtEndpoints

DAG_ID = "connections_endpoints"
_AGAIN = timedelta(minutes=5)


def endpoint_dag() -> DAG | None:
    """Return the DAG; None while a task of another is started.

    Raises:
        LedgerUnavailable: The ledger does not answer, and there is no snapshot of an earlier time.
    """
    if get_parsing_context().dag_id not in (None, DAG_ID):
        return None
    what = "Looks at each partner's server once a day: login, host key or certificate, folder."
    with upkeep_dag(DAG_ID, "40 4 * * *", what, __doc__, execution_timeout=timedelta(minutes=30)) as dag:
        forget = ForgetLooks(task_id="forget_looks", trigger_rule="all_done")
        for pool, names in _connections_by_pool().items():
            look = LookAtEndpoints(
                task_id=f"look_at.{pool}", connections=names, pool=pool, retries=2, retry_delay=_AGAIN
            )
            look >> forget
    return dag


def _connections_by_pool() -> dict[str, list[str]]:
    """Return the connections that are not paused, by the pool of their server; both sorted."""
    found: dict[str, list[str]] = defaultdict(list)
    for stored in load_for_generation(Settings.from_environment()):
        try:
            spec = stored.spec
        except ConfigurationError:
            continue  # `refused_connections.py` tells of it
        if not spec.paused:
            found[pool_of(spec)].append(stored.name)
    return {pool: sorted(found[pool]) for pool in sorted(found)}
