"""Whether the stack is ready: every service of Airflow says so itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from data_connections.errors import ConnectionsError

SERVICES = ("metadatabase", "scheduler", "triggerer", "dag_processor")
_LOOK_EVERY = 0.25


def unready_services(url: str, since: datetime) -> list[str]:
    """Return the services that are not healthy, or have not said so since ``since``.

    A heartbeat from before would be one of an earlier stack on the same database.

    Args:
        url: Address of the API server.
        since: When the stack was started, UTC.
    """
    try:
        answer = httpx.get(f"{url}/api/v2/monitor/health", timeout=5)
        health = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return ["api_server", *SERVICES]
    return [name for name in SERVICES if not _is_healthy(health.get(name) or {}, name, since)]


def wait_until_ready(
    url: str, since: datetime, *, patience: float, alive: Callable[[], bool], progress: Callable[[str], None]
) -> None:
    """Wait until every service is healthy.

    Args:
        url: Address of the API server.
        since: When the stack was started, UTC.
        patience: Seconds after which to give up.
        alive: Tells whether the supervisor still runs.
        progress: Told whenever something got ready.

    Raises:
        ConnectionsError: Not all of them got ready in time; the message names them.
    """
    end = time.monotonic() + patience
    missing = ["api_server", *SERVICES]
    while missing:
        if not alive():
            raise ConnectionsError("The supervisor has ended before Airflow was ready.")
        if time.monotonic() > end:
            raise ConnectionsError(f"Not ready after {patience:.0f} s: {', '.join(missing)}.")
        time.sleep(_LOOK_EVERY)
        left = unready_services(url, since)
        for name in missing:
            if name not in left:
                progress(f"{name.replace('_', ' ')} is ready")
        missing = left


def _is_healthy(service: dict[str, str | None], name: str, since: datetime) -> bool:
    if service.get("status") != "healthy":
        return False
    heartbeat = service.get(f"latest_{name}_heartbeat")
    return name == "metadatabase" or (heartbeat is not None and _moment(heartbeat) >= since)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
