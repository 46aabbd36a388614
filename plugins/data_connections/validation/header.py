"""The header of a file: which of its cells is which column of the data type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from data_connections.data_types import Column, DataType, header_key
from data_connections.errors import FileRefused, UnknownName, nearest
from data_connections.spec.mapping import AS_IT_IS, ColumnMapping
from data_connections.validation.outcomes import Finding
from data_connections.validation.strangers import why_nothing_fits
from data_connections.validation.withheld import without_addresses

SUBMISSION_ID = "SubmissionId"
REJECTS_COLUMNS = (SUBMISSION_ID, "Line", "ErrorCode", "ErrorColumn", "ErrorMessage")
"""What a rejects file has beside the sender's own columns; ignored when the corrected file comes back."""


@dataclass(frozen=True)
class Header:
    """A file's header, understood.

    Attributes:
        names: The header's cells as read.
        columns: Position of each column of the data type that the file has, by its proper name, in file order.
        added: Positions of the columns that a rejects file adds, by their names.
        opened: Positions of the columns with names of the sender's own, by their names.
        derived: Columns that the file does not have and its rows get: units, the object of the sender's own columns.
        constants: Columns of the data type that have the same value on every row, by the connection's mapping.
        warnings: What is to be said about the header; about the file, not about a row.
        written: What a cell has to fit to be written back, by position; None where the data type takes no hashes.
    """

    names: tuple[str, ...]
    columns: Mapping[str, int]
    added: Mapping[str, int]
    warnings: tuple[Finding, ...]
    opened: Mapping[str, int]
    derived: tuple[str, ...]
    constants: tuple[str, ...] = ()
    written: Mapping[int, str] | None = None

    @property
    def typed(self) -> tuple[str, ...]:
        """The columns of the data type that the file's rows have values of."""
        return (*self.columns, *self.constants, *self.derived)

    @property
    def own_names(self) -> tuple[str, ...]:
        """The sender's own columns: all but those that a rejects file adds."""
        added = set(self.added.values())
        return tuple(name for position, name in enumerate(self.names) if position not in added)


def read_header(
    names: Sequence[str],
    data_type: DataType,
    unknown_columns: Literal["ignore", "warn", "reject"] = "warn",
    mapping: ColumnMapping = AS_IT_IS,
) -> Header:
    """Find the data type's columns in a header, by name or alias; case and surrounding space do not count.

    Columns that the mapping names go by its names only.

    Raises:
        FileRefused: MISSING_COLUMN, UNKNOWN_HEADER, DUPLICATE_COLUMN, a code of the data type's
            `refused_headers`, or UNKNOWN_COLUMN where these are rejected.
        ConfigurationError: The mapping names a column that the data type does not have.
    """
    finder = _Finder(data_type, mapping)
    columns: dict[str, int] = {}
    added: dict[str, int] = {}
    unknown: list[str] = []
    opened: dict[str, int] = {}
    read_only: list[str] = []
    passed_over = frozenset(map(header_key, data_type.read_only))
    rejects = {header_key(name): name for name in REJECTS_COLUMNS}
    for position, name in enumerate(names):
        column = finder.find(name)
        if column is not None:
            _refuse_second(column, columns, names, name)
            columns[column.name] = position
        elif header_key(name) in rejects:
            added[rejects[header_key(name)]] = position
        elif header_key(name) in passed_over:
            read_only.append(name.strip())
        elif not finder.is_needless(name):
            _refuse_unwanted(name, data_type)
            if data_type.open_columns:
                opened[name.strip()] = position
            else:
                unknown.append(name)
    constants = {name: -1 for name, source in mapping.columns.items() if source.constant is not None}
    given = {**columns, **constants}
    _refuse_unrecognised(names, data_type, columns)
    _refuse_incomplete(names, data_type, given, mapping)
    _refuse_by_rules(data_type, given, opened)
    warnings = (
        *_unknown_findings(unknown, finder.known_names(), data_type, unknown_columns),
        *(() if unknown_columns == "ignore" else _read_only_findings(read_only)),
        *_too_many_opened(data_type, opened),
        *_unjudged(data_type, given),
    )
    derived = _derived(data_type, given, opened)
    written = _written(data_type, columns)
    return Header(tuple(names), columns, added, warnings, opened, derived, tuple(constants), written)


def column_named(name: str, data_type: DataType, mapping: ColumnMapping) -> str | None:
    """Return the column of the data type that a header's cell means; None where it means none."""
    column = _Finder(data_type, mapping).find(name)
    return column.name if column else None


def _derived(data_type: DataType, columns: Mapping[str, int], opened: Mapping[str, int]) -> tuple[str, ...]:
    units = [data_type.column(name).unit for name in columns]
    objects = [data_type.open_columns.into] if data_type.open_columns and opened else []
    return tuple(dict.fromkeys(name for name in (*units, *objects) if name is not None and name not in columns))


def _refuse_by_rules(data_type: DataType, columns: Mapping[str, int], opened: Mapping[str, int]) -> None:
    for rule in data_type.header_rules:
        if not set(rule.any_of) & set(columns):
            raise FileRefused(rule.code, rule.message, line=1)
    open_columns = data_type.open_columns
    if open_columns and open_columns.needed_code and not opened:
        raise FileRefused(open_columns.needed_code, open_columns.needed_message, line=1)


def _too_many_opened(data_type: DataType, opened: Mapping[str, int]) -> tuple[Finding, ...]:
    most = data_type.open_columns.advised if data_type.open_columns else None
    if most is None or len(opened) <= most:
        return ()
    message = f"The file adds {len(opened)} columns of its own; up to {most} are advised."
    return (Finding(None, None, "MORE_COLUMNS_THAN_ADVISED", message, "warning"),)


class _Finder:
    """Finds what a cell of a header means, by the mapping and else by the data type's own names."""

    def __init__(self, data_type: DataType, mapping: ColumnMapping) -> None:
        known = [column.name for column in data_type.columns]
        for name in mapping.columns:
            if name not in known:
                raise UnknownName(f"column of {data_type.name}", name, known)
        self._data_type = data_type
        self._mapped = frozenset(mapping.columns)
        named = {
            theirs: name for name, each in mapping.columns.items() for theirs in filter(None, (each.column, *each.also))
        }
        self._theirs = tuple(named)
        self._sources = {header_key(theirs): name for theirs, name in named.items()}
        others = [*mapping.ignored, *mapping.packed, *(each.unless for each in mapping.columns.values() if each.unless)]
        self._needless = frozenset(map(header_key, others))

    def find(self, name: str) -> Column | None:
        if header_key(name) in self._sources:
            return self._data_type.column(self._sources[header_key(name)])
        own = self._data_type.find(name)
        return None if own is None or own.name in self._mapped else own

    def known_names(self) -> list[str]:
        """Return the names that a header's cell may have been meant to be."""
        own = [name for column in self._data_type.columns if column.name not in self._mapped for name in column.names]
        return [*own, *self._theirs]

    def is_needless(self, name: str) -> bool:
        return header_key(name) in self._needless


def _written(data_type: DataType, columns: Mapping[str, int]) -> dict[int, str] | None:
    """Return the patterns of columns of hashes, and of those in which an address can only be a mistake."""
    if not any(column.hashed for column in data_type.columns):
        return None
    found = [(position, data_type.column(name)) for name, position in columns.items()]
    hashes = {position: column.pattern or "" for position, column in found if column.hashed}
    return hashes | {position: "[^@]*" for position, column in found if column.type != "text"}


def _refuse_second(column: Column, columns: Mapping[str, int], names: Sequence[str], name: str) -> None:
    if column.name in columns:
        first = names[columns[column.name]]
        raise FileRefused(
            "DUPLICATE_COLUMN",
            f"The header's {first.strip()!r} and {name.strip()!r} both mean the column {column.name}. Remove one.",
            line=1,
        )


def _refuse_unwanted(name: str, data_type: DataType) -> None:
    for refused in data_type.refused_headers:
        if refused.match(name):
            raise FileRefused(refused.code, f"The header has the column {_shortened(name.strip())}. {refused.message}")


def _refuse_unrecognised(names: Sequence[str], data_type: DataType, columns: Mapping[str, int]) -> None:
    if columns or _missing(data_type, columns):
        return
    hint, options = why_nothing_fits(names, data_type)
    raise FileRefused(
        "UNKNOWN_HEADER",
        f"No cell of the header is a column of {data_type.name}. The header is: {_shown(names)}.{hint}",
        options=options,
    )


def _refuse_incomplete(
    names: Sequence[str], data_type: DataType, columns: Mapping[str, int], mapping: ColumnMapping
) -> None:
    missing = _missing(data_type, columns)
    if not missing:
        return
    hint, options = why_nothing_fits(names, data_type) if not columns else ("", {})
    noun, verb = ("column", "is") if len(missing) == 1 else ("columns", "are")
    raise FileRefused(
        "MISSING_COLUMN",
        f"The {noun} {', '.join(_described(column, mapping) for column in missing)} {verb} missing. "
        f"The header is: {_shown(names)}.{hint or _misspelling(names, missing, data_type)}",
        options=options,
    )


def _missing(data_type: DataType, columns: Mapping[str, int]) -> list[Column]:
    """Return the columns that the header should have: the required, and those with no alternative there."""
    return [
        column
        for column in data_type.columns
        if column.name not in columns
        and (column.required or (column.required_unless and not set(column.required_unless) & set(columns)))
    ]


def _described(column: Column, mapping: ColumnMapping) -> str:
    source = mapping.columns.get(column.name)
    if source is not None:
        return f"{column.name} (here {' or '.join(filter(None, (source.column, *source.also)))})"
    others = [*column.aliases, *column.required_unless]
    return f"{column.name} (or {' or '.join(others)})" if others else column.name


def _misspelling(names: Sequence[str], missing: Sequence[Column], data_type: DataType) -> str:
    free = [name.strip() for name in names if data_type.find(name) is None]
    for column in missing:
        similar = nearest(column.name, free)
        if similar is not None:
            return f" Is {similar!r} meant to be {column.name}?"
    return ""


def _unknown_findings(
    unknown: Sequence[str], known: Sequence[str], data_type: DataType, treatment: Literal["ignore", "warn", "reject"]
) -> tuple[Finding, ...]:
    if treatment == "ignore":
        return ()
    findings = []
    for name in unknown:
        similar = nearest(name.strip(), known)
        hint = f" Is it meant to be {similar}?" if similar else ""
        message = f"{data_type.title} has no column {_shortened(name)!r}: it is ignored.{hint}"
        findings.append(Finding(None, name, "UNKNOWN_COLUMN", message, "warning"))
    if findings and treatment == "reject":
        message = findings[0].message.replace("it is ignored", "this connection takes no unknown columns")
        raise FileRefused("UNKNOWN_COLUMN", message)
    return tuple(findings)


def _read_only_findings(names: Sequence[str]) -> Iterator[Finding]:
    if names:
        message = f"Passed over, as a file cannot change what our reports show in them: {', '.join(names)}."
        yield Finding(None, None, "READ_ONLY_COLUMNS", message, "warning")


def _unjudged(data_type: DataType, columns: Mapping[str, int]) -> Iterator[Finding]:
    for rule in data_type.rules:
        if rule.where_given and not columns.keys() & set(rule.columns):
            yield Finding(None, None, rule.code, f"The file has none of these columns. {rule.message}", "warning")


def _shown(names: Sequence[str]) -> str:
    shown = ", ".join(_shortened(name) for name in names[:20])
    return f"{shown}, and {len(names) - 20} more" if len(names) > 20 else shown or "empty"


def _shortened(name: str) -> str:
    name = without_addresses(name)
    return name if len(name) <= 40 else f"{name[:40]}..."
