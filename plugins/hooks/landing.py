"""The landing area of originals: a local folder, or object storage with Airflow's credentials for it."""

from __future__ import annotations

from airflow.sdk import BaseHook

from data_connections.landing import Landing
from data_connections.settings import Settings


class LandingHook(BaseHook):
    """Opens the landing area at ``CONNECTIONS_LANDING_URL``.

    Object storage is opened through Airflow's ``ObjectStoragePath``, so ``s3://conn_id@bucket/folder`` takes its
    credentials from the Airflow connection ``conn_id``.
    """

    def get_conn(self) -> Landing:
        """Return the landing area."""
        url = Settings.from_environment().landing_url
        if "://" not in url:
            return Landing(url)
        from airflow.sdk import ObjectStoragePath

        return Landing(ObjectStoragePath(url))
