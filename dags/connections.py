"""The Airflow DAGs of all connections, one dag for each: `connections list` names them."""

from __future__ import annotations

from dag_factory.generation import generate_dags

globals().update(generate_dags())
