"""Rows on their way through validation: checked one by one, in file order, not yet judged as orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from data_connections.validation.outcomes import Finding, Lines, Mask, Outcomes


@dataclass(frozen=True)
class CheckedRows:
    """Consecutive rows with what was found about each by itself.

    Attributes:
        lines: Line on which each row starts, ascending.
        cells: Cells as read; rows with a wrong number of them filled up or cut.
        typed: Typed values; null where empty or bad.
        outcome: Accepted or rejected so far.
        findings: By line.
        broken: Cells of the rows with a wrong number of them, by line.
        key: What tells the row's group apart; null where the row stands alone.
        certain: Where the key can be relied on: neither the row's structure nor a cell of the key is bad.
        item: Where the row is one of several of its group.
    """

    lines: Lines
    cells: pa.Table
    typed: pa.Table
    outcome: Outcomes
    findings: Sequence[Finding]
    broken: Mapping[int, tuple[str, ...]]
    key: pa.Array
    certain: Mask
    item: Mask
    corrects: frozenset[str] = field(default=frozenset())

    def __len__(self) -> int:
        return len(self.lines)

    def slice(self, start: int, stop: int) -> CheckedRows:
        """Return the rows from ``start`` up to ``stop``."""
        lines = self.lines[start:stop]
        first, last = (int(lines[0]), int(lines[-1])) if len(lines) else (0, -1)
        return CheckedRows(
            lines=lines,
            cells=self.cells.slice(start, stop - start),
            typed=self.typed.slice(start, stop - start),
            outcome=self.outcome[start:stop],
            findings=[finding for finding in self.findings if first <= (finding.line or 0) <= last],
            broken={line: cells for line, cells in self.broken.items() if first <= line <= last},
            key=self.key.slice(start, stop - start),
            certain=self.certain[start:stop],
            item=self.item[start:stop],
            corrects=self.corrects,
        )

    @classmethod
    def joined(cls, parts: Sequence[CheckedRows]) -> CheckedRows:
        """Return the rows of all parts in one; there is at least one part."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            lines=np.concatenate([part.lines for part in parts]),
            cells=pa.concat_tables([part.cells for part in parts]).combine_chunks(),
            typed=pa.concat_tables([part.typed for part in parts]).combine_chunks(),
            outcome=np.concatenate([part.outcome for part in parts]),
            findings=[finding for part in parts for finding in part.findings],
            broken={line: cells for part in parts for line, cells in part.broken.items()},
            key=pa.concat_arrays([part.key for part in parts]),
            certain=np.concatenate([part.certain for part in parts]),
            item=np.concatenate([part.item for part in parts]),
            corrects=frozenset().union(*(part.corrects for part in parts)),
        )
