"""The Airflow dag that looks once a day whether partners' servers let us in."""

from __future__ import annotations

from dag_factory.endpoint_health import endpoint_dag

connections_endpoints = endpoint_dag()
