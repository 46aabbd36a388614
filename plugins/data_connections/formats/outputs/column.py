"""One column of an outbound file: its name there, and what its values are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "integer", "decimal", "date", "datetime", "boolean"]


@dataclass(frozen=True)
class OutputColumn:
    """A column as the file has it.

    Attributes:
        name: In the header, as the key, as the element.
        type: What it holds; ``datetime`` is an instant.
    """

    name: str
    type: ColumnType
