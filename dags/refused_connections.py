"""One Airflow import error that lists every connection whose newest revision gave no dag."""

from __future__ import annotations

from dag_factory.generation import refuse_aloud

refuse_aloud()
