"""The whole way of a million lines, from the file at rest to the commit, against dlt's merge into PostgreSQL.

Ours keeps the original, reads strictly, validates every cell and applies the orders with their outcomes; dlt merges the
rows as they are, without any check. Both have their libraries imported before the clock starts.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from bench.apply_conversions import NAME, ROWS, SPEC, Million, bench_folder, prepared, write_file
from bench.pairing import Result, Tell, compare_seconds, seconds_of
from data_connections.postgres import EmbeddedPostgres
from data_connections.settings import PROJECT
from data_connections.steps import inbound

_PEERS = PROJECT / "bench" / "peers"


@dataclass(frozen=True)
class _Bench:
    million: Million
    server: EmbeddedPostgres
    python: Path

    def ours(self) -> float:
        """Seconds from the file to the commit: kept, read, validated, staged, applied."""
        self.million.empty()
        seconds = seconds_of(self._taken)
        self.million.verify()
        return seconds

    def _taken(self) -> None:
        submission = self.million.take()
        inbound.validate(self.million.ledger, submission, self.million.landing)
        inbound.apply(self.million.ledger, submission, self.million.landing)

    def dlt(self) -> float:
        """Seconds of a pipeline's run, imports left out, into an empty database of the same server."""
        self.million.empty()
        self.server.ensure_database("peer")
        with tempfile.TemporaryDirectory(dir=bench_folder()) as state:
            command = [self.python, _PEERS / "dlt_merge.py", self.million.file.parent, state, self._url()]
            done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        if (found["rows"], Decimal(found["amount"])) != (ROWS, self.million.amount):
            raise AssertionError(f"dlt wrote {found}, expected {ROWS} rows of {self.million.amount}.")
        self._forget()
        return float(found["seconds"])

    def _url(self) -> str:
        """Return the address as dlt takes it: the server's socket folder in the query."""
        parts = urlsplit(self.server.url("peer"))
        login = f"{parts.username}:{parts.password or 'none'}"
        query = parse_qs(parts.query)
        host, port = query.get("host", ["localhost"])[0], query.get("port", [str(parts.port or 5432)])[0]
        return f"postgresql://{login}@localhost:{port}/peer?host={quote(host, safe='')}"

    def _forget(self) -> None:
        with self.million.ledger.connect(autocommit=True) as connection:
            connection.execute("drop database peer")


def take_million_conversions(tell: Tell) -> Result:
    """Compare the whole way with dlt; the goal is to be faster."""
    python = _peer()
    import_module("great_expectations")
    with tempfile.TemporaryDirectory(dir=bench_folder()) as name:
        folder = Path(name)
        server = EmbeddedPostgres(folder / "postgres").ensure_running()
        try:
            server.ensure_database("ledger")
            ledger, landing = prepared(folder, server.url("ledger"), NAME, SPEC)
            (folder / "files").mkdir()
            million = Million(ledger, landing, *write_file(folder / "files" / "million.csv"))
            bench = _Bench(million, server, python)
            return compare_seconds(
                "take_million_conversions",
                bench.ours,
                bench.dlt,
                peer_name="dlt, filesystem source, duckdb reader, merge",
                goal=1.0,
                tell=tell,
                details={"rows": ROWS, "amount": str(million.amount), "peer": _requirements().splitlines()},
            )
        finally:
            EmbeddedPostgres(folder / "postgres").stop()


def _requirements() -> str:
    return (_PEERS / "dlt_requirements.txt").read_text(encoding="utf-8")


def _peer() -> Path:
    """Return the Python of dlt's own environment, made when it is not there or other versions are asked for."""
    folder = bench_folder() / "dlt"
    made = folder / "requirements.txt"
    if not made.is_file() or made.read_text(encoding="utf-8") != _requirements():
        uv = str(PROJECT / "build" / "uv" / "bin" / "uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", str(folder)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
        subprocess.run([*install, "-r", str(_PEERS / "dlt_requirements.txt")], check=True)
        made.write_text(_requirements(), encoding="utf-8")
    return folder / "bin" / "python"
