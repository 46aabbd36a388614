"""The task that waits for an inbound connection's files, without a worker, and takes some on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseSensorOperator
from airflow.triggers.base import StartTriggerArgs

from data_connections.errors import FatalEndpointError, RetriableEndpointError
from hooks.failures import FAILURE, task_failure
from hooks.ledger import LedgerHook
from hooks.log_lines import name_run
from triggers.files import ARRIVAL, FilesTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

_TURN = (
    "{{ (dag_run.conf or {}).get('turn') or "
    "(dag_run.data_interval_start.isoformat() if dag_run.run_type == 'backfill' else '') }}"
)
_DUE_AT = "{{ dag_run.run_after.isoformat() if dag_run.run_type == 'scheduled' else '' }}"


class WaitForFiles(BaseSensorOperator):
    """Waits until files have settled and are claimed, and returns those that this run takes, in batches."""

    template_fields = ("spec", "dag_run_id", "started_at", "due_at", "closes_at", "turn")
    template_fields_renderers = {"spec": "json"}  # noqa: RUF012 - Airflow's own way to say it
    start_from_trigger = True

    def __init__(self, *, connection: str, revision: int, spec: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connection = connection
        self.revision = revision
        self.spec = spec
        self.dag_run_id = "{{ run_id }}"
        self.started_at = "{{ (dag_run.start_date or dag_run.run_after).isoformat() }}"
        self.due_at = _DUE_AT
        self.closes_at = "{{ (dag_run.conf or {}).get('closes_at', '') }}"
        self.turn = _TURN
        self.start_trigger_args = StartTriggerArgs(
            trigger_cls=f"{FilesTrigger.__module__}.{FilesTrigger.__qualname__}",
            trigger_kwargs=self._trigger_arguments(),
            next_method="claim_files",
        )

    def _trigger_arguments(self) -> dict[str, Any]:
        names = ("connection", "revision", "dag_run_id", "started_at", "due_at", "closes_at", "turn")
        return {name: getattr(self, name) for name in names}

    def execute(self, context: Context) -> NoReturn:
        """Hand over to the triggerer, where Airflow did not start the task there already."""
        self.defer(trigger=FilesTrigger(**self._trigger_arguments()), method_name="claim_files")

    def claim_files(self, context: Context, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Take on ``files_per_run`` claimed files, and what an earlier run left behind; return them in batches.

        Raises:
            AirflowFailException: The wait ended early, and trying again does not help.
            TaskFailed: The host did not answer until the window ended.
        """
        from data_connections.steps import inbound, replay
        from data_connections.steps.backfill import Conduct
        from data_connections.steps.business_day import BusinessDays
        from data_connections.steps.mail_answers import reply_to_refused
        from data_connections.steps.pinned_run import find_run
        from hooks.mail_server import mail_server
        from sensors.batches import batches_of

        ti = context["ti"]
        if "error" in event:
            ti.xcom_push(key=FAILURE, value=event["error"])
            kind = FatalEndpointError if event["fatal"] else RetriableEndpointError
            raise task_failure(self.connection, kind(event["error"]))
        ledger = LedgerHook().get_conn()
        run = find_run(ledger, self.connection, self.revision, context["run_id"])
        name_run(run)
        if event.get("days"):
            conduct = Conduct.of_run(context["dag_run"].run_type, context["dag_run"].conf)
            replay.take_days_again(ledger, run, BusinessDays.from_json(event["days"]), all_of_them=conduct.again)
        for told in reply_to_refused(ledger, run, mail_server):
            self.log.info("%s was told that its mails are refused.", told)
        leased = inbound.lease(ledger, run)
        ti.xcom_push(key=ARRIVAL, value={**event, "files": leased.new, "more": event["more"] + leased.more})
        return batches_of(leased.submissions)
