"""A report: its columns, its SQL and the SQL that it is checked by, read from files beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data_connections.errors import ConfigurationError, nearest
from data_connections.formats.outputs import ColumnType
from data_connections.spec.output_format import DateBasis

ROWS = "rows"
"""The column of a check query that says how many lines the report has to have."""


class ReportColumn(BaseModel):
    """One column of a report, in the order of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="Name in the header, and of the column in the SQL's result.")
    type: ColumnType = Field(
        default="text", description="What it holds; text is protected from being read as a formula."
    )
    description: str = Field(default="", description="What the value means, for people.")


class Check(BaseModel):
    """What of the file is added up and compared with the check query."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per: str | None = Field(default=None, description="Text column whose values the totals are kept apart by.")
    totals: tuple[str, ...] = Field(default=(), description="Number columns that are added up.")


class Query(BaseModel):
    """One SQL statement, what it includes put in, and where each of its lines stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    sql: str
    places: tuple[tuple[Path, int], ...] = Field(default=(), description="File and line of each line of the SQL.")

    def place(self, line: int | None) -> tuple[Path, int | None]:
        """Return the file and the line in it that a line of the SQL was written in."""
        if line is None or not 0 < line <= len(self.places):
            return self.path, line
        return self.places[line - 1]


class Report(BaseModel):
    """A report as its files define it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$", description="Name of its files, used in specs and on the command line."
    )
    title: str = Field(description="Name for people.")
    description: str = ""
    kind: Literal["report", "segment"] = Field(
        default="report", description="A remarketing segment says so in names and manifest."
    )
    date_basis: tuple[DateBasis, ...] = Field(
        min_length=1,
        description="Which date puts something into the range; of several the first, where nobody asks for another.",
    )
    columns: tuple[ReportColumn, ...] = Field(min_length=1)
    check: Check = Check()
    rows_per_file: int = Field(default=0, ge=0, description="Most rows in one file where a connection does not say.")
    keep_together: tuple[str, ...] = Field(
        default=(), description="Columns that make an order: its lines, one after another, stay in one file."
    )
    query: Query
    check_query: Query

    @field_validator("date_basis", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _checked_columns_exist(self) -> Report:
        types = {column.name: column.type for column in self.columns}
        if len(types) < len(self.columns):
            raise ValueError("every column needs a name of its own")
        for name in self.check.totals:
            if types.get(name) not in ("integer", "decimal"):
                raise ValueError(f"check.totals: {name!r} is not a column of type integer or decimal")
        if self.check.per is not None and types.get(self.check.per) != "text":
            raise ValueError(f"check.per: {self.check.per!r} is not a column of type text")
        for name in self.keep_together:
            if name not in types:
                raise ValueError(f"keep_together: {name!r} is not a column")
        return self

    def basis(self, asked: str | None) -> DateBasis:
        """Return the date basis that was asked for, or the report's first where none was.

        Raises:
            ConfigurationError: The report has no such basis.
        """
        for basis in self.date_basis:
            if asked in (None, basis):
                return basis
        raise ConfigurationError(
            f"The report {self.name} has no date basis {asked!r}; it has {', '.join(self.date_basis)}.",
            field="covers.date_basis",
            suggestion=nearest(str(asked), self.date_basis),
        )

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)
