"""A connection's DAG: everything of it but the tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param
from airflow.sdk.definitions.param import ParamsDict

from dag_factory.access import access_control
from dag_factory.description import doc_md, summary
from dag_factory.flows import inbound_tasks, outbound_tasks
from dag_factory.schedule import start_of, timetable_of
from data_connections.settings import Settings
from data_connections.spec import ConnectionSpec, InboundConnection


def build_dag(spec: ConnectionSpec, revision: int, settings: Settings) -> DAG:
    """Return the DAG of one revision; the same arguments always give the same DAG.

    Args:
        spec: The connection.
        revision: Number of the revision that ``spec`` is; its runs are pinned to it.
        settings: Gives the address of Airflow's screen for links.
    """
    with DAG(
        dag_id=spec.name,
        dag_display_name=spec.title,
        description=summary(spec),
        doc_md=doc_md(spec, revision, settings.airflow_url),
        schedule=timetable_of(spec),
        start_date=start_of(spec),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=sorted({spec.program, spec.data_type, spec.direction, spec.method}),
        access_control=access_control(spec),
        params=_params(spec),
        default_args=_default_args(spec),
    ) as dag:
        if isinstance(spec, InboundConnection):
            inbound_tasks(spec, revision)
        else:
            outbound_tasks(spec, revision)
    return dag


def _params(spec: ConnectionSpec) -> ParamsDict | None:
    if isinstance(spec, InboundConnection):
        return None
    return ParamsDict(
        {
            "business_date": Param(
                None,
                type=["null", "string"],
                format="date",
                title="Business date",
                description=(
                    "Day that the report covers, such as 2026-10-05; left empty: the run's interval, else the last "
                    "complete day."
                ),
            )
        }
    )


def _default_args(spec: ConnectionSpec) -> dict[str, Any]:
    return {
        "owner": spec.owner or "connections",
        "retries": 4,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(minutes=10),
    }
