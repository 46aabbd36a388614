"""Other runs of Airflow, asked for from inside a task by the messages of the Task SDK."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol


def start_run(dag_id: str, run_id: str, conf: dict[str, Any]) -> str:
    """Start a run and return its id; one that was started under this id before is left as it is.

    TriggerDagRunOperator asks for the run by an exception that marks its own task as done, so a task that starts a
    run and then fails has to send the same message itself.

    Raises:
        RuntimeError: Airflow refused, such as for a DAG with import errors.
    """
    from airflow.sdk.exceptions import ErrorType
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import ErrorResponse, TriggerDagRun

    answer = task_runner.SUPERVISOR_COMMS.send(TriggerDagRun(dag_id=dag_id, run_id=run_id, conf=conf))
    if isinstance(answer, ErrorResponse) and answer.error != ErrorType.DAGRUN_ALREADY_EXISTS:
        raise RuntimeError(f"Airflow did not start the run {run_id} of {dag_id}: {answer.detail}")
    return run_id


def find_airflow_run(dag_id: str, run_id: str) -> DagRunProtocol | None:
    """Return a run as Airflow has it; None where it was deleted there.

    Raises:
        AirflowRuntimeError: Airflow does not answer.
    """
    from airflow.sdk.api.client import ServerResponseError
    from airflow.sdk.exceptions import AirflowRuntimeError
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import DagRunResult, GetDagRun

    try:
        answer = task_runner.SUPERVISOR_COMMS.send(GetDagRun(dag_id=dag_id, run_id=run_id))
    except AirflowRuntimeError as refused:
        if (refused.error.detail or {}).get("status_code") != HTTPStatus.NOT_FOUND:
            raise
        return None
    except ServerResponseError as refused:  # from `dag.test`, whose supervisor hands the answer on as it is
        if refused.response.status_code != HTTPStatus.NOT_FOUND:
            raise
        return None
    return answer if isinstance(answer, DagRunResult) else None
