"""The dry run: what would become of a file, without Airflow, without a server, without any effect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from data_connections.data_types import DataType
from data_connections.errors import FileRefused
from data_connections.formats.packed import MOST_BYTES
from data_connections.spec.file_format import FileFormat
from data_connections.validation.copies import Copies, CopyWriters
from data_connections.validation.hashed_bytes import HashedBytes
from data_connections.validation.opening import open_table
from data_connections.validation.outcomes import Finding, Totals, ValidationOptions
from data_connections.validation.returned import format_of
from data_connections.validation.validated import Review, Validation

ERRORS_SHOWN = 1000
"""How many errors and warnings of rows a report lists, unless it is told otherwise."""


class Change(Protocol):
    """What a file would change in the ledger, in one state and currency."""

    @property
    def state(self) -> str:
        """Of actions or rows."""

    @property
    def currency(self) -> str | None:
        """ISO 4217 code; None for rows without money."""

    @property
    def count(self) -> int:
        """How many more there would be; below 0: fewer."""

    @property
    def amount(self) -> Decimal:
        """How much more they would be worth."""

    @property
    def payout(self) -> Decimal | None:
        """How much more they would pay; None where nothing is paid."""


class LedgerSays(Review, Protocol):
    """A review by the ledger, which also knows what the file would do to it."""

    @property
    def effect(self) -> Sequence[Change]:
        """By state and currency, once all rows were taken in."""

    @property
    def hold(self) -> tuple[str, str] | None:
        """Code and sentence where somebody would have to approve the file first."""

    @property
    def copied(self) -> int | None:
        """The submission that applied the same bytes before, so that nothing of the file would count."""

    @property
    def copy_of(self) -> Finding | None:
        """What is to be said about that."""

    def begin(self, sha256: Callable[[], str]) -> None:
        """Take in what gives the hash of the file's bytes, once it has been read."""


@dataclass(frozen=True)
class CheckReport:
    """What would become of one file.

    Attributes:
        data_type: Name of the data type.
        file: The file as it was named.
        received_at: The received time that was assumed, ISO 8601 in UTC.
        totals: Counts and sums; all zero when the file is refused.
        errors: The first errors and warnings of rows, by line.
        file_warnings: What is to be said about the file beside its rows.
        file_error: Why the whole file is refused.
        corrects: Submissions that the file says it corrects.
        expectations: What Great Expectations found, one object for each expectation.
        effect: What the file would change in the ledger, by state and currency; empty where no ledger was asked.
        hold: Why somebody would have to approve the file before it is applied: code and sentence.
        duplicate_of: The submission that applied the same bytes before; then every row counts as duplicate.
    """

    data_type: str
    file: str
    received_at: str
    totals: Totals = field(default_factory=Totals)
    errors: tuple[Finding, ...] = ()
    file_warnings: tuple[Finding, ...] = ()
    file_error: FileRefused | None = None
    corrects: frozenset[str] = frozenset()
    expectations: tuple[dict[str, Any], ...] = ()
    effect: tuple[Change, ...] = ()
    hold: tuple[str, str] | None = None
    duplicate_of: int | None = None

    @property
    def good(self) -> bool:
        """Whether every row of the file is accepted."""
        return self.file_error is None and self.totals.accepted == self.totals.rows

    def as_json(self) -> dict[str, Any]:
        """Return the report as the contract of ``connections check --json`` has it."""
        totals = self.totals
        return {
            "data_type": self.data_type,
            "file": self.file,
            "received_at": self.received_at,
            "rows": totals.rows,
            "accepted": totals.accepted,
            "warned": totals.warned,
            "rejected": totals.rejected,
            "duplicate": totals.duplicate,
            "held": totals.held,
            "quantity": format(totals.quantity, "f"),
            "amounts": {currency: format(amount, "f") for currency, amount in sorted(totals.amounts.items())},
            "errors": [finding._asdict() for finding in self.errors],
            "errors_total": totals.findings,
            "file_error": _refusal(self.file_error),
            "file_warnings": [finding._asdict() for finding in self.file_warnings],
            "corrects": sorted(self.corrects),
            "expectations": list(self.expectations),
            "effect": [_change_as_json(change) for change in self.effect],
            "hold": {"code": self.hold[0], "message": self.hold[1]} if self.hold else None,
            "duplicate_of": self.duplicate_of,
        }


def check_file(
    source: Path | BinaryIO,
    data_type: DataType,
    options: ValidationOptions,
    *,
    file_format: FileFormat | None = None,
    name: str | None = None,
    errors_shown: int = ERRORS_SHOWN,
    copies: Copies | None = None,
    review: LedgerSays | None = None,
    most: int = MOST_BYTES,
) -> CheckReport:
    """Check one file.

    Args:
        source: The file, or its bytes, read once.
        data_type: What its rows are.
        options: Received time, zone and settings.
        file_format: How it is written; what is not declared is detected.
        name: What to call it in the report; its path if left out.
        errors_shown: How many errors and warnings of rows to list.
        copies: Where to write accepted and rejected rows; a refused file leaves none.
        review: Judges the validated rows by what lies outside the file, such as by the ledger's rules.
        most: Bytes that a packed file may hold.

    Raises:
        ConfigurationError: The data type's suite cannot be evaluated, or the time zone does not exist.
    """
    shown_name = name or str(source if isinstance(source, Path) else getattr(source, "name", "file"))
    received_at = options.received_at.isoformat().replace("+00:00", "Z")
    empty = CheckReport(data_type.name, shown_name, received_at)
    with ExitStack() as stack:
        stream = stack.enter_context(source.open("rb")) if isinstance(source, Path) else source
        declared = _format_of(stream, (file_format or FileFormat()).over(data_type.format))
        if review is not None:
            hashed = HashedBytes(stream)
            review.begin(hashed.sha256)
            stream = cast("BinaryIO", hashed)
        writers = stack.enter_context(CopyWriters(copies or Copies()))
        try:
            reader = open_table(
                stream,
                data_type,
                declared,
                options.mapping,
                name=Path(shown_name).name,
                most=most,
            )
            report = _read_through(Validation(reader, data_type, options, review), empty, errors_shown, writers)
        except FileRefused as refused:
            return replace(empty, file_error=refused)
        writers.publish()
    return report if review is None else _with_review(report, review)


def _format_of(stream: BinaryIO, declared: FileFormat) -> FileFormat:
    if not stream.seekable():
        return declared
    beginning = stream.tell()
    found = format_of(stream, declared)
    stream.seek(beginning)
    return found


def _with_review(report: CheckReport, review: LedgerSays) -> CheckReport:
    copied = () if review.copy_of is None else (review.copy_of,)
    return replace(
        report,
        effect=tuple(review.effect),
        hold=review.hold,
        duplicate_of=review.copied,
        file_warnings=(*copied, *report.file_warnings),
    )


def _read_through(validation: Validation, empty: CheckReport, errors_shown: int, writers: CopyWriters) -> CheckReport:
    errors: list[Finding] = []
    suite = validation.file_suite()
    writers.start(validation.header)
    for block in validation:
        errors += block.findings[: max(errors_shown - len(errors), 0)]
        writers.add(block)
        suite.add(block)
    result = suite.evaluate()
    refusal = next((finding for finding in result.findings if finding.severity == "error"), None)
    if refusal is not None:
        raise FileRefused(refusal.code, refusal.message)
    return replace(
        empty,
        totals=validation.totals,
        errors=tuple(errors),
        file_warnings=(*validation.warnings, *result.findings),
        corrects=validation.corrects,
        expectations=(*validation.expectation_results, *result.results),
    )


def _change_as_json(change: Change) -> dict[str, Any]:
    payout = None if change.payout is None else format(change.payout, "f")
    amount = format(change.amount, "f")
    return {
        "state": change.state,
        "currency": change.currency,
        "count": change.count,
        "amount": amount,
        "payout": payout,
    }


def _refusal(refused: FileRefused | None) -> dict[str, Any] | None:
    if refused is None:
        return None
    described: dict[str, Any] = {"code": refused.code, "message": refused.message, "line": refused.line}
    return described | ({"format": refused.options} if refused.options else {})
