"""The rules of the ledger in a dry run: what they would say about a validated file, with no effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from data_connections import applying
from data_connections.applying import Application, Effect, Hold, Verdict
from data_connections.data_types import DataType
from data_connections.endpoints.names import shown
from data_connections.ledger import Ledger
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.sameness import twin_of_bytes
from data_connections.ledger.staging import Attempt
from data_connections.spec import InboundConnection
from data_connections.steps.brakes import bounds_of, limit_passed
from data_connections.steps.stage import staged_columns, staged_rows
from data_connections.validation import Finding, Outcome, ValidatedBlock


class LedgerReview:
    """Judges a file by the ledger as it is now: staged whole in a transaction that is never committed.

    Args:
        connection: The transaction; whoever opened it rolls it back.
        spec: The connection whose program and rules hold, stored or not yet.
        data_type: What the rows are.
        received_at: The received time.
        again: Whether bytes count although they were applied before.

    Attributes:
        effect: What the file would change, once all of it was taken in.
        hold: Why somebody would have to approve it, if so.
        copy_of: What is to be said about it where the same bytes were applied before: nothing of it would count.
        copied: The submission that applied them.
    """

    def __init__(
        self,
        connection: LedgerConnection,
        spec: InboundConnection,
        data_type: DataType,
        received_at: datetime,
        *,
        again: bool = False,
    ) -> None:
        self.effect: Sequence[Effect] = ()
        self.hold: Hold | None = None
        self.copied: int | None = None
        self.copy_of: Finding | None = None
        self._again = again
        self._sha256: Callable[[], str] | None = None
        self._connection = connection
        self._spec = spec
        self._data_type = data_type
        self._received_at = received_at
        self._attempt: Attempt | None = None
        self._moves_money = False

    def begin(self, sha256: Callable[[], str]) -> None:
        """Take in what gives the hash of the file's bytes, once it has been read."""
        self._sha256 = sha256

    def add(self, block: ValidatedBlock) -> None:
        """Take in the next validated rows."""
        attempt = self._attempt or self._begin(block.typed.column_names)
        attempt.add_rows(self._connection, staged_rows(block, self._data_type))

    def conclude(self) -> None:
        """Let the rules decide, now that the whole file is there."""
        self._compare_bytes()
        if self.copied is not None:
            return
        attempt = self._attempt or self._begin(())
        attempt.analyze(self._connection)
        application = self._application(attempt)
        outlook = applying.outlook(self._connection, application)
        self.effect = outlook.effect
        self._moves_money = outlook.moves_money
        self.hold = limit_passed(self._spec.limits.hold_if, application.seal) or outlook.hold

    def judged(self, block: ValidatedBlock) -> ValidatedBlock:
        """Return rows that were taken in before, with what the ledger says about them."""
        if not len(block):
            return block
        if self.copied is not None:
            return replace(block, outcome=np.full_like(block.outcome, Outcome.DUPLICATE), findings=())
        first, last = int(block.lines[0]), int(block.lines[-1])
        if self._attempt and self._moves_money:
            block = replace(block, currency=pa.array(self._attempt.currencies(self._connection, first, last)))
        verdicts = applying.verdicts_on(self._connection, first, last)
        return _with_verdicts(block, verdicts) if verdicts else block

    def _compare_bytes(self) -> None:
        known = self._known()
        if self._again or self._sha256 is None or known is None:
            return
        absolute = applying.is_absolute(self._data_type)
        twin = twin_of_bytes(self._connection, self._sha256(), known, self._spec.program, absolute=absolute)
        if twin is not None:
            message = (
                f"The same bytes were applied as submission {twin.id} ({shown(twin.file_name)}, received "
                f"{twin.received_at:%Y-%m-%d %H:%M} UTC): every row would count as duplicate."
            )
            self.copied, self.copy_of = twin.id, Finding(None, None, "FILE_DUPLICATE", message, "warning")

    def _known(self) -> int | None:
        known = self._connection.execute("select id from connection where name = %s", [self._spec.name]).fetchone()
        return known["id"] if known else None

    def _begin(self, columns: Sequence[str]) -> Attempt:
        self._attempt = Attempt(Attempt.new_name(0))
        self._attempt.create(self._connection, staged_columns(self._data_type, columns))
        return self._attempt

    def _application(self, attempt: Attempt) -> Application:
        return Application(
            submission_id=0,
            received_at=self._received_at,
            program=self._spec.program,
            data_type=self._data_type,
            attempt=attempt,
            seal=attempt.measure(self._connection, None),
            columns=attempt.columns(self._connection),
            dataset=self._spec.dataset,
            connection_id=self._known(),
            holds=self._spec.limits.hold_rows_for > timedelta(0),
            bounds=bounds_of(self._spec, self._received_at),
        )


@contextmanager
def ledger_review(
    ledger: Ledger, spec: InboundConnection, data_type: DataType, received_at: datetime, *, again: bool = False
) -> Iterator[LedgerReview]:
    """Give out a review of one file by the ledger as it is now; nothing of it lasts.

    Args:
        ledger: The ledger; all is done in one transaction that is rolled back.
        spec: The connection whose program and rules hold.
        data_type: What the rows are.
        received_at: The received time.
        again: Whether bytes count although they were applied before, as in a replay.
    """
    with ledger.connect() as connection:
        try:
            yield LedgerReview(connection, spec, data_type, received_at, again=again)
        finally:
            connection.rollback()


def default_currency(ledger: Ledger, spec: InboundConnection) -> str:
    """Return the currency of rows that name none; empty where neither connection nor program has one."""
    row = ledger.one("select currency from program where key = %s", [spec.program])
    return spec.default_currency or (row["currency"] if row else "")


def _with_verdicts(block: ValidatedBlock, verdicts: Sequence[Verdict]) -> ValidatedBlock:
    outcome = block.outcome.copy()
    places = np.searchsorted(block.lines, np.array([verdict.line for verdict in verdicts], dtype=np.int64))
    outcome[places] = [Outcome[verdict.outcome.upper()] for verdict in verdicts]
    added = [Finding(each.line, each.column_name, each.code, each.message, each.severity) for each in verdicts]
    findings = sorted([*block.findings, *added], key=lambda finding: finding.line or 0)
    return replace(block, outcome=outcome, findings=findings)
