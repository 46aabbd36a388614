"""Rows that are accepted today and would be too old in a few days."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import DataType
from data_connections.validation.lexical import as_mask
from data_connections.validation.outcomes import Finding, Outcome, ValidatedBlock, ValidationOptions
from data_connections.validation.times import UTC_TIME, Clock, unlikely_dates

DAYS_LEFT = 8
"""From so many days before its limit on, an age is worth a word."""


class NearLimit:
    """Counts the accepted rows of a file whose age comes near to what is still taken.

    Args:
        data_type: Its columns with `max_age` are looked at.
        options: Received time and zone.
    """

    def __init__(self, data_type: DataType, options: ValidationOptions) -> None:
        self._clock = Clock.of(options)
        self._rules = {column.name: column.max_age for column in data_type.columns if column.max_age}
        self._rows = dict.fromkeys(self._rules, 0)

    def add(self, block: ValidatedBlock) -> None:
        """Count the rows of a block."""
        for name, rule in self._rules.items():
            if name not in block.typed.column_names:
                continue
            limit = pa.scalar(self._clock.oldest(max(rule.days - DAYS_LEFT, 0)), UTC_TIME)
            near = as_mask(pc.less(block.typed.column(name), limit)) & block.where(Outcome.ACCEPTED)
            if rule.with_column in block.typed.column_names:
                near &= as_mask(pc.is_null(block.typed.column(rule.with_column)))
            near &= ~unlikely_dates(block.typed.column(name))
            self._rows[name] += int(np.count_nonzero(near))

    def findings(self) -> Iterator[Finding]:
        """Yield a warning about the file for each column with rows near its limit."""
        for name, rows in self._rows.items():
            if rows:
                days = self._rules[name].days
                told = f"{rows:,} {'row has' if rows == 1 else 'rows have'} {name}"
                message = (
                    f"{told} more than {days - DAYS_LEFT} days back; after {days} days they are rejected. Send such "
                    "rows sooner."
                )
                yield Finding(None, name, "AGE_NEAR_LIMIT", message, "warning")
