"""What of an installation has stopped or runs full: gateway, locking, disk, staging, connections of the database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from data_connections.catalog import all_current
from data_connections.errors import Mistakes
from data_connections.ledger import Ledger, signs_of_life
from data_connections.ledger.database import LedgerConnection
from data_connections.settings import Alarms, Settings
from data_connections.spec import HostedFolder

GATEWAY_SILENT = timedelta(minutes=5)
LOCKING_SILENT = timedelta(hours=26)
"""Locking is daily; two hours are for a scheduler that was away."""
GIB = 1024**3


@dataclass(frozen=True)
class Alarm:
    """One thing that is watched.

    Attributes:
        kind: Names its incident.
        subject: What it is called when it is told.
        text: What is wrong and what to do; None where all is well.
        is_vital: Whether the heartbeat stops while it is wrong.
    """

    kind: str
    subject: str
    text: str | None
    is_vital: bool = False


def look(ledger: Ledger, settings: Settings, alarms: Alarms, now: datetime) -> list[Alarm]:
    """Return everything that is watched, with what is wrong of it.

    Raises:
        LedgerUnavailable: The ledger does not answer.
    """
    with ledger.connect() as connection:
        return [
            Alarm("gateway", "the gateway is silent", _gateway(ledger, connection, now), is_vital=True),
            Alarm("locking", "actions are not locked", _locking(connection, now), is_vital=True),
            Alarm("disk", "the disk runs full", _disk(settings, alarms)),
            Alarm("staging", "staged rows pile up", _staging(connection, alarms)),
            Alarm("database", "the ledger runs out of connections", _sessions(connection, alarms)),
        ]


def ill_services(health: Mapping[str, object]) -> list[str]:
    """Return the parts of Airflow that are not healthy.

    Args:
        health: What Airflow's page ``/api/v2/monitor/health`` says.
    """
    found = []
    for name in ("metadatabase", "scheduler", "dag_processor", "triggerer"):
        part = health.get(name)
        if not isinstance(part, Mapping) or part.get("status") != "healthy":
            found.append(name.replace("_", " "))
    return found


def _gateway(ledger: Ledger, connection: LedgerConnection, now: datetime) -> str | None:
    if not any(_is_hosted(ledger)):
        return None
    seen = signs_of_life.last_seen(connection, signs_of_life.GATEWAY, now)
    if now - seen <= GATEWAY_SILENT:
        return None
    return (
        f"The gateway was last at work at {_at(seen)}, so partners may not be able to log in. Start it with "
        "`connections gateway serve`; its log says why it ended."
    )


def _is_hosted(ledger: Ledger) -> Iterator[bool]:
    for stored in all_current(ledger):
        try:
            yield isinstance(stored.spec.details, HostedFolder) and not stored.spec.paused
        except Mistakes:
            continue


def _locking(connection: LedgerConnection, now: datetime) -> str | None:
    seen = signs_of_life.last_seen(connection, signs_of_life.LOCKING, now)
    if now - seen <= LOCKING_SILENT:
        return None
    return (
        f"Actions were last locked at {_at(seen)}; they are every day. See the task lock_actions of the DAG "
        "connections_daily, and whether that is paused."
    )


def _disk(settings: Settings, alarms: Alarms) -> str | None:
    folders = [settings.home] + ([Path(settings.landing_url)] if "://" not in settings.landing_url else [])
    for folder in folders:
        there = next(each for each in (folder, *folder.parents) if each.exists())
        usage = shutil.disk_usage(there)
        free = 100 * usage.free / usage.total
        if free < alarms.disk_free:
            return (
                f"{usage.free / GIB:.1f} GiB are free at {there}, {free:.0f} % (alarm below {alarms.disk_free:g} %). "
                "Originals lie in the landing area (`connections retention --dry-run`), logs in Airflow's home."
            )
    return None


def _staging(connection: LedgerConnection, alarms: Alarms) -> str | None:
    row = connection.execute(
        """
        select count(*) as tables, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint as size
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'staging' and c.relkind = 'r'
        """
    ).fetchone()
    if row is None or row["size"] <= alarms.staging * GIB:
        return None
    return (
        f"{row['tables']:,} tables with {row['size'] / GIB:.1f} GiB are staged (alarm above {alarms.staging:g} GiB). "
        "See `connections submissions --state validated` and `--state on_hold`: files that wait keep their rows staged."
    )


def _sessions(connection: LedgerConnection, alarms: Alarms) -> str | None:
    row = connection.execute(
        """
        select count(*) as used, current_setting('max_connections')::integer as most
        from pg_stat_activity where backend_type = 'client backend'
        """
    ).fetchone()
    if row is None or row["used"] * 100 <= alarms.sessions * row["most"]:
        return None
    return (
        f"{row['used']} of {row['most']} connections to the ledger's server are in use (alarm above "
        f"{alarms.sessions:g} %). Raise max_connections, or let fewer tasks run at once."
    )


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
