"""200,000 modifications against a million actions, against plain SQL that does only the final writes."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from bench.apply_conversions import RECEIVED, bench_folder, prepared
from bench.pairing import Result, Tell, compare_seconds, seconds_of
from data_connections.landing import Landing
from data_connections.ledger import Ledger
from data_connections.postgres import EmbeddedPostgres
from data_connections.steps import inbound, manual

ACTIONS = 1_000_000
ROWS = 200_000
NAME = "acme-modifications"
CHANGED = RECEIVED + timedelta(days=1)
_SPEC = """
program: acme
data_type: action_modifications
direction: inbound
method: sftp
credentials: none
details: {host: localhost, folder: /none, file_pattern: "*.csv"}
"""
_ACTIONS = """
    insert into action (program_id, event_type_id, order_id, event_at, received_at, amount, currency, click_id,
                        customer_id, locks_at, submission_id, line)
    select 1000, 2001, 'order-' || n, %(at)s - n %% 400 * interval '1 hour', %(at)s, 100 + n %% 900, 'EUR',
           'click-' || n, 'customer-' || n %% 50000, %(at)s + interval '60 days', 1, n + 1
    from generate_series(0, 999999) n
"""
_PLAIN = """
    with changed as (
        update action a
        set amount = s.amount, state = case when s.amount = 0 then 'REVERSED' else 'PENDING' end,
            modifications = a.modifications + 1, updated_at = %(at)s, updated_by = %(id)s
        from {table} s where a.event_type_id = s.action_tracker_id and a.order_id = s.order_id
        returning a.id, a.state, a.amount, a.currency, s.line, s.reason
    )
    insert into action_update (action_id, kind, received_at, submission_id, line, reason, old_state, new_state,
                               old_amount, new_amount, given_amount, currency)
    select c.id, case c.state when 'REVERSED' then 'reversed' else 'modified' end, %(at)s, %(id)s, c.line, c.reason,
           o.state, c.state, o.amount, c.amount, c.amount, c.currency
    from changed c join action o on o.id = c.id
"""
_WRITTEN = """
    select (select sum(amount) from action) as total, count(*) as rows, sum(old_amount) as old, sum(new_amount) as new,
           count(*) filter (where new_state = 'REVERSED') as reversed,
           (select count(*) from action where state = 'REVERSED') as actions_reversed
    from action_update
"""


@dataclass(frozen=True)
class _Bench:
    ledger: Ledger
    landing: Landing
    file: Path
    expected: dict[str, object]

    def ours(self) -> float:
        """Seconds of the step that applies a validated submission."""
        submission = self._validated()
        seconds = seconds_of(lambda: inbound.apply(self.ledger, submission, self.landing))
        self._verify()
        return seconds

    def plain_sql(self) -> float:
        """Seconds of one UPDATE .. FROM of the same staged rows that also writes what was changed."""
        submission = self._validated()
        table = self.ledger.one("select 'staging.rows_' || attempt as name from submission where id = %s", [submission])
        assert table is not None

        def update() -> None:
            with self.ledger.connect() as connection:
                connection.execute(_PLAIN.format(table=table["name"]).encode(), {"at": CHANGED, "id": submission})

        seconds = seconds_of(update)
        self._verify()
        return seconds

    def _validated(self) -> int:
        with self.ledger.connect(autocommit=True) as connection:
            connection.execute("truncate action, action_update, outcome, submission_total, submission cascade")
            connection.execute(_ACTIONS, {"at": RECEIVED})
            connection.execute("vacuum analyze action")
            connection.execute("checkpoint")
        submission = manual.take(self.ledger, self.landing, NAME, self.file, who="bench", received_at=CHANGED)
        inbound.validate(self.ledger, submission, self.landing)
        return submission

    def _verify(self) -> None:
        written = self.ledger.one(_WRITTEN)
        if written != self.expected:
            raise AssertionError(f"Written were {written}, expected {self.expected}.")


def apply_modifications(tell: Tell) -> Result:
    """Compare the apply step with the plain SQL; the goal is at most 1.5 times its time."""
    with tempfile.TemporaryDirectory(dir=bench_folder()) as name:
        folder = Path(name)
        server = EmbeddedPostgres(folder / "postgres").ensure_running()
        try:
            server.ensure_database("ledger")
            ledger, landing = prepared(folder, server.url("ledger"), NAME, _SPEC)
            bench = _Bench(ledger, landing, *_write_file(folder / "changes.csv"))
            return compare_seconds(
                "apply_modifications",
                bench.ours,
                bench.plain_sql,
                peer_name="UPDATE .. FROM of the staged rows",
                goal=1 / 1.5,
                tell=tell,
                details={"rows": ROWS, "actions": ACTIONS},
            )
        finally:
            EmbeddedPostgres(folder / "postgres").stop()


def _write_file(path: Path) -> tuple[Path, dict[str, object]]:
    """Write a file that changes every fifth action, and reverses every tenth of those; return what that comes to."""
    old = new = reversals = 0
    with path.open("w", encoding="utf-8") as stream:
        stream.write("ActionTrackerId,OrderId,Amount,Reason\n")
        for row in range(ROWS):
            number = row * 7919 % ROWS * 5
            amount = 0 if row % 10 == 0 else 50 + row % 40
            old, new, reversals = old + 100 + number % 900, new + amount, reversals + (amount == 0)
            stream.write(f"2001,order-{number},{amount}.00,ITEM_RETURNED\n")
    total = sum(100 + number % 900 for number in range(ACTIONS)) - old + new
    return path, {
        "total": Decimal(total),
        "rows": ROWS,
        "old": Decimal(old),
        "new": Decimal(new),
        "reversed": reversals,
        "actions_reversed": reversals,
    }
