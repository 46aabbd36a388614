"""One block of a file, row by row: typed cells, findings, and what tells the row's group apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_connections.currencies import in_use
from data_connections.data_types import Column, DataType
from data_connections.formats import BrokenRow, RowBlock
from data_connections.formats.formula_guard import looks_guarded
from data_connections.validation.cells import absent_problems, has_value, read_cells
from data_connections.validation.expectations import RowExpectations
from data_connections.validation.header import SUBMISSION_ID, Header
from data_connections.validation.lexical import Problem, as_mask, kept, matches
from data_connections.validation.mapped import CellMapper, MappedCells, misfit_message
from data_connections.validation.messages import cell_finding, shown, usual_severity
from data_connections.validation.open_columns import as_objects, column_named
from data_connections.validation.outcomes import NO_CURRENCY, Finding, Mask, Outcome, ValidationOptions
from data_connections.validation.rows import CheckedRows
from data_connections.validation.rules import rule_problems
from data_connections.validation.spellings import as_meant
from data_connections.validation.texts import space_around
from data_connections.validation.times import Clock, age_problems, unlikely_dates

_KEY_SEPARATOR = "\x1f"


class RowChecker:
    """Checks the rows of one file, block by block, each row by itself.

    Args:
        header: Which column stands where.
        data_type: What the columns hold.
        options: Received time, zone and settings.
        expectations: The suite's part for rows; None: it has none, or they are switched off.
        formula_guard: What an apostrophe before the sign of a formula is, as the file's format says it; None: a text.
    """

    def __init__(
        self,
        header: Header,
        data_type: DataType,
        options: ValidationOptions,
        expectations: RowExpectations | None,
        *,
        formula_guard: Literal["keep", "undo"] | None = None,
    ) -> None:
        self._header = header
        self._data_type = data_type
        self._options = options
        self._expectations = expectations
        self._clock = Clock.of(options)
        self._columns = [data_type.column(name) for name in header.typed if data_type.column(name).type != "json"]
        self._mapper = CellMapper(options.mapping, header.names, unguarded=formula_guard == "undo")
        self._warns_of_guard = formula_guard == "keep"
        known = in_use(options.received_at.date()) | {NO_CURRENCY, options.default_currency.upper()}
        self._currencies = pa.array(sorted(known), pa.string())
        group = data_type.group
        self._key = [name for name in group.key if name in header.typed] if group else []

    def check(self, block: RowBlock) -> CheckedRows:
        """Check the rows of one block; rows with a wrong number of cells take their place among the others."""
        cells = block.cells.combine_chunks()
        checked = self._check_well_formed(block.lines, cells)
        return _with_broken(checked, block.broken) if block.broken else checked

    def _check_well_formed(self, lines: np.ndarray[tuple[int], np.dtype[np.int64]], cells: pa.Table) -> CheckedRows:
        mapped = {
            column.name: self._mapper.cells(column, self._header.columns.get(column.name), cells)
            for column in self._columns
        }
        raw = as_meant(self._columns, {name: each.cells for name, each in mapped.items()}, len(lines))
        mapped = {name: each.meant(raw[name]) for name, each in mapped.items()}
        presence = {name: has_value(raw[name]) | each.misfits for name, each in mapped.items()}
        findings: list[Finding] = []
        typed: dict[str, pa.Array] = {}
        certain = np.ones(len(lines), dtype=bool)
        for column in self._columns:
            values, bad = self._check_column(column, mapped[column.name], presence, lines, findings)
            typed[column.name] = values
            if column.name in self._key:
                certain &= ~bad
        typed |= self._check_opened(cells, lines, findings)
        findings += self._too_long(cells, lines)
        for rule, name, broken in rule_problems(self._data_type.rules, presence, raw, len(lines)):
            findings += [Finding(int(line), name, rule.code, rule.message, rule.severity) for line in lines[broken]]
        table = pa.table(typed)
        if self._expectations is not None:
            findings += self._expectations.evaluate(table, lines)
        findings.sort(key=lambda finding: finding.line or 0)
        key = self._keys(table)
        return CheckedRows(
            lines=lines,
            cells=cells,
            typed=table,
            outcome=_outcomes(lines, findings),
            findings=findings,
            broken={},
            key=key,
            certain=certain,
            item=self._items(presence, len(lines)),
            corrects=self._corrects(cells),
        )

    def _check_opened(
        self, cells: pa.Table, lines: np.ndarray[tuple[int], np.dtype[np.int64]], findings: list[Finding]
    ) -> dict[str, pa.Array]:
        """Check the columns of the sender's own, and return the objects that they make."""
        opened = self._data_type.open_columns
        if opened is None or not self._header.opened:
            return {}
        checked = []
        for name, position in self._header.opened.items():
            texts = self._mapper.meant(_flat(cells.column(position)))
            presence = {name: has_value(texts)}
            column = column_named(opened, name)
            checked.append(
                (name, *self._check_column(column, MappedCells.plain(texts), presence, lines, findings, key=True))
            )
        return {opened.into: as_objects(checked, len(lines))}

    def _too_long(self, cells: pa.Table, lines: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Iterator[Finding]:
        most = self._data_type.most_row_bytes
        if most is None:
            return
        own = sorted(set(range(cells.num_columns)) - set(self._header.added.values()))
        sizes = np.full(len(lines), len(own) - 1, dtype=np.int64)
        for position in own:
            sizes += np.asarray(pc.binary_length(_flat(cells.column(position))), dtype=np.int64)
        for row in np.flatnonzero(sizes > most).tolist():
            message = f"The row has {sizes[row]:,} bytes; {most:,} are the most. Shorten its texts."
            yield Finding(int(lines[row]), None, "ROW_TOO_LONG", message)

    def _check_column(
        self,
        column: Column,
        mapped: MappedCells,
        presence: Mapping[str, Mask],
        lines: np.ndarray[tuple[int], np.dtype[np.int64]],
        findings: list[Finding],
        *,
        key: bool = False,
    ) -> tuple[pa.Array, Mask]:
        """Type one column and add what is wrong with it; return its values and where they are bad."""
        bad, cells, present = mapped.misfits.copy(), mapped.cells, presence[column.name]
        misfits = np.flatnonzero(bad).tolist()
        findings += [self._misfit(column, int(lines[row]), mapped.read[row].as_py()) for row in misfits]
        is_key = key or column.name in self._key
        values, problems = read_cells(column, cells, present, self._clock, key=is_key)
        for code, mask in self._all_problems(column, cells, presence, values, problems):
            rows = np.flatnonzero(mask & ~bad)
            if len(rows):
                texts = mapped.read.take(pa.array(rows)).to_pylist()
                findings += [
                    cell_finding(column, code, line, text, self._options)
                    for line, text in zip(lines[rows].tolist(), texts, strict=True)
                ]
                if usual_severity(code, self._options) == "error":
                    bad |= mask
        for refusal in column.refused:
            fitting = present & ~bad & matches(cells, refusal.pattern)
            findings += [
                Finding(line, column.name, refusal.code, refusal.message, refusal.severity)
                for line in lines[fitting].tolist()
            ]
            if refusal.severity == "error":
                bad |= fitting
        return kept(values, ~bad) if column.lenient and bad.any() else values, bad

    def _misfit(self, column: Column, line: int, cell: str) -> Finding:
        position = self._header.columns[column.name]
        message = misfit_message(column, self._header.names[position], self._options.mapping, shown(cell, column))
        return Finding(line, column.name, "NOT_MAPPED", message)

    def _all_problems(
        self, column: Column, cells: pa.Array, presence: Mapping[str, Mask], values: pa.Array, typing: Iterator[Problem]
    ) -> Iterator[Problem]:
        present = presence[column.name]
        yield from absent_problems(column, cells, present, presence)
        yield from typing
        rule = column.max_age
        if rule is not None:
            yield from age_problems(column, values, presence.get(rule.with_column or ""), self._clock)
        if column.type == "datetime":
            yield "DATE_UNLIKELY", unlikely_dates(values)
        if column.name in self._key and column.type == "text":
            yield "SPACE_AROUND_KEY", present & space_around(cells)
        if column.currency:
            yield "CURRENCY_UNKNOWN", present & ~as_mask(pc.is_in(pc.utf8_upper(cells), value_set=self._currencies))
        guarded = looks_guarded(cells) if self._warns_of_guard and column.type == "text" else None
        if guarded is not None:
            yield "LOOKS_GUARDED", as_mask(guarded)

    def _keys(self, typed: pa.Table) -> pa.Array:
        """Return one text for each row's group key, null where all of it is empty."""
        if not self._key:
            return pa.nulls(typed.num_rows, pa.string())
        columns = [_flat(typed.column(name)).cast(pa.string()) for name in self._key]
        joined = pc.binary_join_element_wise(*columns, _KEY_SEPARATOR, null_handling="replace", null_replacement="")
        empty = pc.equal(joined, _KEY_SEPARATOR * (len(columns) - 1))
        return pc.if_else(empty, pa.scalar(None, pa.string()), joined)

    def _items(self, presence: Mapping[str, Mask], rows: int) -> Mask:
        group = self._data_type.group
        if group is None or group.item is None:
            return np.ones(rows, dtype=bool)
        return presence.get(group.item, np.zeros(rows, dtype=bool))

    def _corrects(self, cells: pa.Table) -> frozenset[str]:
        position = self._header.added.get(SUBMISSION_ID)
        if position is None:
            return frozenset()
        return frozenset(pc.unique(cells.column(position)).to_pylist()) - {""}


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _outcomes(
    lines: np.ndarray[tuple[int], np.dtype[np.int64]], findings: list[Finding]
) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    outcome = np.full(len(lines), Outcome.ACCEPTED, dtype=np.uint8)
    rejected = [finding.line for finding in findings if finding.severity == "error"]
    if rejected:
        outcome[np.searchsorted(lines, np.array(rejected, dtype=np.int64))] = Outcome.REJECTED
    return outcome


def _with_broken(rows: CheckedRows, broken: list[BrokenRow]) -> CheckedRows:
    """Put rows with a wrong number of cells to their places, each rejected with its reason."""
    width = rows.cells.num_columns
    texts = [[*row.cells[:width], *[""] * (width - len(row.cells))] for row in broken]
    added = pa.table(
        [pa.array([text[position] for text in texts], pa.string()) for position in range(width)],
        schema=rows.cells.schema,
    )
    lines = np.concatenate([rows.lines, np.array([row.line for row in broken], dtype=np.int64)])
    places = np.argsort(lines, kind="stable")
    findings = [Finding(row.line, None, row.code, row.message) for row in broken]
    nothing = [pa.nulls(len(broken), field.type) for field in rows.typed.schema]
    return CheckedRows(
        lines=lines[places],
        cells=pa.concat_tables([rows.cells, added]).take(pa.array(places)).combine_chunks(),
        typed=pa.concat_tables([rows.typed, pa.table(nothing, schema=rows.typed.schema)])
        .take(pa.array(places))
        .combine_chunks(),
        outcome=np.concatenate([rows.outcome, np.full(len(broken), Outcome.REJECTED, dtype=np.uint8)])[places],
        findings=sorted([*rows.findings, *findings], key=lambda finding: finding.line or 0),
        broken={row.line: row.cells for row in broken},
        key=pa.concat_arrays([rows.key, pa.nulls(len(broken), pa.string())]).take(pa.array(places)),
        certain=np.concatenate([rows.certain, np.zeros(len(broken), dtype=bool)])[places],
        item=np.concatenate([rows.item, np.ones(len(broken), dtype=bool)])[places],
        corrects=rows.corrects,
    )
