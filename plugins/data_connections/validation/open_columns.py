"""Columns with names of the sender's own: each cell checked, all of a row put together as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import Column, OpenColumns
from data_connections.validation.outcomes import Mask


def column_named(opened: OpenColumns, name: str) -> Column:
    """Return what a column of the sender's own takes."""
    return Column(name=name, max_length=opened.max_length, refused=opened.refused)


def as_objects(columns: Iterable[tuple[str, pa.Array, Mask]], rows: int) -> pa.Array:
    """Return one JSON object for each row: names and texts, without empty cells; null where all are empty.

    Args:
        columns: Name, texts (null where empty) and bad cells of each column.
        rows: How many rows there are.
    """
    members = [_member(name, texts, bad) for name, texts, bad in columns]
    if not members:
        return pa.nulls(rows, pa.string())
    inside = pc.binary_join_element_wise(*members, "")
    objects = pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(inside, 1), "}", "")
    return pc.if_else(pc.equal(inside, ""), pa.scalar(None, pa.string()), objects)


def _member(name: str, texts: pa.Array, bad: Mask) -> pa.Array:
    kept = pc.if_else(pa.array(bad), pa.scalar(None, pa.string()), texts)
    escaped = pc.replace_substring(pc.replace_substring(kept, "\\", "\\\\"), '"', '\\"')
    member = pc.binary_join_element_wise(f',{json.dumps(name, ensure_ascii=False)}:"', escaped, '"', "")
    return pc.fill_null(member, "")
