"""Staging a submission: read the original, validate every row, copy the outcomes, seal them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
from psycopg import sql

from data_connections.data_types import DataType
from data_connections.errors import FileRefused, SealBroken
from data_connections.formats import TableReader
from data_connections.landing import Landing
from data_connections.landing.area import OriginalDamaged
from data_connections.ledger import Ledger, staging, submissions
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import Attempt, Seal
from data_connections.ledger.submission import Submission
from data_connections.spec.file_format import FileFormat
from data_connections.steps.job import Job
from data_connections.steps.vanished import vanished_columns
from data_connections.steps.vouched import compare_rows
from data_connections.validation import Finding, Totals, ValidatedBlock, Validation
from data_connections.validation.file_suite import FileSuite, FileSuiteResult, evaluate_in_postgres
from data_connections.validation.opening import open_table
from data_connections.validation.returned import format_of


@dataclass(frozen=True)
class Staged:
    """A staged attempt that is not sealed yet, and what there is to say about its file."""

    attempt: Attempt
    file_format: FileFormat
    totals: Totals
    warnings: Sequence[Finding]
    expectations: Sequence[dict[str, Any]]
    corrects: frozenset[str]
    columns: Sequence[str]


def open_original(landing: Landing, job: Job) -> tuple[BinaryIO, TableReader]:
    """Open a kept original as rows; a rejects file that came back is read as what we wrote.

    Raises:
        FileRefused: It cannot be read; the stream is closed.
        OriginalDamaged: It is gone, or (while reading) its bytes are not those that were kept.
    """
    key = job.submission.landing_key
    if key is None:
        raise OriginalDamaged(
            f"The original of submission {job.submission.id} was deleted when its time was over "
            "(CONNECTIONS_KEEP_ORIGINALS). Send the file again."
        )
    with landing.open(key) as beginning:
        file_format = format_of(beginning, job.file_format)
    source = landing.open_verified(key)
    try:
        name, most = job.submission.file_name, job.spec.limits.max_bytes
        return source, open_table(source, job.data_type, file_format, job.options().mapping, name=name, most=most)
    except BaseException:
        source.close()
        raise


def stage(ledger: Ledger, landing: Landing, job: Job) -> Staged:
    """Read, validate and copy one submission into staging tables of a new attempt.

    Raises:
        FileRefused: The file is refused whole; nothing is left staged.
    """
    attempt = Attempt(Attempt.new_name(job.submission.id))
    try:
        return _staged(ledger, landing, job, attempt)
    except BaseException:
        with ledger.connect() as connection:
            attempt.drop(connection)
        raise


def _staged(ledger: Ledger, landing: Landing, job: Job, attempt: Attempt) -> Staged:
    suite = FileSuite(job.data_type)
    source, reader = open_original(landing, job)
    with source:
        validation = Validation(reader, job.data_type, job.options())
        with ledger.connect() as connection:
            vanished = vanished_columns(connection, job, validation.header)
            _copy(connection, attempt, validation, job.data_type, suite)
    if not validation.totals.rows and not job.spec.allow_empty:
        raise FileRefused("EMPTY", "The file has a header and no row, and this connection expects rows.")
    compare_rows(job.submission, validation.totals.rows)
    found = _evaluate(ledger, attempt, job.data_type, suite, validation)
    return Staged(
        attempt,
        reader.file_format,
        validation.totals,
        [*validation.warnings, *vanished, *found.findings],
        [*validation.expectation_results, *found.results],
        validation.corrects,
        () if validation.header.added else validation.header.own_names,
    )


def _copy(
    connection: LedgerConnection, attempt: Attempt, validation: Validation, data_type: DataType, suite: FileSuite
) -> None:
    """Copy every block; while PostgreSQL takes one, the next is validated."""
    attempt.create(connection, staged_columns(data_type, validation.header.typed))
    with ThreadPoolExecutor(max_workers=1) as copying:
        under_way: Future[None] | None = None
        for block in validation:
            if under_way:
                under_way.result()
            under_way = copying.submit(_add, connection, attempt, block, data_type)
            suite.add(block)
        if under_way:
            under_way.result()
    attempt.analyze(connection)


def _add(connection: LedgerConnection, attempt: Attempt, block: ValidatedBlock, data_type: DataType) -> None:
    attempt.add_rows(connection, staged_rows(block, data_type))
    attempt.add_findings(connection, list(_findings_of(block)))


def staged_columns(data_type: DataType, names: Iterable[str]) -> dict[str, str]:
    """Return name and PostgreSQL type of the staged columns for some columns of a data type."""
    return {data_type.column(name).field: data_type.column(name).sql_type for name in names}


def staged_rows(block: ValidatedBlock, data_type: DataType) -> pa.Table:
    """Return a block as the staging table has it."""
    columns = {
        staging.LINE: pa.array(block.lines),
        staging.OUTCOME: pa.array(block.outcome),
        staging.AMOUNT: block.amount,
        staging.CURRENCY: block.currency,
    }
    typed = {data_type.column(name).field: block.typed.column(name) for name in block.typed.column_names}
    return pa.table({**columns, **typed})


def _findings_of(block: ValidatedBlock) -> Iterator[tuple[Any, ...]]:
    numbers: Counter[int | None] = Counter()
    for finding in block.findings:
        numbers[finding.line] += 1
        number = numbers[finding.line]
        yield finding.line, number, finding.severity, finding.code, finding.column, finding.message


def _evaluate(
    ledger: Ledger, attempt: Attempt, data_type: DataType, suite: FileSuite, validation: Validation
) -> FileSuiteResult:
    """Evaluate the expectations about the whole file; a large one in the database, where it is staged."""
    found = suite.evaluate()
    if any(finding.code == "EXPECTATION_NOT_EVALUATED" for finding in found.findings):
        with ledger.connect() as connection:
            query = _accepted_rows(attempt, data_type, validation).as_string(connection)
        found = evaluate_in_postgres(data_type, ledger.url, query)
    for finding in found.findings:
        if finding.severity == "error":
            raise FileRefused(finding.code, finding.message)
    return found


def _accepted_rows(attempt: Attempt, data_type: DataType, validation: Validation) -> sql.Composed:
    columns = [
        sql.SQL("{} as {}").format(
            sql.Identifier(column.field)
            if column.name in validation.header.typed
            else sql.SQL(f"null::{column.sql_type}"),
            sql.Identifier(column.name),
        )
        for column in data_type.columns
    ]
    return sql.SQL("select {} from {} where outcome = 0").format(sql.SQL(", ").join(columns), attempt.rows)


def seal(connection: LedgerConnection, job: Job, staged: Staged) -> tuple[Submission, Seal] | None:
    """Seal a staged attempt; None where another one was sealed meanwhile, which then holds.

    Raises:
        SealBroken: What is staged is not what was validated.
    """
    latest = submissions.get(connection, job.submission.id, lock=True)
    if latest.is_final or latest.attempt != job.submission.attempt:
        staged.attempt.drop(connection)
        return None
    quantity = job.data_type.measures.quantity
    measured = staged.attempt.measure(connection, job.data_type.column(quantity).field if quantity else None)
    _compare(measured, staged)
    return latest, measured


def _compare(measured: Seal, staged: Staged) -> None:
    totals = staged.totals
    expected = (totals.accepted, totals.rejected, totals.duplicate, totals.held, totals.findings)
    found = (*(measured.rows(outcome) for outcome in staging.OUTCOMES), measured.findings)
    amounts = {currency: amount for currency, amount in measured.amounts("accepted").items() if amount}
    if found != expected or amounts != {currency: amount for currency, amount in totals.amounts.items() if amount}:
        raise SealBroken(
            f"Staged were {found} rows (accepted, rejected, duplicate, held) and findings worth {amounts}, validated "
            f"{expected} worth {dict(totals.amounts)}. The file is staged again."
        )
