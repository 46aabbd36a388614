"""The tasks of an outbound connection."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowSkipException

from data_connections.errors import StandsStill
from data_connections.settings import Settings
from data_connections.steps.backfill import Conduct
from data_connections.steps.missed_turns import MADE_UP, missed_days
from hooks.endpoint import EndpointHook
from hooks.failures import is_last_try, task_failure, words_of
from hooks.landing import LandingHook
from hooks.log_lines import name_delivery
from hooks.mail_server import mail_server
from hooks.pgp import keyring
from operators.airflow_runs import start_run
from operators.connection_task import ConnectionTask
from operators.metrics import count_outbound

if TYPE_CHECKING:
    from airflow.sdk import Context

    from data_connections.reports import Reports
    from data_connections.steps.pinned_run import PinnedRun


class OutboundTask(ConnectionTask):
    """A task of an outbound run; when it fails for good, the run in the ledger is Failed with its sentence."""

    ends_run: ClassVar[bool] = False
    """Whether the run is over once it is done."""

    def work(self, context: Context) -> dict[str, Any]:
        """Return the delivery as it now is (``Delivery.as_json``)."""
        from data_connections.steps import outbound

        run = self.run_of(context)
        try:
            delivery = self.step(run, context)
        except StandsStill:
            raise
        except AirflowSkipException:
            self._make_up(run, context)
            raise
        except Exception as error:
            if is_last_try(context, error):
                outbound.fail_run(self.ledger(), run.id, words_of(error))
                self._make_up(run, context)
            raise task_failure(self.connection, error) from error
        if delivery["delivery_id"] is not None:
            name_delivery(delivery["delivery_id"])
        self.log.info("Delivery %s", delivery)
        if self.ends_run:
            self._make_up(run, context)
        return delivery

    def _make_up(self, run: PinnedRun, context: Context) -> None:
        """Start a run for each day whose turn passed while this run waited; those of a backfill hold nothing up."""
        dag_run = context["dag_run"]
        if dag_run.run_type == "backfill":
            return
        since = dag_run.start_date or dag_run.run_after
        for day in missed_days(self.ledger(), run, since, datetime.now(UTC)):
            conf = {"business_date": day.isoformat(), MADE_UP: True}
            started = start_run(self.connection, f"{MADE_UP}__{day}", conf)
            self.log.info("The turn of %s passed while this run waited: the run %s makes up for it.", day, started)

    @abstractmethod
    def step(self, run: PinnedRun, context: Context) -> dict[str, Any]:
        """Do this task's part, and return the delivery."""

    def reports(self) -> Reports:
        """Return the reports of this installation."""
        from data_connections.reports import load_reports

        return load_reports(Settings.from_environment().include)


class ExportReport(OutboundTask):
    """Makes the report of the run's business days and keeps its bytes."""

    template_fields = ("spec",)
    rests = ("window",)
    template_fields_renderers = {"spec": "json"}  # noqa: RUF012 - Airflow's own way to say it

    def __init__(self, *, spec: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec

    def step(self, run: PinnedRun, context: Context) -> dict[str, Any]:
        """Export the report.

        Raises:
            AirflowSkipException: Nobody asked for these days: they lie before ``active_from``.
        """
        from data_connections.steps import held_deliveries, outbound

        if (waiting := (context["dag_run"].conf or {}).get(held_deliveries.SEND)) is not None:
            return held_deliveries.take_up(self.ledger(), run, int(waiting))
        asked = context["params"].get("business_date")
        made_up = MADE_UP in (context["dag_run"].conf or {})
        delivery = outbound.export_report(
            self.ledger(),
            LandingHook().get_conn(),
            self.reports(),
            run,
            business_date=date.fromisoformat(asked) if asked else None,
            interval_start=context["dag_run"].data_interval_start,
            scheduled=made_up or context["dag_run"].run_type == "scheduled",
            made_up=made_up,
        )
        if delivery["delivery_id"] is None:
            raise AirflowSkipException(delivery["message"])
        return delivery


class DeliveryTask(OutboundTask):
    """A task that goes on with a delivery.

    Args:
        delivery: What the task before returned.
    """

    template_fields = ("delivery",)

    def __init__(self, *, delivery: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.delivery = delivery

    def work(self, context: Context) -> dict[str, Any]:
        """Return the delivery as it now is; each line of the log names it."""
        name_delivery(self.delivery["delivery_id"])
        return super().work(context)


class CheckReport(DeliveryTask):
    """Compares the kept bytes with the ledger: rows and totals."""

    def step(self, run: PinnedRun, context: Context) -> dict[str, Any]:
        """Check the delivery; where the connection says so, encrypt and sign it."""
        from data_connections.steps import outbound

        delivery_id = self.delivery["delivery_id"]
        landing = LandingHook().get_conn()
        return outbound.check_report(self.ledger(), landing, self.reports(), delivery_id, keys=keyring)


class Deliver(DeliveryTask):
    """Sends the kept bytes to the receiver, whole under their final name; or holds them for somebody to approve."""

    rests = ("halt", "window")
    ends_run = True

    def step(self, run: PinnedRun, context: Context) -> dict[str, Any]:
        """Send the delivery, unless it is there already."""
        from data_connections.steps import held_deliveries, outbound

        dag_run = context["dag_run"]
        if Conduct.of_run(dag_run.run_type, dag_run.conf).hold:
            return self._not_sent(held_deliveries.hold(self.ledger(), self.delivery["delivery_id"]))
        endpoint = EndpointHook(run.spec)
        delivered = outbound.deliver(
            self.ledger(),
            LandingHook().get_conn(),
            endpoint.get_conn,
            self.delivery["delivery_id"],
            open_server=mail_server,
        )
        if delivered["state"] == "tested":
            return self._not_sent(delivered)
        count_outbound(delivered, {"connection": self.connection, "program": run.spec.program})
        return delivered

    def _not_sent(self, delivery: dict[str, Any]) -> dict[str, Any]:
        self.outlets = []  # nothing stands at the receiver
        return delivery
