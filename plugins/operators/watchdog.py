"""Watching the installation itself, and the heartbeat by which others watch the watcher."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from airflow.sdk import BaseOperator

from hooks.ledger import LedgerHook
from operators.notices import tell_of_installation
from triggers.proof import ProofTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

TIMEOUT = 10
PROVEN_WITHIN = timedelta(minutes=3)


class WatchInstallation(BaseOperator):
    """Tells people when gateway or locking stop, or disk, staging or the database's connections run out."""

    def execute(self, context: Context) -> dict[str, str]:
        """Return what is wrong, by kind."""
        from data_connections.settings import Alarms, Settings
        from data_connections.steps.watchdog import look

        ledger = LedgerHook().get_conn()
        found = look(ledger, Settings.from_environment(), Alarms.from_environment(), datetime.now(UTC))
        for alarm in found:
            tell_of_installation(ledger, alarm.kind, alarm.subject, alarm.text, context)
        wrong = {alarm.kind: alarm.text for alarm in found if alarm.text}
        for text in wrong.values():
            self.log.warning("%s", text)
        return wrong


class Heartbeat(BaseOperator):
    """Calls the heartbeat's address while every part works, so that whoever waits for the call misses it else.

    The scheduler has started the task, and the triggerer has to bring it back; Airflow's health page answers for the
    DAG processor, the ledger for gateway and locking.
    """

    def execute(self, context: Context) -> NoReturn:
        """Go through the triggerer.

        Raises:
            AirflowSkipException: No address is set.
        """
        from airflow.sdk.exceptions import AirflowSkipException

        from data_connections.settings import Alarms

        if Alarms.from_environment().heartbeat_url is None:
            raise AirflowSkipException("CONNECTIONS_HEARTBEAT_URL is not set: nobody waits for a heartbeat.")
        self.defer(trigger=ProofTrigger(), method_name="beat", timeout=PROVEN_WITHIN)

    def beat(self, context: Context, event: Any) -> str:
        """Call the address; return the host that was called.

        Raises:
            AirflowFailException: Something does not work, so that nobody was called.
        """
        from airflow.sdk.exceptions import AirflowFailException

        from data_connections.settings import Alarms, Settings
        from data_connections.steps.watchdog import look

        ledger, settings, alarms = LedgerHook().get_conn(), Settings.from_environment(), Alarms.from_environment()
        wrong = [each.text for each in look(ledger, settings, alarms, datetime.now(UTC)) if each.is_vital and each.text]
        if ill := _ill_services(settings.airflow_url):
            wrong.append(f"Not healthy: {', '.join(ill)}.")
        if wrong:
            raise AirflowFailException(f"No heartbeat: {' '.join(wrong)}")
        host = urlsplit(str(alarms.heartbeat_url)).hostname or ""
        trouble = _call(str(alarms.heartbeat_url))
        told = f"{host}: {trouble}. Whoever waits for the heartbeat was not told that all is well." if trouble else None
        tell_of_installation(ledger, "heartbeat", "the heartbeat could not be sent", told, context)
        if told:
            raise AirflowFailException(told)
        return host


def _ill_services(airflow_url: str) -> list[str]:
    import httpx

    from data_connections.steps.watchdog import ill_services

    try:
        answer = httpx.get(f"{airflow_url}/api/v2/monitor/health", timeout=TIMEOUT, trust_env=False)
        return ill_services(answer.raise_for_status().json())
    except (httpx.HTTPError, ValueError) as lost:
        return [f"the API server ({type(lost).__name__})"]


def _call(url: str) -> str | None:
    """Call an address; return why that failed, without the address, which may hold a secret."""
    import httpx

    try:
        httpx.get(url, timeout=TIMEOUT, follow_redirects=True).raise_for_status()
    except httpx.HTTPStatusError as refused:
        return f"it answered {refused.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as lost:
        return f"it could not be called ({type(lost).__name__})"
    return None
