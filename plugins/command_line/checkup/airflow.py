"""Airflow: its database, its services, the DAGs of the connections and their pools."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from command_line.airflow_api import AirflowApi, AirflowUnavailable
from command_line.checkup.books import clock_finding
from command_line.checkup.finding import Finding, bad, good, warning

if TYPE_CHECKING:
    from data_connections.catalog import StoredSpec

_SERVICES = ("metadatabase", "scheduler", "dag_processor", "triggerer")
_OURS = ("connections_maintenance", "connections_daily", "connections_endpoints", "connections_watchdog")
_CHECK_SECONDS = 60


def metadata_schema() -> Iterator[Finding]:
    """Ask Airflow whether its database has the schema of this version; the environment is Airflow's by now."""
    command = [sys.executable, "-m", "airflow", "db", "check-migrations", "--migration-wait-timeout", "0"]
    environment = {**os.environ, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=_CHECK_SECONDS)
    except subprocess.TimeoutExpired:
        yield bad("Airflow's database", "It did not answer within a minute.", "See whether its server is alive.")
        return
    if done.returncode:
        advice = "`make up` migrates it; elsewhere run `airflow db migrate` before the services start."
        yield bad("Airflow's database", "It does not answer, or has the schema of another Airflow.", advice)
    else:
        yield good("Airflow's database", "It has the schema of this Airflow.")


class RunningAirflow:
    """What Airflow says about itself, over its API.

    Args:
        api: Its API.
        connections: The current revisions.
    """

    def __init__(self, api: AirflowApi, connections: list[StoredSpec]) -> None:
        self._api = api
        self._connections = connections

    def services(self) -> Iterator[Finding]:
        """Look at the services and the clock; needs no login."""
        import httpx

        before = datetime.now(UTC)
        try:
            answer = httpx.get(f"{self._api.url}/api/v2/monitor/health", timeout=10, trust_env=False).raise_for_status()
            health: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as lost:
            raise AirflowUnavailable(
                f"Airflow does not answer at {self._api.url} ({str(lost) or type(lost).__name__}), so no connection "
                "runs by its schedule. Start it with `make up`, or say where it is with CONNECTIONS_AIRFLOW_URL."
            ) from lost
        ill = [name for name in _SERVICES if (health.get(name) or {}).get("status") != "healthy"]
        if ill:
            words = ", ".join(name.replace("_", " ") for name in ill)
            yield bad("Airflow", f"Not healthy: {words}.", "Its log says why; `make up` starts what is missing anew.")
        else:
            yield good("Airflow", f"Every service of {self._api.url} is healthy.")
        if date := answer.headers.get("date"):
            # The header has whole seconds, cut off.
            yield clock_finding("Airflow", parsedate_to_datetime(date), before.replace(microsecond=0))

    def dags(self) -> Iterator[Finding]:
        """Compare the DAGs that there are with the connections, and look for files that give none."""
        errors = self._api.every("/importErrors", "import_errors")
        for error in errors:
            last = error["stack_trace"].strip().splitlines()[-1][:300]
            yield bad("DAGs", f"{error['filename']} is not imported: {last}", "Mend the specs that it names.")
        there = {dag["dag_id"]: dag for dag in self._api.every("/dags", "dags", exclude_stale=True)}
        wanted = [stored.name for stored in self._connections] + list(_OURS)
        absent = [name for name in wanted if name not in there]
        if absent:
            advice = "The DAG processor makes it within a minute after `connections apply`; is it healthy?"
            yield bad("DAGs", f"{_some(absent)}: no DAG in Airflow.", advice)
        elif not errors:
            yield good("DAGs", f"All {len(self._connections)} connections have their DAG.")
        paused = [name for name in wanted if name in there and there[name]["is_paused"]]
        if paused:
            yield warning("DAGs", f"Paused: {_some(paused)}.", "After a `drain`, `connections drain --end` ends it.")

    def pools(self) -> Iterator[Finding]:
        """Look for pools without slots, and pools that keep tasks waiting."""
        from dag_factory.pools import AIRFLOWS_OWN, PREFIXES

        pools = [
            each for each in self._api.every("/pools", "pools") if each["name"].startswith((*PREFIXES, AIRFLOWS_OWN))
        ]
        shut = [each["name"] for each in pools if each["slots"] == 0]
        if shut:
            yield bad("pools", f"{_some(shut)}: no slots, so its tasks wait for ever.", "Give it slots: Admin, Pools.")
        full = [each["name"] for each in pools if each["slots"] > 0 and each["open_slots"] <= 0 < each["queued_slots"]]
        if full:
            advice = "Give it more slots, if the partner takes more logins at once."
            yield warning("pools", f"{_some(full)}: all slots are in use, and tasks wait.", advice)
        if not shut and not full:
            yield good("pools", f"{len(pools)} pools, none of them full.")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
