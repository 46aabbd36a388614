"""How the accepted rows of a data type are kept in the ledger, where a folder says all that there is to say."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

OWN_FIELDS = ("program_id", "dataset", "submission_id", "line", "received_at", "extra")
"""Columns that every table of kept rows has beside those of its data type."""

STAGED_FIELDS = ("line", "outcome", "measured_amount", "measured_currency")
"""Columns that staged rows have beside those of their data type."""


class Removal(BaseModel):
    """Rows that take the row of their key away instead of writing it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str = Field(description="The column that says so.")
    value: str = Field(min_length=1, description="What it says, in any case; other values write the row.")


class Keep(BaseModel):
    """Rows that are appended, or written and replaced by their key, in a table of their own: no Python is needed.

    Every row belongs to a program and, within it, to a dataset (`dataset.name` of the connection).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    how: Literal["append", "upsert", "replace"] = Field(
        description="`append` adds every row; `upsert` writes each row over the one with its key; "
        "`replace` takes a file as the whole set, so that what it does not name goes."
    )
    table: str | None = Field(
        default=None, pattern=r"^[a-z][a-z0-9_]{0,57}$", description="The ledger's table; the data type's name."
    )
    key: tuple[str, ...] = Field(default=(), description="Columns that tell rows apart; for `upsert` and `replace`.")
    program: str | None = Field(
        default=None, description="Column with the number of the program; it must be the connection's."
    )
    removal: Removal | None = Field(
        default=None, description="Rows that take another away, by key; `replace` reads it in the delta form."
    )
    most_removed: Decimal = Field(
        default=Decimal("0.5"),
        ge=0,
        le=1,
        description="With `replace`: a file that would take away a larger share of the kept rows waits for approval.",
    )
    indexes: tuple[tuple[str, ...], ...] = Field(default=(), description="Columns that rows are looked up by.")

    @model_validator(mode="after")
    def _key_where_it_is_needed(self) -> Keep:
        if self.how == "append" and (self.key or self.removal):
            raise ValueError("`append` adds every row: key and removal are for `upsert` and `replace`")
        if self.how != "append" and not self.key:
            raise ValueError(f"`{self.how}` needs the key that tells rows apart")
        return self

    @property
    def columns(self) -> set[str]:
        """Names of the data type's columns that are named here."""
        named = {*self.key, *(name for index in self.indexes for name in index)}
        return named | set(filter(None, [self.program, self.removal.column if self.removal else None]))
