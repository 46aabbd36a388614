"""Which rows the files of a connection write, for data types whose rows are kept by key."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Dataset(BaseModel):
    """The set of rows, such as one of several catalogs of a program, that the files of a connection are about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        default="main",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$",
        description="Its name; connections of one program that name the same one write the same rows.",
    )
    form: Literal["full", "delta"] = Field(
        default="full",
        description="What a file is, where the data type replaces: the `full` set, or the `delta` since the last one.",
    )
    most_removed: Decimal | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of the kept rows that a file may take away unasked; the data type's where left out.",
    )
