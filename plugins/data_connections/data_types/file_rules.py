"""Rules about a file as a whole: what its header must have, columns that it may add, days that it may span."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from data_connections.data_types.column import Refusal, numbered_names


class HeaderRule(BaseModel):
    """Columns of which a header needs one at least; a file with none of them is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    any_of: tuple[str, ...] = Field(min_length=1, description="The columns; `Event {1..9}` stands for nine.")
    code: str = Field(description="Code of the refused file.")
    message: str = Field(description="Sentence that says what to do.")

    @field_validator("any_of")
    @classmethod
    def _expand_numbered(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(one for name in names for one in numbered_names(name))


class OpenColumns(BaseModel):
    """Columns with names of the sender's own: all that the data type does not name, kept together as one object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    into: str = Field(description="Column of the type `json` that takes them, by their names in the header.")
    max_length: int | None = Field(default=None, gt=0, description="Characters of one value at most.")
    refused: tuple[Refusal, ...] = Field(default=(), description="Values that are not taken.")
    needed_code: str | None = Field(default=None, description="Code of a file with none of them; none: it is taken.")
    needed_message: str = Field(default="", description="Sentence that goes with `needed_code`.")
    advised: int | None = Field(default=None, gt=0, description="More columns than this is a warning about the file.")


class Days(BaseModel):
    """How many different days a file may be about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str = Field(description="Column with a time; days are those of the connection's zone.")
    most: int = Field(gt=0, description="Days at most; a file with more is refused.")
    code: str = Field(description="Code of the refused file.")
