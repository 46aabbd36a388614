"""The rejects file: the rejected rows of an original as they were, each with what was wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from data_connections.formats import RowBlock
from data_connections.landing import Landing
from data_connections.ledger import Ledger
from data_connections.ledger.database import LedgerConnection
from data_connections.steps.job import Job
from data_connections.steps.stage import open_original
from data_connections.validation import Finding, Outcome, ValidatedBlock, read_header
from data_connections.validation.copies import RejectsCopy


def write_rejects(ledger: Ledger, landing: Landing, job: Job, target: BinaryIO) -> None:
    """Write the rejected rows of a finished submission, read again from its original.

    Args:
        ledger: Where the outcomes are.
        landing: Where the original is.
        job: The submission.
        target: Where the bytes go: plain RFC 4180 in UTF-8, whatever the original's dialect.
    """
    source, reader = open_original(landing, job)
    with source, ledger.connect() as connection:
        header = read_header(reader.header, job.data_type, mapping=job.options().mapping)
        copy = RejectsCopy(target, header, str(job.submission.id))
        for block in reader.blocks():
            findings = _findings(connection, job.submission.id, *_span(block))
            if findings:
                copy.add(_rejected(block, findings))


def _span(block: RowBlock) -> tuple[int, int]:
    lines = [*block.lines[:1].tolist(), *block.lines[-1:].tolist(), *(row.line for row in block.broken)]
    return min(lines), max(lines)


def _findings(connection: LedgerConnection, submission_id: int, first: int, last: int) -> dict[int, list[Finding]]:
    """Return the errors of the rejected rows between two lines."""
    rows = connection.execute(
        """
        select line, column_name, code, message from outcome
        where submission_id = %s and line between %s and %s and outcome = 'rejected' and severity = 'error'
        order by line, number
        """,
        [submission_id, first, last],
    ).fetchall()
    found: dict[int, list[Finding]] = {}
    for row in rows:
        finding = Finding(row["line"], row["column_name"], row["code"], row["message"])
        found.setdefault(row["line"], []).append(finding)
    return found


def _rejected(block: RowBlock, findings: Mapping[int, list[Finding]]) -> ValidatedBlock:
    """Return the rejected rows of a block, those with a wrong number of cells among them, by line."""
    width = block.cells.num_columns
    kept = np.isin(block.lines, np.fromiter(findings, dtype=np.int64))
    broken = [row for row in block.broken if row.line in findings]
    texts = [[*row.cells[:width], *[""] * (width - len(row.cells))] for row in broken]
    added = pa.table(
        [pa.array([text[position] for text in texts], pa.string()) for position in range(width)],
        schema=block.cells.schema,
    )
    lines = np.concatenate([block.lines[kept], np.array([row.line for row in broken], dtype=np.int64)])
    order = np.argsort(lines, kind="stable")
    cells = pa.concat_tables([block.cells.filter(pa.array(kept)), added]).take(pa.array(order))
    return ValidatedBlock(
        lines=lines[order],
        cells=cells.combine_chunks(),
        typed=cells,
        amount=pa.nulls(len(lines)),
        currency=pa.nulls(len(lines)),
        outcome=np.full(len(lines), Outcome.REJECTED, dtype=np.uint8),
        findings=list(_in_order(findings, lines[order].tolist())),
        broken={row.line: row.cells for row in broken},
    )


def _in_order(findings: Mapping[int, list[Finding]], lines: Sequence[int]) -> Iterator[Finding]:
    for line in lines:
        yield from findings[line]
