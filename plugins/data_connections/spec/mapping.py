"""How a partner's own columns become those of a data type: names, constants, values, dates and numbers."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML

from data_connections.errors import ConfigurationError, UnknownName

_SIGNS = {"point": ".", "comma": ",", "space": " ", "apostrophe": "'"}


class Numbers(BaseModel):
    """How numbers are written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decimal: Literal["point", "comma"] = Field(default="point", description="What stands before the decimals.")
    thousands: Literal["point", "comma", "space", "apostrophe"] | None = Field(
        default=None, description="What may stand between groups of three digits; nothing where left out."
    )

    @model_validator(mode="after")
    def _different(self) -> Numbers:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands cannot be the same sign")
        return self

    @property
    def signs(self) -> tuple[str, str | None]:
        """The decimal sign, and the one between thousands."""
        return _SIGNS[self.decimal], _SIGNS[self.thousands] if self.thousands else None


class Source(BaseModel):
    """Where the values of one column come from."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    column: str | None = Field(default=None, alias="from", description="Name of the column in the file, in any case.")
    also: tuple[str, ...] = Field(default=(), description="Other names that this column may have in a file.")
    constant: str | None = Field(default=None, description="The value of every row, instead of a column.")
    unless: str | None = Field(default=None, description="Left empty where this column of the file has a value.")
    values: MappingOf[str, str] = Field(default_factory=dict, description="Their values, and ours for them.")
    others: Literal["keep", "reject"] = Field(default="keep", description="What a value does that `values` lacks.")
    dates: tuple[str, ...] = Field(default=(), description="Forms of its dates, such as `%d/%m/%Y %H:%M`.")
    numbers: Numbers | None = Field(default=None, description="How its numbers are written.")

    @field_validator("dates", mode="before")
    @classmethod
    def _forms(cls, given: Any) -> Any:
        return _date_forms(given)

    @model_validator(mode="after")
    def _one_of_both(self) -> Source:
        if (self.column is None) == (self.constant is None):
            raise ValueError("give either from, a column of the file, or constant")
        if self.also and self.column is None:
            raise ValueError("`also` has other names of the column that `from` names")
        return self


class ColumnMapping(BaseModel):
    """How the columns of a file become those of the data type; columns that it does not name go by their own names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: str | None = Field(
        default=None, description="A file of include/mappings to begin with; what stands here wins."
    )
    columns: MappingOf[str, Source] = Field(
        default_factory=dict, description="Our column: theirs, or `{from: ..., ...}` or `{constant: ...}`."
    )
    ignored: tuple[str, ...] = Field(default=(), description="Their columns that nobody needs: no warning.")
    dates: tuple[str, ...] = Field(default=(), description="Forms of dates, where a column has none of its own.")
    numbers: Numbers = Field(default=Numbers(), description="How numbers are written, where a column says nothing.")
    packed: tuple[str, ...] = Field(
        default=(),
        description="Their columns that hold the values of several items in one cell: one row for each item.",
    )
    packed_by: str = Field(default=";", min_length=1, max_length=1, description="What stands between packed values.")

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: {"from": source} if isinstance(source, str) else source for name, source in given.items()}

    @field_validator("dates", mode="before")
    @classmethod
    def _forms(cls, given: Any) -> Any:
        return _date_forms(given)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is mapped."""
        return self == AS_IT_IS

    def resolved(self, folder: Path) -> ColumnMapping:
        """Return the mapping with its preset's entries where it has none of its own, whether new or read back.

        Args:
            folder: The folder of presets.

        Raises:
            ConfigurationError: There is no such preset, or it is wrong.
        """
        if self.preset is None:
            return self
        known = {path.stem: path for path in folder.glob("*.yaml")}
        if self.preset not in known:
            raise UnknownName("mapping", self.preset, known)
        path = known[self.preset]
        try:
            content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
            content.pop("description", None)
            base = ColumnMapping.model_validate(content)
        except (ValidationError, AttributeError) as wrong:
            raise ConfigurationError(f"The mapping is wrong: {wrong}", path=path) from wrong
        # A stored revision has every field, so that only a value other than the usual one is the connection's own.
        own = {name: value for name, value in self if name != "columns" and value != getattr(AS_IT_IS, name)}
        own.pop("preset")
        return base.model_copy(update={**own, "columns": {**base.columns, **self.columns}})


AS_IT_IS = ColumnMapping()
"""No mapping: every column goes by its own name."""


def _date_forms(given: Any) -> Any:
    """Return forms of dates, of which each has to hold a whole date."""
    forms = (given,) if isinstance(given, str) else given
    for form in forms or ():
        day = datetime(2001, 2, 3, 4, 5, 6)  # noqa: DTZ001 - only its form is tried
        if "%" not in str(form) or datetime.strptime(day.strftime(form), form).date() != day.date():  # noqa: DTZ007
            raise ValueError(f"{form!r} is no form of a date with year, month and day")
    return forms
