"""Rules over several columns of one row: how many of them must have a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from data_connections.data_types import RowRule
from data_connections.validation.lexical import matches
from data_connections.validation.outcomes import Mask


def rule_problems(
    rules: Sequence[RowRule], presence: Mapping[str, Mask], cells: Mapping[str, pa.Array], rows: int
) -> Iterator[tuple[RowRule, str, Mask]]:
    """Find the rows that break a rule.

    Args:
        rules: The data type's rules; a column that the file does not have is empty on every row.
        presence: Where each column of the file is not empty, by its name.
        cells: The cells of each column of the file.
        rows: How many rows there are.

    Yields:
        The rule, the column to name, and the rows that break it there.
    """
    nowhere = np.zeros(rows, dtype=bool)
    for rule in rules:
        if rule.where_given and not presence.keys() & set(rule.columns):
            continue
        holds = presence.get(rule.when, nowhere) if rule.when else ~nowhere
        if rule.when and rule.when_matches and rule.when in cells:
            holds = holds & matches(cells[rule.when], rule.when_matches)
        if not holds.any():
            continue
        given = [presence.get(name, nowhere) for name in rule.columns]
        if rule.kind == "all_of":
            yield from _first_missing(rule, given, holds)
        else:
            yield rule, rule.columns[0], holds & _broken(rule.kind, np.sum(given, axis=0, dtype=np.int32))


def _first_missing(rule: RowRule, given: Sequence[Mask], holds: Mask) -> Iterator[tuple[RowRule, str, Mask]]:
    for name, present in zip(rule.columns, given, strict=True):
        yield rule, name, holds & ~present
        holds = holds & present


def _broken(kind: str, count: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Mask:
    match kind:
        case "any_of":
            return np.asarray(count == 0)
        case "one_of":
            return np.asarray(count != 1)
        case _:
            return np.asarray(count > 1)
