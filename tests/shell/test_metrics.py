"""Metrics of runs, as Airflow's own OpenTelemetry exporter sends them to a collector."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

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


def test_files_rows_bytes_and_latency_reach_a_collector(
    desk: Desk, collector: tuple[str, list[bytes]], tmp_path: Path
) -> None:
    url, came = collector
    rows = [f"1000,2001,2026-02-20T10:00:00Z,{number},1.00,EUR" for number in ("A", "B", "A")]
    done = desk.submit(table(HEADER, *rows))
    row = desk.ledger.one("select revision from connection where name = 'orders'")
    assert row is not None
    run = begin_run(desk.ledger, "orders", row["revision"], "manual__1")
    with desk.ledger.connect() as connection:
        connection.execute("update submission set run_id = %s", [run.id])
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__METRICS__OTEL_ON": "True",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "PYTHONPATH": str(Path(__file__).parents[2] / "plugins"),
    }

    words = [sys.executable, "-c", EMIT, desk.ledger.url, str(run.id)]
    ran = subprocess.run(words, env=environment, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr
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
        ("airflow.connections.bytes", "inbound", ""): len(table(HEADER, *rows)),
        ("airflow.connections.rows", "inbound", "accepted"): done["accepted"],
        ("airflow.connections.rows", "inbound", "duplicate"): done["duplicate"],
        ("airflow.connections.files", "outbound", "delivered"): 2,
        ("airflow.connections.bytes", "outbound", ""): 100,
        ("airflow.connections.rows", "outbound", "sent"): 7,
    }
    assert {count for count, _ in latencies} == {1}
    assert all(milliseconds > 0 for _, milliseconds in latencies)
