"""Thin Airflow tasks, each calling one function of the core."""
