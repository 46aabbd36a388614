"""Airflow's services: which of them run, and what does not happen while one of them does not."""

from __future__ import annotations

from airflow.api.common.airflow_health import get_airflow_health

_MISSED = {
    "scheduler": "Airflow's scheduler does not run: no run starts or goes on until it does.",
    "dag_processor": "Airflow's DAG processor does not run: what is created or changed here waits for it.",
    "triggerer": "Airflow's triggerer does not run: nobody looks for files until it does.",
}


def service_states() -> dict[str, str]:
    """Return the state of each of Airflow's services: healthy, unhealthy, or not running."""
    told = get_airflow_health()
    return {name: str((told.get(name) or {}).get("status") or "not running") for name in ("metadatabase", *_MISSED)}


def missing_services() -> list[str]:
    """Return a sentence for each service that does not run."""
    states = service_states()
    return [sentence for name, sentence in _MISSED.items() if states[name] != "healthy"]
