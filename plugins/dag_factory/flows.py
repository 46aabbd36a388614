"""The tasks of a connection's DAG, inbound and outbound."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import task_group

from dag_factory.alerts import tell_people
from dag_factory.assets import ledger_asset, place_asset
from dag_factory.pools import pool_of
from dag_factory.rendered_spec import RenderedSpec
from data_connections.spec import InboundConnection, OutboundConnection
from operators.inbound import Acknowledge, ApplyModifications, Fetch, Validate
from operators.outbound import CheckReport, Deliver, ExportReport
from operators.wrap_up import WrapUp
from sensors.files import WaitForFiles

FILE_NAMES = "{{ task.batch['names'] }}"
HOUR = timedelta(hours=1)


def inbound_tasks(spec: InboundConnection, revision: int) -> None:
    """Make wait_for_files -> [fetch -> validate -> apply_modifications -> acknowledge] -> wrap_up.

    The bracket is a mapped group, once per batch of files. What one file of a batch did to a task must not keep its
    siblings from the next: the tasks of a group run whatever became of the one before, and take from the ledger what
    is theirs to do.
    """
    pinned: dict[str, Any] = {"connection": spec.name, "revision": revision}
    at_host = {"pool": pool_of(spec)}
    files = WaitForFiles(task_id="wait_for_files", spec=RenderedSpec.of(spec), inlets=[place_asset(spec)], **pinned)

    @task_group(group_id="files", prefix_group_id=False)
    def process(batch: Any) -> None:
        first = {**pinned, "batch": batch, "map_index_template": FILE_NAMES, "execution_timeout": 6 * HOUR}
        later = {**first, "trigger_rule": "all_done"}
        (
            Fetch(task_id="fetch", **first, **at_host)
            >> Validate(task_id="validate", **later)
            >> ApplyModifications(task_id="apply_modifications", **later)
            >> Acknowledge(task_id="acknowledge", **later, **at_host)
        )

    process.expand(batch=files.output) >> WrapUp(
        task_id="wrap_up",
        trigger_rule="all_done",
        execution_timeout=HOUR,
        on_failure_callback=tell_people(spec),
        on_success_callback=tell_people(spec),
        inlets=[place_asset(spec)],
        outlets=[ledger_asset(spec)],
        **pinned,
    )


def outbound_tasks(spec: OutboundConnection, revision: int) -> None:
    """Make export_report -> check_report -> deliver."""
    shared: dict[str, Any] = {
        "connection": spec.name,
        "revision": revision,
        "execution_timeout": 6 * HOUR,
        "on_failure_callback": tell_people(spec),
    }
    export = ExportReport(task_id="export_report", spec=RenderedSpec.of(spec), inlets=[ledger_asset(spec)], **shared)
    check = CheckReport(task_id="check_report", delivery=export.output, **shared)
    deliver = Deliver(
        task_id="deliver",
        delivery=check.output,
        pool=pool_of(spec),
        on_success_callback=tell_people(spec),
        inlets=[ledger_asset(spec)],
        outlets=[place_asset(spec)],
        **shared,
    )
    export >> check >> deliver
