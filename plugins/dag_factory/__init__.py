"""From a connection's spec to its Airflow DAG."""
