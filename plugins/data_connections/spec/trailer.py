"""The form of a trailer: text with `{rows}` and `{sum:Column}` where the figures stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

ROWS = "rows"
_PLACE = re.compile(r"\{(rows|sum:[^{}]+|\*)\}")
_FIGURE = r"\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s*"


@dataclass(frozen=True)
class Trailer:
    """A trailer such as ``TRL|{rows}|{sum:Amount}``; ``{*}`` stands for anything.

    Raises:
        ValueError: It names no figure, one twice, or has another brace.
    """

    text: str

    def __post_init__(self) -> None:
        figures = [place for place in _PLACE.findall(self.text) if place != "*"]
        if not figures or len(set(figures)) < len(figures) or set(_PLACE.sub("", self.text)) & set("{}\r\n"):
            raise ValueError("a trailer is one line with {rows}, {sum:Column} or both, each once, such as 'TRL,{rows}'")

    @cached_property
    def regex(self) -> str:
        """What the last line has to look like; a figure is a group."""
        pieces = _PLACE.split(self.text)
        return "".join(
            re.escape(piece) if place % 2 == 0 else ".*" if piece == "*" else _FIGURE
            for place, piece in enumerate(pieces)
        )

    @cached_property
    def groups(self) -> dict[str, int]:
        """The number of the group of each figure: ``rows``, or the column that is summed up."""
        figures = [place for place in _PLACE.findall(self.text) if place != "*"]
        return {figure.removeprefix("sum:"): number for number, figure in enumerate(figures, start=1)}

    @property
    def columns(self) -> list[str]:
        """The columns that are summed up, by their names in the file."""
        return [name for name in self.groups if name != ROWS]
