"""Mail to the people whom a spec names when a run of their connection fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from data_connections.spec import ConnectionSpec

if TYPE_CHECKING:
    from airflow.sdk import Context

SMTP = "smtp_default"
_log = logging.getLogger(__name__)


def failure_callback(spec: ConnectionSpec) -> Callable[[Context], None] | None:
    """Return what Airflow calls when a task failed for good; None where the spec names nobody."""
    if not spec.alerts.email:
        return None
    addresses = list(spec.alerts.email)

    def mail_failure(context: Context) -> None:
        """Send a mail, or log that there is no mail server to send it with."""
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier
        from airflow.sdk import Connection
        from airflow.sdk.exceptions import AirflowNotFoundException

        from data_connections.steps.backfill import Conduct

        if not Conduct.of_run(context["dag_run"].run_type, context["dag_run"].conf).alerts:
            return

        try:
            Connection.get(SMTP)
        except AirflowNotFoundException:
            _log.warning("No mail about this failure: there is no Airflow connection %r for the mail server.", SMTP)
            return
        lines = (spec.title, str(context.get("exception") or "The task's log says more."), context["ti"].log_url)
        SmtpNotifier(
            to=addresses,
            subject=f"Connection {spec.name}: run failed",
            html_content="".join(f"<p>{escape(line)}</p>" for line in lines),
        ).notify(context)

    return mail_failure
