"""Puts a run of every connection into Airflow's database, its sensor handed to the triggerer as the scheduler does it.

Usage: python -m bench.deferred_runs CREDENTIALS.json TRIGGER_CLASS
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from data_connections.settings import PROJECT
from hooks.login import Login

WAITS = "wait_for_files"


def main(credentials: Path, trigger: str) -> None:
    """Store credentials, parse the DAGs, make the runs, and defer their sensors to a trigger of this class."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    from airflow.models import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        for name, parts in json.loads(credentials.read_text()).items():
            row = Connection(conn_id=name)
            Login(**{key: tuple(value) if isinstance(value, list) else value for key, value in parts.items()}).put_into(
                row
            )
            session.add(row)
    DagBundlesManager().sync_bundles_to_db()
    folder = PROJECT / "dags"
    bag = BundleDagBag(dag_folder=folder / "connections.py", bundle_path=folder, bundle_name="dags-folder")
    sync_bag_to_db(bag, "dags-folder", None)
    for name in bag.dags:
        _defer(name, trigger)
    print(f"{len(bag.dags)} DAGs", flush=True)


def _defer(name: str, trigger: str) -> None:
    from airflow.models.dagbag import DBDagBag
    from airflow.models.trigger import Trigger
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    now = datetime.now(UTC)
    with create_session() as session:
        dag = DBDagBag().get_latest_version_of_dag(name, session=session)
        assert dag is not None
        run = dag.create_dagrun(
            run_id="bench",
            run_after=now,
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.RUNNING,
            start_date=now,
            session=session,
        )
        [waiting] = [each for each in run.get_task_instances(session=session) if each.task_id == WAITS]
        waiting.task = dag.get_task(WAITS)
        run.schedule_tis([waiting], session=session)
        session.flush()
        row = session.get(Trigger, waiting.trigger_id)
        assert row is not None
        row.classpath = trigger


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
