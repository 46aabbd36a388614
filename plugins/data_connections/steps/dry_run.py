"""The rules of the ledger in a dry run: what they would say about validated rows, with no effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from data_connections.applying import Application, Verdict, verdicts_on
from data_connections.data_types import DataType
from data_connections.ledger import Ledger
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import Attempt
from data_connections.spec import InboundConnection
from data_connections.steps.stage import staged_columns, staged_rows
from data_connections.validation import Finding, Outcome, ValidatedBlock
from data_connections.validation.validated import Review


@contextmanager
def ledger_review(
    ledger: Ledger, spec: InboundConnection, data_type: DataType, received_at: datetime
) -> Iterator[Review]:
    """Give out a review that judges each validated block by the ledger as it is now.

    Args:
        ledger: The ledger; all is done in one transaction that is rolled back.
        spec: The connection whose program and rules hold.
        data_type: What the rows are.
        received_at: The received time.
    """
    with ledger.connect() as connection:
        try:
            yield lambda block: _reviewed(connection, spec, data_type, received_at, block)
        finally:
            connection.rollback()


def default_currency(ledger: Ledger, spec: InboundConnection) -> str:
    """Return the currency of rows that name none; empty where neither connection nor program has one."""
    row = ledger.one("select currency from program where key = %s", [spec.program])
    return spec.default_currency or (row["currency"] if row else "")


def _reviewed(
    connection: LedgerConnection,
    spec: InboundConnection,
    data_type: DataType,
    received_at: datetime,
    block: ValidatedBlock,
) -> ValidatedBlock:
    with connection.transaction(force_rollback=True):
        attempt = Attempt(Attempt.new_name(0))
        attempt.create(connection, staged_columns(data_type, block.typed.column_names))
        attempt.add_rows(connection, staged_rows(block, data_type))
        attempt.analyze(connection)
        seal, columns = attempt.measure(connection, None), attempt.columns(connection)
        application = Application(0, received_at, spec.program, data_type, attempt, seal, columns, spec.dataset)
        holds = spec.limits.hold_rows_for > timedelta(0)
        verdicts = verdicts_on(connection, replace(application, holds=holds))
    return _with_verdicts(block, verdicts) if verdicts else block


def _with_verdicts(block: ValidatedBlock, verdicts: Sequence[Verdict]) -> ValidatedBlock:
    outcome = block.outcome.copy()
    places = np.searchsorted(block.lines, np.array([verdict.line for verdict in verdicts], dtype=np.int64))
    outcome[places] = [Outcome[verdict.outcome.upper()] for verdict in verdicts]
    added = [Finding(each.line, each.column_name, each.code, each.message, each.severity) for each in verdicts]
    findings = sorted([*block.findings, *added], key=lambda finding: finding.line or 0)
    return replace(block, outcome=outcome, findings=findings)
