# Connections with its Airflow: the locked packages, a user without rights, nothing else.
FROM python:3.12-slim

RUN useradd --create-home --uid 50000 connections
WORKDIR /opt/connections
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes --requirement requirements.txt
COPY dags dags
COPY include include
COPY plugins plugins
RUN printf '#!/bin/sh\nexec python -m command_line.main "$@"\n' > /usr/local/bin/connections \
    && chmod 755 /usr/local/bin/connections \
    && install --directory --owner connections /var/lib/connections

ENV PYTHONPATH=/opt/connections/plugins \
    CONNECTIONS_HOME=/var/lib/connections \
    AIRFLOW_HOME=/var/lib/connections/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/connections/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/connections/plugins \
    GX_ANALYTICS_ENABLED=False
USER connections
