"""What Airflow asks about every task before it is queued: tasks of backfills give way to all others.

Airflow finds this module by its name, which is Airflow's own word for an installation's policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance

__all__ = ["task_instance_mutation_hook"]


def task_instance_mutation_hook(task_instance: TaskInstance, dag_run: DagRun | None = None) -> None:
    """Let the tasks of a backfill wait in a pool of their own."""
    if dag_run is not None and dag_run.run_type == "backfill":
        from dag_factory.pools import give_way

        give_way(task_instance, dag_run)
