"""A data type: what the rows of a file are, read from its folder under ``include/schemas``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data_connections.data_types.column import Column, Severity
from data_connections.data_types.file_rules import Days, HeaderRule, OpenColumns
from data_connections.data_types.indexed import IndexedItems
from data_connections.data_types.keep import OWN_FIELDS, STAGED_FIELDS, Keep
from data_connections.data_types.suite import Suite


def header_key(name: str) -> str:
    """Return the form in which header names are compared: case and surrounding space do not count."""
    return name.strip().casefold()


class RowRule(BaseModel):
    """A rule over several columns of one row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["all_of", "any_of", "one_of", "at_most_one"] = Field(
        description="How many of the columns must have a value."
    )
    columns: tuple[str, ...] = Field(min_length=1, description="The columns counted.")
    when: str | None = Field(default=None, description="The rule holds only where this column has a value.")
    when_matches: str | None = Field(
        default=None, description="... and where the whole value matches this regular expression (RE2)."
    )
    code: str = Field(description="Code of a row that breaks the rule.")
    message: str = Field(description="Sentence that says what to do.")
    severity: Severity = Field(default="error", description="`error` rejects the row, `warning` does not.")
    where_given: bool = Field(
        default=False,
        description="Rows are judged where the file has one of the columns; else the file gets a warning.",
    )


class Group(BaseModel):
    """Lines that belong together, such as the items of one order: they stand or fall together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: tuple[str, ...] = Field(
        min_length=1,
        description="Columns that lines of one group share; the last one is what messages name, such as OrderId.",
    )
    item: str | None = Field(
        default=None, description="Column that makes a line one of several; lines without it stand alone."
    )
    repeated_code: str = Field(description="Code of lines that come again out of sequence: a duplicate.")
    incomplete_code: str = Field(description="Code of lines whose sibling was rejected.")
    total: str | None = Field(
        default=None, description="Column with what all lines of a group are worth together; it has to be their sum."
    )
    total_code: str = Field(default="GROUP_TOTAL_MISMATCH", description="Code of a group whose `total` is not its sum.")


class RefusedHeaders(BaseModel):
    """Columns that would change what a row means, so that a file with one of them is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: str = Field(description="Regular expression that the whole name must match, in any case.")
    code: str = Field(description="Code of the refused file.")
    message: str = Field(description="Sentence that says what to do.")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as wrong:
            raise ValueError(f"{pattern!r} is no regular expression: {wrong}") from wrong
        return pattern

    def match(self, name: str) -> bool:
        """Return whether a cell of a header is meant."""
        return re.fullmatch(self.pattern, name.strip(), re.IGNORECASE) is not None


class Measures(BaseModel):
    """What is added up for the totals of a file.

    The amount of a row is the first of ``amounts`` that has a value; a term ``A*B`` is a product.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    amounts: tuple[str, ...] = Field(default=(), description="Columns, or products `A*B`, in order of preference.")
    currency: str | None = Field(default=None, description="Column with the ISO 4217 code.")
    quantity: str | None = Field(default=None, description="Column with the number of pieces.")


class DataType(BaseModel):
    """Columns, rules and suite of one data type, with the version that its folder's content gives."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Folder name, used in specs.")
    title: str = Field(description="Name for people.")
    description: str = Field(default="", description="What the rows are, for people.")
    version: str = Field(description="Hash of the folder's content; stored with each submission.")
    columns: tuple[Column, ...] = Field(min_length=1, description="The columns; their order in a file does not matter.")
    refused_headers: tuple[RefusedHeaders, ...] = Field(
        default=(), description="Names of columns that refuse a file instead of being ignored."
    )
    read_only: tuple[str, ...] = Field(
        default=(),
        description="Columns of our own reports that a file cannot change: passed over, with one note for all of them.",
    )
    header_rules: tuple[HeaderRule, ...] = Field(default=(), description="What a header must have.")
    open_columns: OpenColumns | None = Field(default=None, description="Columns that a file may add under any name.")
    days: Days | None = Field(default=None, description="How many days a file may be about.")
    most_row_bytes: int | None = Field(
        default=None, gt=0, description="Bytes of UTF-8 that a row may have, with its delimiters; ROW_TOO_LONG above."
    )
    format: Mapping[str, Any] = Field(
        default_factory=dict, description="How such files are written where the connection does not say otherwise."
    )
    rules: tuple[RowRule, ...] = Field(default=(), description="Rules over several columns of one row.")
    indexed: IndexedItems | None = Field(default=None, description="Numbered columns that hold the items of one row.")
    group: Group | None = Field(default=None, description="Lines that stand or fall together, such as an order.")
    measures: Measures = Field(default=Measures(), description="What is added up for the totals of a file.")
    keep: Keep | None = Field(default=None, description="How rows are kept, where the folder alone says it.")
    advised_rows: int | None = Field(default=None, gt=0, description="More rows than this is a warning.")
    suite: Suite = Field(default=Suite(), description="The expectations of suite.yaml.")

    @field_validator("columns")
    @classmethod
    def _expand_numbered(cls, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        return tuple(one for column in columns for one in column.expanded())

    @model_validator(mode="after")
    def _names_are_known_and_unique(self) -> DataType:
        seen: dict[str, str] = {}
        for column in self.columns:
            for name in column.names:
                if header_key(name) in seen:
                    raise ValueError(f"{name} names both {seen[header_key(name)]} and {column.name}")
                seen[header_key(name)] = column.name
        for name in self.read_only:
            if header_key(name) in seen:
                raise ValueError(f"read_only: {name} is a column of the data type")
        unknown = self._names_used() - {column.name for column in self.columns}
        if unknown:
            raise ValueError(f"no column is named {', '.join(sorted(unknown))}")
        return self

    @model_validator(mode="after")
    def _measures_are_numbers(self) -> DataType:
        terms = [part for term in self.measures.amounts for part in term.split("*")]
        for name in filter(None, [*terms, self.measures.quantity]):
            if self.column(name).type not in ("integer", "decimal"):
                raise ValueError(f"measures: {name} is no number")
        return self

    @model_validator(mode="after")
    def _total_is_money(self) -> DataType:
        total = self.group.total if self.group else None
        if total is not None and self.column(total).type != "decimal":
            raise ValueError(f"group.total: {total} is no decimal")
        return self

    @model_validator(mode="after")
    def _fields_are_free(self) -> DataType:
        taken = dict.fromkeys((*STAGED_FIELDS, *(OWN_FIELDS if self.keep else ())), "the ledger itself")
        for column in self.columns:
            if column.field in taken:
                raise ValueError(
                    f"{column.name} would be kept as {column.field}, which is taken by {taken[column.field]}"
                )
            taken[column.field] = column.name
        return self

    @model_validator(mode="after")
    def _kept_columns_are_ledger_columns(self) -> DataType:
        if self.keep is None:
            return self
        measured = {part for term in self.measures.amounts for part in term.split("*")}
        for name in sorted(self.keep.columns | measured | {*filter(None, [self.measures.quantity])}):
            if self.column(name).carried:
                raise ValueError(f"{name} is looked at in the ledger, so it cannot be `carried`")
        if self.keep.program and self.column(self.keep.program).type != "integer":
            raise ValueError(f"keep.program: {self.keep.program} is no integer")
        return self

    @model_validator(mode="after")
    def _json_is_for_open_columns(self) -> DataType:
        of_json = {column.name for column in self.columns if column.type == "json"}
        if of_json != ({self.open_columns.into} if self.open_columns else set()):
            raise ValueError("a column of the type json is what `open_columns.into` names, and nothing else")
        return self

    def _names_used(self) -> set[str]:
        used = {name for rule in self.rules for name in (*rule.columns, *filter(None, [rule.when]))}
        used |= {name for column in self.columns for name in column.required_unless}
        used |= {part for term in self.measures.amounts for part in term.split("*")}
        used |= set(filter(None, [self.measures.currency, self.measures.quantity]))
        used |= {name for expectation in (*self.suite.rows, *self.suite.file) for name in expectation.columns}
        used |= {column.max_age.with_column for column in self.columns if column.max_age and column.max_age.with_column}
        used |= self.keep.columns if self.keep else set()
        used |= {name for rule in self.header_rules for name in rule.any_of}
        used |= {column.unit for column in self.columns if column.unit}
        used |= {self.open_columns.into} if self.open_columns else set()
        used |= {self.days.column} if self.days else set()
        if self.indexed:
            used |= {*self.indexed.columns, *(f"{name}1" for name in self.indexed.numbered)}
            used |= {*self.indexed.totals.keys(), *self.indexed.totals.values()}
        if self.group:
            used |= {*self.group.key, *filter(None, [self.group.item, self.group.total])}
        return used

    def with_suite(self, more: Suite) -> DataType:
        """Return the same data type with more expectations beside its own.

        Raises:
            ValueError: One of them names a column that the data type does not have.
        """
        used = {name for expectation in (*more.rows, *more.file) for name in expectation.columns}
        unknown = used - {column.name for column in self.columns}
        if unknown:
            raise ValueError(f"{self.name} has no column named {', '.join(sorted(unknown))}")
        suite = Suite(rows=self.suite.rows + more.rows, file=self.suite.file + more.file)
        return self.model_copy(update={"suite": suite})

    def without_suite(self) -> DataType:
        """Return the same data type without any expectation."""
        return self.model_copy(update={"suite": Suite()})

    @property
    def table(self) -> str | None:
        """Name of the table that rows are kept in; None where other rules than the folder's apply them."""
        return (self.keep.table or self.name) if self.keep else None

    def column(self, name: str) -> Column:
        """Return the column of that exact name; KeyError when there is none."""
        return self._by_name[name]

    def find(self, header_name: str) -> Column | None:
        """Return the column that a header cell means, by name or alias, or None."""
        return self._by_header_key.get(header_key(header_name))

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def _by_header_key(self) -> dict[str, Column]:
        found = (column for column in self.columns if column.type != "json")
        return {header_key(name): column for column in found for name in column.names}
