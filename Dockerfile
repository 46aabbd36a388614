# Connections with its Airflow: the locked packages, a user without rights, nothing else.
FROM python:3.12-slim AS packages
COPY requirements.txt .
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.txt

FROM python:3.12-slim
RUN useradd --create-home --uid 50000 connections
COPY --from=packages /opt/venv /opt/venv
WORKDIR /opt/connections
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/connections/plugins \
    PYTHONUNBUFFERED=1 \
    CONNECTIONS_HOME=/var/lib/connections \
    AIRFLOW_HOME=/var/lib/connections/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/connections/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/connections/plugins \
    GX_ANALYTICS_ENABLED=False
COPY requirements.txt requirements.txt
COPY dags dags
COPY docs docs
COPY include include
COPY plugins plugins
# Over 200 connections: --build-arg SHARDS=4
ARG SHARDS=1
RUN printf '#!/bin/sh\nexec python -m command_line.main "$@"\n' > /usr/local/bin/connections \
    && chmod 755 /usr/local/bin/connections \
    && connections shards "$SHARDS" \
    && python -m compileall -q plugins dags \
    && install --directory --owner connections --mode 700 /var/lib/connections
USER connections
