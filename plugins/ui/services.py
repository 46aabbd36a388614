"""The services: which of them run, and what does not happen while one of them does not."""

from __future__ import annotations

from airflow.api.common.airflow_health import get_airflow_health

from data_connections.queries.services import our_services
from ui.books import open_ledger

_MISSED = {
    "scheduler": "Airflow's scheduler does not run: no run starts or goes on until it does.",
    "dag_processor": "Airflow's DAG processor does not run: what is created or changed here waits for it.",
    "triggerer": "Airflow's triggerer does not run: nobody looks for files until it does.",
}

_NO_GATEWAY = "The gateway does not run: partners cannot reach the folders that we host until it does."


def service_states() -> dict[str, str]:
    """Return the state of each of Airflow's services: healthy, unhealthy, or not running."""
    told = get_airflow_health()
    return {name: str((told.get(name) or {}).get("status") or "not running") for name in ("metadatabase", *_MISSED)}


def missing_services() -> list[str]:
    """Return a sentence for each service that does not run, ours too."""
    states = service_states()
    away = [sentence for name, sentence in _MISSED.items() if states[name] != "healthy"]
    with open_ledger().connect() as connection:
        ours = our_services(connection)
    return [*away, *([_NO_GATEWAY] if ours["gateway"] == "not running" else [])]
