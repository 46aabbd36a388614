"""Telling people about troubles, by the channels that a spec names; a channel that fails never fails a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from html import escape
from smtplib import SMTPRecipientsRefused
from typing import TYPE_CHECKING

from data_connections.settings import Settings
from hooks.ledger import LedgerHook
from hooks.log_lines import about_connection

if TYPE_CHECKING:
    from airflow.sdk import Context

    from data_connections.ledger import Ledger
    from data_connections.spec.alerts import Alerts
    from data_connections.steps.notices import Notice

SMTP = "smtp_default"
SLACK_TIMEOUT = 15
_log = logging.getLogger(__name__)


def tell_of_run(name: str, dag_run_id: str, alerts: Alerts, context: Context) -> None:
    """Tell what there is to tell about a run that has ended, and record it.

    Args:
        name: The connection.
        dag_run_id: Airflow's id of the run.
        alerts: Whom to tell.
        context: Airflow's context of the task that calls.
    """
    from data_connections.errors import LedgerUnavailable
    from data_connections.steps import notices

    ledger, page = LedgerHook().get_conn(), f"{name}/runs/{dag_run_id}"
    with about_connection(name):
        try:
            found = notices.notices_of(ledger, name, dag_run_id)
        except LedgerUnavailable as lost:
            _tell(notices.without_ledger(name, lost), page, alerts, context)
            return
        for notice in found:
            tell(ledger, notice, page, alerts, context)


def tell(ledger: Ledger, notice: Notice, page: str, alerts: Alerts, context: Context) -> None:
    """Tell one thing by every channel, and record that it was told.

    Args:
        ledger: The ledger.
        notice: What is told.
        page: The page of Airflow that the notice leads to: a DAG, or one of its runs.
        alerts: Whom to tell.
        context: Airflow's context of the task that calls.
    """
    from data_connections.steps.notices import record_told

    troubles = _tell(notice, page, alerts, context)
    if troubles is not None:
        record_told(ledger, notice, troubles)


def tell_of_installation(ledger: Ledger, kind: str, subject: str, text: str | None, context: Context) -> None:
    """Tell of a trouble of the whole installation, or that it is over, to whom the settings name.

    Args:
        ledger: The ledger.
        kind: Which trouble.
        subject: It in a few words.
        text: What was found; None where all is well.
        context: Airflow's context of the task that calls.
    """
    from data_connections.spec.alerts import Alerts
    from data_connections.steps import installation_notices as notices

    alerts = Alerts.of_installation()
    now = datetime.now(UTC)
    notice = notices.over(ledger, kind) if text is None else notices.trouble(ledger, kind, subject, text, alerts, now)
    if notice is not None:
        tell(ledger, notice, getattr(context.get("ti"), "dag_id", "connections_daily"), alerts, context)


def _tell(notice: Notice, page: str, alerts: Alerts, context: Context) -> list[str] | None:
    """Use every channel; return why those that failed did, None where there is no channel."""
    link = f"{Settings.from_environment().airflow_url}/dags/{page}"
    channels = list(_channels(alerts, notice, link, context))
    return [text for channel in channels if (text := _trouble(*channel))] if channels else None


def _channels(
    alerts: Alerts, notice: Notice, link: str, context: Context
) -> Iterator[tuple[str, Callable[[], object]]]:
    for address in alerts.email:
        yield f"e-mail to {address}", partial(_mail, address, notice, link, context)
    if (slack := alerts.slack) is not None:
        yield f"Slack ({slack})", lambda: _slack(slack, notice, link, context)
    if (apprise := alerts.apprise) is not None:
        yield f"Apprise ({apprise})", lambda: _apprise(apprise, notice, link)


def _trouble(channel: str, send: Callable[[], object]) -> str | None:
    """Use a channel; return why it could not tell, without its address, which may hold a secret."""
    try:
        send()
    except Exception as error:  # whatever a channel does, the run goes on, and the incident shows it
        _log.warning("The alert could not be sent by %s: %s", channel, type(error).__name__)
        return f"{channel}: {_said(error)}"
    return None


def _said(error: Exception) -> str:
    """Return what kind of error it is; of an address that the mail server refused, its code and words too."""
    if isinstance(error, SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        return f"refused, {code} {words.decode(errors='replace').splitlines()[0][:120]}".replace(";", ",")
    return type(error).__name__


def _mail(to: str, notice: Notice, link: str, context: Context) -> None:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    SmtpNotifier(
        to=[to],
        subject=notice.subject,
        html_content="".join(f"<p>{escape(line)}</p>" for line in (*notice.lines, link)),
        smtp_conn_id=SMTP,
    ).notify(context)


def _slack(conn_id: str, notice: Notice, link: str, context: Context) -> None:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    text = _plain(f"*{notice.subject}*\n" + "\n".join((*notice.lines, link)))
    SlackWebhookNotifier(slack_webhook_conn_id=conn_id, text=text, timeout=SLACK_TIMEOUT).notify(context)


def _plain(text: str) -> str:
    """Return text in which Slack finds no links or mentions of a partner's making (its three escapes)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _apprise(conn_id: str, notice: Notice, link: str) -> None:
    """Use the hook's connection alone: its own ``notify`` drops the answer, and with it every failure."""
    from airflow.providers.apprise.hooks.apprise import AppriseHook
    from apprise import Apprise, NotifyType

    hook, services = AppriseHook(conn_id), Apprise()
    hook.set_config_from_conn(conn=hook.get_connection(conn_id), apprise_obj=services)
    kind = NotifyType.SUCCESS if notice.good else NotifyType.FAILURE
    if not services.notify(title=notice.subject, body="\n".join((*notice.lines, link)), notify_type=kind):
        raise ConnectionError
