"""Cells of a partner's own columns, as the data type would have them written."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import Column, header_key
from data_connections.formats.formula_guard import without_guard
from data_connections.spec.mapping import ColumnMapping, Numbers, Source
from data_connections.validation.cells import has_value
from data_connections.validation.lexical import matches
from data_connections.validation.outcomes import Mask

_PLAIN = Numbers()


class MappedCells(NamedTuple):
    """One column of a block.

    Attributes:
        read: The cells as they stand in the file.
        cells: The same as the data type would have them written, empty where that is not possible.
        misfits: Where it is not.
    """

    read: pa.Array
    cells: pa.Array
    misfits: Mask

    @classmethod
    def plain(cls, cells: pa.Array) -> MappedCells:
        """Return cells that no mapping changes."""
        return cls(cells, cells, np.zeros(len(cells), dtype=bool))

    def meant(self, cells: pa.Array) -> MappedCells:
        """Return the same with other cells; as read are those, too, unless the mapping had changed them."""
        return MappedCells(cells if self.read is self.cells else self.read, cells, self.misfits)


class CellMapper:
    """Rewrites the cells of one file by its connection's mapping.

    Args:
        mapping: The mapping, its preset resolved.
        names: The file's header.
        unguarded: Whether cells are meant without an apostrophe that guards a formula.
    """

    def __init__(self, mapping: ColumnMapping, names: tuple[str, ...], *, unguarded: bool = False) -> None:
        self._mapping = mapping
        self._unguarded = unguarded
        self._positions = {header_key(name): position for position, name in enumerate(names)}

    def cells(self, column: Column, position: int | None, table: pa.Table) -> MappedCells:
        """Return one column of a block.

        Args:
            column: The column of the data type.
            position: Where it stands in the file; None for a constant.
            table: The block's cells.
        """
        source = self._mapping.columns.get(column.name)
        nothing = np.zeros(table.num_rows, dtype=bool)
        if position is None:
            text = source.constant if source and source.constant is not None else ""
            read = pa.array([text] * table.num_rows, pa.string())
        else:
            chunked = table.column(position)
            read = chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()
        if source is not None and source.unless is not None:
            read = self._emptied(read, source.unless, table)
        if source is not None and source.constant is not None:
            return MappedCells(read, read, nothing)
        cells = self.meant(read)
        cells, bad = _valued(source, cells) if source else (cells, nothing)
        written = self._rewriter(column, source)
        if written is None:
            return MappedCells(read, cells, bad)
        cells, misfits = written(cells)
        return MappedCells(read, cells, bad | misfits)

    def meant(self, cells: pa.Array) -> pa.Array:
        """Return the cells of a column without the guard of formulas, where it is to be taken away."""
        return without_guard(cells) if self._unguarded else cells

    def _emptied(self, cells: pa.Array, other: str, table: pa.Table) -> pa.Array:
        position = self._positions.get(header_key(other))
        if position is None:
            return cells
        return pc.if_else(pa.array(has_value(table.column(position).combine_chunks())), "", cells)

    def _rewriter(self, column: Column, source: Source | None) -> Callable[[pa.Array], tuple[pa.Array, Mask]] | None:
        if column.type == "datetime":
            forms = (source.dates if source else ()) or self._mapping.dates
            return (lambda cells: _dated(cells, forms)) if forms else None
        if column.type in ("integer", "decimal"):
            numbers = (source.numbers if source else None) or self._mapping.numbers
            return None if numbers == _PLAIN else lambda cells: _numbered(cells, numbers)
        return None


def _valued(source: Source, cells: pa.Array) -> tuple[pa.Array, Mask]:
    """Translate values; of values without a translation, tell those that are to be rejected."""
    if not source.values:
        return cells, np.zeros(len(cells), dtype=bool)
    bad = source.others == "reject"
    return _by_value(cells, lambda text: source.values.get(text, None if bad else text))


def _dated(cells: pa.Array, forms: tuple[str, ...]) -> tuple[pa.Array, Mask]:
    """Write dates of declared forms as ISO 8601; a form with an offset keeps it."""
    return _by_value(cells, lambda text: _iso(text, forms))


def _iso(text: str, forms: tuple[str, ...]) -> str | None:
    for form in forms:
        try:
            return datetime.strptime(text, form).isoformat()  # noqa: DTZ007 - the zone is the connection's
        except ValueError:
            continue
    return None


def _by_value(cells: pa.Array, translate: Callable[[str], str | None]) -> tuple[pa.Array, Mask]:
    """Translate each different value once; empty cells stay empty."""
    encoded = cells.dictionary_encode()
    values = [translate(value) if value else "" for value in encoded.dictionary.to_pylist()]
    found = pa.array(values, pa.string()).take(encoded.indices)
    bad = np.asarray(found.is_null())
    return pc.fill_null(found, ""), bad


def _numbered(cells: pa.Array, numbers: Numbers) -> tuple[pa.Array, Mask]:
    """Write numbers with a point and no thousands; what is not written as declared is not guessed at."""
    decimal, thousands = numbers.signs
    whole = "[0-9]+"
    if thousands is not None:
        whole = rf"(?:[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|[0-9]+)"
    fits = matches(cells, rf"-?{whole}(?:{re.escape(decimal)}[0-9]+)?")
    bad = has_value(cells) & ~fits
    plain = pc.replace_substring(cells, thousands, "") if thousands is not None else cells
    plain = pc.replace_substring(plain, decimal, ".") if decimal != "." else plain
    return pc.if_else(pa.array(bad), "", plain), bad


def misfit_message(column: Column, source_name: str, mapping: ColumnMapping, shown: str) -> str:
    """Return the sentence about a cell that is not written as the mapping declares."""
    source = mapping.columns.get(column.name)
    name = column.name if source_name.strip() == column.name else f"{column.name} ({source_name.strip()})"
    if column.type == "datetime" and ((source and source.dates) or mapping.dates):
        forms = (source.dates if source else ()) or mapping.dates
        return f"{name} is {shown}, which is no date of the form {' or '.join(forms)}, as this connection declares."
    if column.type in ("integer", "decimal") and not (source and source.values):
        return f"{name} is {shown}, which is no number as this connection declares them."
    return f"{name} is {shown}, which is none of the values that this connection knows."
