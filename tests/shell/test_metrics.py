"""Metrics of runs, as Airflow sends its own: by OpenTelemetry to a collector, and by StatsD."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from data_connections.steps.pinned_run import begin_run
from fixtures.desk import Desk, table

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount,CurrencyCode"
EMIT = """
import sys
from airflow.sdk.configuration import conf
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
from data_connections.ledger import Ledger
from operators.metrics import count_inbound, count_outbound

stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
tags = {"connection": "orders", "program": "acme"}
count_inbound(Ledger(sys.argv[1]), int(sys.argv[2]), tags)
count_outbound({"files": 2, "size": 100, "rows": 7, "state": "delivered"}, tags)
"""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """An OpenTelemetry collector: its address, and what came."""
    came: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", came
    server.shutdown()
    server.server_close()


@pytest.fixture
def done(desk: Desk) -> dict[str, Any]:
    """A submission of a run: two rows accepted, one a duplicate."""
    rows = [f"1000,2001,2026-02-20T10:00:00Z,{number},1.00,EUR" for number in ("A", "B", "A")]
    submitted = desk.submit(table(HEADER, *rows))
    row = desk.ledger.one("select revision from connection where name = 'orders'")
    assert row is not None
    run = begin_run(desk.ledger, "orders", row["revision"], "manual__1")
    with desk.ledger.connect() as connection:
        connection.execute("update submission set run_id = %s", [run.id])
    return {**submitted, "run_id": run.id}


def emit(desk: Desk, run_id: int, home: Path, **settings: str) -> None:
    """Count a run and a delivery in a process of its own, with Airflow's settings of metrics."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home / "airflow"),
        "PYTHONPATH": str(Path(__file__).parents[2] / "plugins"),
        **settings,
    }
    words = [sys.executable, "-c", EMIT, desk.ledger.url, str(run_id)]
    ran = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_files_rows_bytes_and_latency_reach_a_collector(
    desk: Desk, done: dict[str, Any], collector: tuple[str, list[bytes]], tmp_path: Path
) -> None:
    url, came = collector
    otel = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    emit(desk, done["run_id"], tmp_path, AIRFLOW__METRICS__OTEL_ON="True", **otel)

    counted: dict[tuple[str, ...], int] = {}
    latencies = []
    for body in came:
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                for point in metric.sum.data_points:
                    tags = {tag.key: tag.value.string_value for tag in point.attributes}
                    assert (tags["connection"], tags["program"]) == ("orders", "acme")
                    what = tags.get("outcome") or tags.get("state") or ""
                    # Every export says how much there was from the beginning.
                    counted[metric.name, tags["direction"], what] = int(point.as_int or point.as_double)
                latencies += [(point.count, point.sum) for point in metric.exponential_histogram.data_points]
    assert counted == {
        ("airflow.connections.files", "inbound", done["state"]): 1,
        ("airflow.connections.bytes", "inbound", ""): done["size"],
        ("airflow.connections.rows", "inbound", "accepted"): done["accepted"],
        ("airflow.connections.rows", "inbound", "duplicate"): done["duplicate"],
        ("airflow.connections.files", "outbound", "delivered"): 2,
        ("airflow.connections.bytes", "outbound", ""): 100,
        ("airflow.connections.rows", "outbound", "sent"): 7,
    }
    assert {count for count, _ in latencies} == {1}
    assert all(milliseconds > 0 for _, milliseconds in latencies)


def test_the_same_reach_a_statsd_server_with_their_tags(desk: Desk, done: dict[str, Any], tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        there = {
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(server.getsockname()[1]),
        }
        tagged = {"AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True"}
        emit(desk, done["run_id"], tmp_path, AIRFLOW__METRICS__STATSD_ON="True", **there, **tagged)
        server.setblocking(False)
        came = []
        try:
            while True:
                came += server.recv(65536).decode().splitlines()
        except BlockingIOError:
            pass
    ours = {line.partition(":")[0]: line.partition(":")[2] for line in came if "connections." in line}
    inbound, outbound = (f"connection=orders,program=acme,direction={way}" for way in ("inbound", "outbound"))
    times = [value for name, value in ours.items() if name.startswith("airflow.connections.latency,")]
    counts = {name: value for name, value in ours.items() if value.endswith("|c")}
    assert counts == {
        f"airflow.connections.files,{inbound},state={done['state']}": "1|c",
        f"airflow.connections.bytes,{inbound}": f"{done['size']}|c",
        f"airflow.connections.rows,{inbound},outcome=accepted": "2|c",
        f"airflow.connections.rows,{inbound},outcome=duplicate": "1|c",
        f"airflow.connections.files,{outbound},state=delivered": "2|c",
        f"airflow.connections.bytes,{outbound}": "100|c",
        f"airflow.connections.rows,{outbound},outcome=sent": "7|c",
    }
    assert len(times) == 1
    assert float(times[0].removesuffix("|ms")) > 0
