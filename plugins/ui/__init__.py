"""The Connections screen: pages and a REST API inside Airflow's API server."""
