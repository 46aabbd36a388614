"""A million order-level conversions into an empty ledger, against plain SQL that does only the final writes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from bench.pairing import Result, Tell, compare_seconds, seconds_of
from data_connections.landing import Landing
from data_connections.ledger import Ledger, migrate
from data_connections.postgres import EmbeddedPostgres
from data_connections.settings import PROJECT
from data_connections.steps import inbound, manual

ROWS = 1_000_000
NAME = "acme-conversions"
RECEIVED = datetime(2026, 11, 22, tzinfo=UTC)
SPEC = """
program: acme
data_type: conversions
direction: inbound
method: sftp
credentials: none
details: {host: localhost, folder: /none, file_pattern: "*.csv"}
"""
_EMPTY = "truncate action, action_item, outcome, submission_total, submission cascade"
_WRITTEN = "select count(locks_at) as rows, sum(amount) as amount from action"
_PLAIN = """
    insert into action (program_id, event_type_id, order_id, event_at, received_at, amount, currency, click_id,
                        customer_id, locks_at, submission_id, line)
    select campaign_id, action_tracker_id, order_id, event_date, %s, amount, currency_code, click_id, customer_id,
           locking_date(event_date, 'Europe/Berlin', 'month_end', 1, 27), 1, line
    from {table}
"""


@dataclass(frozen=True)
class Million:
    """An empty ledger, and a file of a million conversions with what they come to."""

    ledger: Ledger
    landing: Landing
    file: Path
    amount: Decimal

    def ours(self) -> float:
        """Seconds of the step that applies a validated submission."""
        submission = self._validated()
        seconds = seconds_of(lambda: inbound.apply(self.ledger, submission, self.landing))
        self.verify()
        return seconds

    def plain_sql(self) -> float:
        """Seconds of one INSERT .. SELECT of the same staged rows."""
        submission = self._validated()
        table = self.ledger.one("select 'staging.rows_' || attempt as name from submission where id = %s", [submission])
        assert table is not None

        def insert() -> None:
            with self.ledger.connect() as connection:
                connection.execute(_PLAIN.format(table=table["name"]).encode(), [RECEIVED])

        seconds = seconds_of(insert)
        self.verify()
        return seconds

    def empty(self) -> None:
        """Empty the ledger, and leave the server nothing to tidy up."""
        with self.ledger.connect(autocommit=True) as connection:
            connection.execute(_EMPTY)
            connection.execute("vacuum full")
            connection.execute("checkpoint")

    def take(self) -> int:
        """Take the file as a new submission, its original kept, and return its number."""
        return manual.take(self.ledger, self.landing, NAME, self.file, who="bench", received_at=RECEIVED)

    def _validated(self) -> int:
        self.empty()
        submission = self.take()
        inbound.validate(self.ledger, submission, self.landing)
        return submission

    def verify(self) -> None:
        """Compare what was written with the file."""
        written = self.ledger.one(_WRITTEN)
        if written != {"rows": ROWS, "amount": self.amount}:
            raise AssertionError(f"Written were {written}, expected {ROWS} rows of {self.amount}.")


def apply_million_conversions(tell: Tell) -> Result:
    """Compare the apply step with the plain SQL; the goal is at most 1.5 times its time."""
    with tempfile.TemporaryDirectory(dir=bench_folder()) as name:
        folder = Path(name)
        server = EmbeddedPostgres(folder / "postgres").ensure_running()
        try:
            server.ensure_database("ledger")
            ledger, landing = prepared(folder, server.url("ledger"), NAME, SPEC)
            bench = Million(ledger, landing, *write_file(folder / "million.csv"))
            return compare_seconds(
                "apply_million_conversions",
                bench.ours,
                bench.plain_sql,
                peer_name="INSERT .. SELECT of the staged rows",
                goal=1 / 1.5,
                tell=tell,
                details={"rows": ROWS, "amount": str(bench.amount)},
            )
        finally:
            EmbeddedPostgres(folder / "postgres").stop()


def bench_folder() -> Path:
    """Return the folder that benchmarks put their databases and files into."""
    folder = PROJECT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def prepared(folder: Path, url: str, name: str, spec: str) -> tuple[Ledger, Landing]:
    """Make a ledger with the sample programs and one connection."""
    migrate(url)
    (folder / "specs").mkdir()
    (folder / "specs" / f"{name}.yaml").write_text(spec, encoding="utf-8")
    environment = {**os.environ, "CONNECTIONS_DATABASE_URL": url, "CONNECTIONS_HOME": str(folder)}
    for words in (("reference", "apply"), ("apply", "-f", str(folder / "specs"))):
        subprocess.run(
            [sys.executable, "-m", "command_line.main", *words], env=environment, check=True, stdout=subprocess.DEVNULL
        )
    return Ledger(url), Landing(str(folder / "landing"))


def write_file(path: Path) -> tuple[Path, Decimal]:
    """Write the file, and return it with what its orders come to."""
    cents = 0
    with path.open("w", encoding="utf-8") as stream:
        stream.write("CampaignId,ActionTrackerId,EventDate,OrderId,ClickId,CustomerId,CurrencyCode,Amount\n")
        for number in range(ROWS):
            price = 100 + number * 7919 % 99_900
            cents += price
            stream.write(
                f"1000,2001,2026-11-{1 + number % 20:02}T{number % 24:02}:00:00Z,order-{number},click-{number},"
                f"customer-{number % 50_000},EUR,{price // 100}.{price % 100:02}\n"
            )
    return path, Decimal(cents) / 100
