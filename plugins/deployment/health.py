"""Whether a service of this container is well, in a tenth of a second: orchestrators ask again and again."""

from __future__ import annotations

import os
import socket
from urllib.request import urlopen

import psycopg

from data_connections.gateway.configuration import GatewayConfiguration
from data_connections.settings import Settings

_PATIENCE = 10
_JOBS = {"triggerer": "TriggererJob", "dag-processor": "DagProcessorJob", "scheduler": "SchedulerJob"}
_HEARTBEAT = """
select exists (select from job where job_type = %s and hostname = %s and state = 'running'
               and latest_heartbeat > now() - interval '90 seconds')
"""


def is_healthy(service: str) -> bool:
    """Ask a service: the API server by its page, the gateway by its greeting, the others by their last heartbeat."""
    if service == "api-server":
        return _answers(f"http://localhost:{os.environ.get('AIRFLOW__API__PORT', '8080')}/api/v2/monitor/health")
    if service == "gateway":
        return _greets(GatewayConfiguration.from_environment(Settings.from_environment()).sftp_port)
    return _has_heartbeat(_JOBS[service])


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310 - http to this container
            return bool(answer.status == 200)
    except OSError:
        return False


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("localhost", port), timeout=_PATIENCE) as door:
            return door.recv(4) == b"SSH-"
    except OSError:
        return False


def _has_heartbeat(job_type: str) -> bool:
    url = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "", 1)
    try:
        with psycopg.connect(url, connect_timeout=_PATIENCE) as connection:
            row = connection.execute(_HEARTBEAT, [job_type, socket.gethostname()]).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])
