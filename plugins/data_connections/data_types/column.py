"""One column of a data type: its names, its type and what its cells may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data_connections.data_types.codes import ROW_CODES
from data_connections.errors import nearest

ColumnType = Literal["text", "integer", "decimal", "datetime", "boolean", "json"]
Severity = Literal["error", "warning"]

_DIGITS = 38
_NUMBERS = ("integer", "decimal")
_FOR_TYPES = {
    "max_length": ("text",),
    "pattern": ("text",),
    "allowed": ("text",),
    "precision": _NUMBERS,
    "scale": ("decimal",),
    "minimum": _NUMBERS,
    "maximum": _NUMBERS,
    "now_allowed": ("datetime",),
    "max_age": ("datetime",),
    "unit": _NUMBERS,
    "currency": ("text",),
}
_NUMBERED = re.compile(r"\{(\d+)\.\.(\d+)\}")
_BIGINT_DIGITS = 18
_SQL_TYPES = {
    "text": "text",
    "integer": "bigint",
    "decimal": "numeric",
    "datetime": "timestamptz",
    "boolean": "boolean",
    "json": "jsonb",
}


class MaximumAge(BaseModel):
    """How old a time may be, in whole days before the received time; the last day itself is accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: int = Field(gt=0, description="Days that are still accepted.")
    with_column: str | None = Field(
        default=None, description="A column whose value, when there is one, allows `with_column_days` instead."
    )
    with_column_days: int | None = Field(default=None, gt=0, description="Days accepted with that column.")
    code: str = Field(description="Code of a row that is older.")

    @model_validator(mode="after")
    def _both_or_none(self) -> MaximumAge:
        if (self.with_column is None) != (self.with_column_days is None):
            raise ValueError("with_column and with_column_days go together")
        return self


class Spelling(BaseModel):
    """Another way to write a value: a cell that matches is read as what it means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: str = Field(description="Regular expression (RE2) that the whole cell must match.")
    means: str = Field(description=r"What it is read as; `\1` is what the first parentheses found.")

    @model_validator(mode="after")
    def _compiles(self) -> Spelling:
        _compile("spellings", self.pattern)
        return self


class Refusal(BaseModel):
    """Cells that are not taken although they fit the type, or taken with a warning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: str = Field(description="Regular expression that the whole cell matches.")
    code: str = Field(description="Code of the row.")
    message: str = Field(description="Sentence that says what to do.")
    severity: Severity = Field(default="error", description="`error` rejects the row, `warning` does not.")

    @model_validator(mode="after")
    def _compiles(self) -> Refusal:
        _compile("refused", self.pattern)
        return self


class Column(BaseModel):
    """One column: a row's cell either fits it or is rejected with a code that names why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Name in the header; `Text{1..3}` stands for Text1, Text2 and Text3.")
    type: ColumnType = Field(default="text", description="What a cell holds.")
    description: str = Field(default="", description="What the value means, for people.")
    aliases: tuple[str, ...] = Field(default=(), description="Other names the header may use.")
    required: bool = Field(default=False, description="The header and every row must have it.")
    required_unless: tuple[str, ...] = Field(
        default=(), description="Required where none of these columns has a value."
    )
    max_length: int | None = Field(default=None, gt=0, description="Characters at most.")
    precision: int | None = Field(default=None, gt=0, description="Digits at most, of a decimal or integer.")
    scale: int | None = Field(
        default=None, ge=0, le=20, description="Digits after the point at most, of a decimal; 0 with a precision alone."
    )
    minimum: Decimal | None = Field(default=None, description="Smallest number accepted.")
    maximum: Decimal | None = Field(default=None, description="Largest number accepted.")
    allowed: tuple[str, ...] = Field(default=(), description="The only values accepted, in any case.")
    pattern: str | None = Field(default=None, description="Regular expression that the whole cell must match.")
    currency: bool = Field(default=False, description="An ISO 4217 code of a currency in use, in any case.")
    spellings: tuple[Spelling, ...] = Field(
        default=(), description="Other ways to write a value, such as dates the American way; the first that fits."
    )
    refused: tuple[Refusal, ...] = Field(default=(), description="Cells that are not taken, or only with a warning.")
    unit: str | None = Field(
        default=None, description="Column that takes the unit of a number written with one: `15.00 USD`."
    )
    now_allowed: bool = Field(default=False, description="`NOW` stands for the received time.")
    max_age: MaximumAge | None = Field(default=None, description="How old a time may be.")
    personal: bool = Field(default=False, description="Personal data: never shown in messages or logs.")
    hashed: bool = Field(
        default=False,
        description="Personal, and sent as a hash: a value that does not fit the pattern is written nowhere.",
    )
    lenient: bool = Field(
        default=False, description="A bad value is left out with a warning; the row is accepted without it."
    )
    carried: bool = Field(
        default=False, description="Rarely used: checked, and kept with the row, with no ledger column of its own."
    )
    codes: Mapping[str, str] = Field(
        default_factory=dict,
        description="Codes instead of the usual ones, by usual code, such as `REQUIRED: OID_MISSING`.",
    )
    messages: Mapping[str, str] = Field(
        default_factory=dict, description="Sentences instead of the usual ones, by usual code."
    )

    @model_validator(mode="after")
    def _settings_fit_the_type(self) -> Column:
        for setting, types in _FOR_TYPES.items():
            if getattr(self, setting) not in (None, (), False) and self.type not in types:
                raise ValueError(f"{self.name}: {setting} is for {' and '.join(types)}, not for {self.type}")
        if self.precision is not None and not (self.scale or 0) <= self.precision <= _DIGITS:
            raise ValueError(f"{self.name}: precision must be from scale to {_DIGITS}")
        if self.hashed and self.pattern is None:
            raise ValueError(f"{self.name}: hashed needs a pattern")
        if self.lenient and (self.required or self.required_unless):
            raise ValueError(f"{self.name}: a column that is required cannot be lenient")
        if self.pattern is not None:
            _compile(self.name, self.pattern)
        return self

    @model_validator(mode="after")
    def _codes_are_usual_ones(self) -> Column:
        usual = {*ROW_CODES, *([self.max_age.code] if self.max_age else [])}
        for code in (*self.codes, *self.messages):
            if code not in usual:
                near = nearest(code, usual)
                raise ValueError(f"{self.name}: there is no code {code}" + (f"; did you mean {near}?" if near else ""))
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The column's name and its aliases, as they may stand in a header."""
        return (self.name, *self.aliases)

    @property
    def field(self) -> str:
        """Name of the column in staging and in the ledger: ``ActionTrackerId`` -> ``action_tracker_id``."""
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name)
        return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")

    @property
    def sql_type(self) -> str:
        """PostgreSQL's type of the column, in staging and in the ledger."""
        if self.type == "integer" and (self.precision or 0) > _BIGINT_DIGITS:
            return "numeric"
        return _SQL_TYPES[self.type]

    def expanded(self) -> Iterator[Column]:
        """Yield the column itself, or one column for each number of a ``Name{1..9}``."""
        for names in zip(*(numbered_names(name) for name in self.names), strict=True):
            yield self.model_copy(update={"name": names[0], "aliases": tuple(names[1:])})


def numbered_names(name: str) -> list[str]:
    """Return what a name stands for: ``Text{1..3}`` is Text1, Text2 and Text3; others are themselves."""
    numbered = _NUMBERED.search(name)
    if numbered is None:
        return [name]
    return [_NUMBERED.sub(str(number), name) for number in range(int(numbered[1]), int(numbered[2]) + 1)]


def _compile(name: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as wrong:
        raise ValueError(f"{name}: pattern is no regular expression: {wrong}") from wrong
