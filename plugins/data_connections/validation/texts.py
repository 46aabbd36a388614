"""Text cells: length, form and allowed values; the text itself is never touched."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import Column
from data_connections.validation.lexical import Problem, as_mask, matches
from data_connections.validation.outcomes import Mask

_CONTROL = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"
_SPACE_AROUND = r"\A[\s\x{a0}]|[\s\x{a0}]\z"


def read_texts(column: Column, cells: pa.Array, present: Mask, *, key: bool) -> tuple[pa.Array, Iterator[Problem]]:
    """Read texts as they are.

    Returns:
        The same texts (null where empty, and where a hash is due and is none), and masks of the bad cells by code.
    """
    kept = present & _matches_pattern(cells, column.pattern) if column.hashed and column.pattern else present
    values = pc.if_else(pa.array(kept), cells, pa.scalar(None, cells.type))
    return values, _problems(column, cells, present, key)


def space_around(cells: pa.Array) -> Mask:
    """Return where a cell begins or ends with a space."""
    return as_mask(pc.match_substring_regex(cells, _SPACE_AROUND))


def _problems(column: Column, cells: pa.Array, present: Mask, key: bool) -> Iterator[Problem]:
    if column.max_length is not None:
        yield "TOO_LONG", as_mask(pc.greater(pc.utf8_length(cells), column.max_length))
    if column.pattern is not None:
        yield "PATTERN", present & ~_matches_pattern(cells, column.pattern)
    if column.allowed:
        allowed = pa.array(sorted({value.lower() for value in column.allowed}))
        yield "NOT_ALLOWED", present & ~as_mask(pc.is_in(pc.utf8_lower(cells), value_set=allowed))
    if key:
        yield "CONTROL_CHARACTER", as_mask(pc.match_substring_regex(cells, _CONTROL))


def _matches_pattern(cells: pa.Array, pattern: str) -> Mask:
    """Match whole cells; what Arrow's expressions lack, such as looking ahead, Python's do, value by value."""
    try:
        return matches(cells, pattern)
    except pa.ArrowInvalid:
        expression = re.compile(pattern, re.ASCII)
        values = cells.dictionary_encode()
        found = [expression.fullmatch(value) is not None for value in values.dictionary.to_pylist()]
        return as_mask(pa.array(found, pa.bool_()).take(values.indices))
