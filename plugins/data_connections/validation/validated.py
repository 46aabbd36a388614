"""The whole of validation for one file: header, rows, orders, measures, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from data_connections.data_types import DataType
from data_connections.formats import TableReader
from data_connections.validation.checking import RowChecker
from data_connections.validation.days import DayCounter
from data_connections.validation.expectations import RowExpectations
from data_connections.validation.file_suite import FileSuite
from data_connections.validation.header import Header, read_header
from data_connections.validation.measures import row_amounts, row_currencies, sum_amounts, sum_quantity
from data_connections.validation.near_limit import NearLimit
from data_connections.validation.orders import Orders
from data_connections.validation.outcomes import (
    Finding,
    Outcome,
    Totals,
    ValidatedBlock,
    ValidationOptions,
    count_outcomes,
)
from data_connections.validation.read_ahead import read_ahead
from data_connections.validation.rows import CheckedRows
from data_connections.validation.spool import Spool


class Review(Protocol):
    """Judges a whole file by what lies outside of it."""

    def add(self, block: ValidatedBlock) -> None:
        """Take in the next rows, in file order."""

    def conclude(self) -> None:
        """Decide, now that all rows are there."""

    def judged(self, block: ValidatedBlock) -> ValidatedBlock:
        """Return rows that were taken in before, with other outcomes and more findings where that was decided."""


class Validation(Iterator[ValidatedBlock]):
    """The blocks of one file in order; once they are through, what there is to say about the file.

    Args:
        reader: The file, opened.
        data_type: What its rows are.
        options: Received time, zone and settings.
        review: Changes outcomes by what lies outside the file, before they are counted; then no block is handed out
            before the file has been read to its end.

    Attributes:
        header: The file's header, understood.
        totals: Of the blocks handed out so far.
        corrects: Submissions that the rows so far say they correct.

    Raises:
        FileRefused: The header does not fit; later, from the iteration, whatever the reader or an order refuses.
    """

    def __init__(
        self, reader: TableReader, data_type: DataType, options: ValidationOptions, review: Review | None = None
    ) -> None:
        self.header: Header = read_header(reader.header, data_type, options.unknown_columns, options.mapping)
        self.totals = Totals()
        self.corrects: frozenset[str] = frozenset()
        self._notes = tuple(Finding(None, None, code, message, "warning") for code, message in reader.notes)
        self._data_type = data_type
        self._options = options
        self._expectations = RowExpectations(data_type) if options.expectations else None
        self._near_limit = NearLimit(data_type, options)
        self._days = DayCounter(data_type.days, options.time_zone)
        self._orders = Orders(data_type, self.header, options.order_lines)
        self._blocks = self._run(reader) if review is None else _reviewed(self._run(reader), review)

    def __iter__(self) -> Iterator[ValidatedBlock]:
        return self

    def __next__(self) -> ValidatedBlock:
        block = next(self._blocks)
        self._days.add(block)
        self.totals += _totals(block, self._data_type)
        self._near_limit.add(block)
        self.corrects |= block.corrects
        return block

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is to be said about the file beside its rows, so far; each of severity ``warning``."""
        found = (*self.header.warnings, *self._notes, *self._orders.findings(), *self._near_limit.findings())
        advised = self._data_type.advised_rows
        if advised is None or self.totals.rows <= advised:
            return found
        message = (
            f"The file has {self.totals.rows:,} rows; up to {advised:,} are advised. Smaller files are done sooner."
        )
        return (*found, Finding(None, None, "MORE_ROWS_THAN_ADVISED", message, "warning"))

    @property
    def expectation_results(self) -> list[dict[str, Any]]:
        """What the row part of the suite found so far, one JSON-able object for each expectation."""
        return self._expectations.results() if self._expectations else []

    def file_suite(self) -> FileSuite:
        """Return what collects the rows for the file part of the suite; it asks nothing where that is switched off."""
        return FileSuite(self._data_type if self._options.expectations else self._data_type.without_suite())

    def _run(self, reader: TableReader) -> Iterator[ValidatedBlock]:
        guard = None if reader.file_format.kind == "xml" else reader.file_format.formula_guard
        checker = RowChecker(self.header, self._data_type, self._options, self._expectations, formula_guard=guard)
        for block in read_ahead(reader.blocks()):
            for settled in self._orders.settle(checker.check(block)):
                yield self._measured(settled)
        for settled in self._orders.finish():
            yield self._measured(settled)

    def _measured(self, rows: CheckedRows) -> ValidatedBlock:
        return ValidatedBlock(
            lines=rows.lines,
            cells=rows.cells,
            typed=rows.typed,
            amount=row_amounts(self._data_type, rows.typed),
            currency=row_currencies(self._data_type.measures, rows.typed, self._options.default_currency),
            outcome=rows.outcome,
            findings=rows.findings,
            broken=rows.broken,
            corrects=rows.corrects,
        )


def _reviewed(blocks: Iterator[ValidatedBlock], review: Review) -> Iterator[ValidatedBlock]:
    spool: Spool[ValidatedBlock] = Spool()
    for block in blocks:
        review.add(block)
        spool.add(block)
    review.conclude()
    for block in spool.read():
        yield review.judged(block)


def validate_rows(reader: TableReader, data_type: DataType, options: ValidationOptions) -> Validation:
    """Validate the rows of an opened file.

    Args:
        reader: The file.
        data_type: What its rows are.
        options: Received time, zone and settings.

    Returns:
        The blocks, to be iterated once, and afterwards totals and warnings.

    Raises:
        FileRefused: At once when the header does not fit; from the iteration when the rest cannot be read.
        ConfigurationError: The data type's suite cannot be evaluated.
    """
    return Validation(reader, data_type, options)


def _totals(block: ValidatedBlock, data_type: DataType) -> Totals:
    accepted = np.asarray(block.where(Outcome.ACCEPTED))
    return replace(
        count_outcomes(block),
        quantity=sum_quantity(data_type.measures, block.typed, accepted),
        amounts=sum_amounts(block.amount, block.currency, accepted),
    )
