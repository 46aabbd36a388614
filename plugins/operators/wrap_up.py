"""The last task of an inbound run: its state in the ledger, and the run that goes on looking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.exceptions import AirflowFailException

from hooks.failures import FAILURE
from operators.airflow_runs import start_run
from operators.connection_task import ConnectionTask
from operators.metrics import count_inbound
from triggers.files import ARRIVAL

if TYPE_CHECKING:
    from airflow.sdk import Context

    from data_connections.spec import InboundConnection

STEPS = ["wait_for_files", "fetch", "validate", "apply_modifications", "acknowledge"]


class WrapUp(ConnectionTask):
    """Writes the run's state and counts, starts the follow-up run, and fails if the run did."""

    def work(self, context: Context) -> dict[str, Any]:
        """Return the run as the ledger now has it.

        Raises:
            AirflowFailException: The run's state is Failed (table of states in the documentation).
        """
        from data_connections.ledger import runs

        run = self.run_of(context)
        spec = cast("InboundConnection", run.spec)
        arrival: Mapping[str, Any] = context["ti"].xcom_pull(task_ids="wait_for_files", key=ARRIVAL) or {}
        goes_on = wants_follow_up(spec, arrival, datetime.now(UTC))
        failure = self._failure(context)
        if failure is None and spec.arrival.required and not goes_on and not _had_files(context, arrival):
            closed = datetime.fromisoformat(arrival["closes_at"]).astimezone(UTC)
            failure = f"no file arrived until {closed:%Y-%m-%d %H:%M} UTC, and one is required"
        with self.ledger().connect() as connection:
            finished = runs.finish(connection, run.id, failure=failure)
        count_inbound(self.ledger(), run.id, {"connection": self.connection, "program": spec.program})
        if goes_on:
            self._follow_up(context, arrival)
        if finished["state"] == "failed":
            raise AirflowFailException(f"Connection {self.connection}: {finished['reason']}")
        if not finished["accepted"]:
            self.outlets = []  # who waits for the asset waits for rows, not for a quiet day
        return finished

    def _failure(self, context: Context) -> str | None:
        ti = context["ti"]
        left = [ti.xcom_pull(task_ids=step, key=FAILURE) for step in STEPS]
        sentences = [text for found in left for text in (found if isinstance(found, list) else [found]) if text]
        if sentences:
            return "; ".join(dict.fromkeys(sentences))
        if ti.xcom_pull(task_ids="wait_for_files", key=ARRIVAL) is None:
            return "the task wait_for_files did not end; its log says why"
        return None

    def _follow_up(self, context: Context, arrival: Mapping[str, Any]) -> None:
        conf = context["dag_run"].conf or {}
        first = conf.get("follows", context["run_id"])
        number = conf.get("number", 0) + 1
        started = start_run(
            self.connection,
            f"operator_triggered__{first}.{number}",
            {
                "follows": first,
                "number": number,
                "closes_at": arrival["closes_at"],
                "had_files": _had_files(context, arrival),
                **_of_backfill(context),
            },
        )
        self.log.info("The run %s goes on looking for files.", started)


def _of_backfill(context: Context) -> dict[str, Any]:
    """Return what a follow-up of a backfill's run has to know: its turn, and whom it speaks to."""
    from data_connections.steps.backfill import Conduct

    dag_run = context["dag_run"]
    turn = (dag_run.conf or {}).get("turn") or (
        dag_run.data_interval_start.isoformat() if dag_run.run_type == "backfill" else ""
    )
    return {"turn": turn, **Conduct.of_run(dag_run.run_type, dag_run.conf).as_conf()} if turn else {}


def _had_files(context: Context, arrival: Mapping[str, Any]) -> bool:
    """Whether files arrived in this window, in this run or those that it follows."""
    return bool(arrival.get("files")) or bool((context["dag_run"].conf or {}).get("had_files"))


def wants_follow_up(spec: InboundConnection, arrival: Mapping[str, Any], now: datetime) -> bool:
    """Whether another run is to look on, after a run that took files.

    Yes where settled files were left over, and while the window is open where new ones are expected or already
    seen: with ``until`` or ``continuous``, with a file that had not settled yet, or when this run only brought
    to an end what an earlier one had left.
    """
    if not (arrival.get("files") or arrival.get("left")):
        return False
    if arrival["more"]:
        return True
    stays_open = spec.arrival.until is not None or spec.arrival.mode == "continuous"
    expected = stays_open or arrival["waiting"] > 0 or not arrival["files"]
    return expected and now < datetime.fromisoformat(arrival["closes_at"])
