"""The form of a trailer: text with `{rows}` and `{sum:Column}` where the figures stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cached_property

ROWS = "rows"
_PLACE = re.compile(r"\{(rows|sum:[^{}]+|\*)\}")
_EXACT = Context(prec=200)
_FIGURE = r"\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s*"


def added(total: Decimal, more: Decimal) -> Decimal:
    """Return a sum with every digit."""
    return _EXACT.add(total, more)


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
    def is_complete(self) -> bool:
        """Whether it can be written: nothing in it stands for anything."""
        return "{*}" not in self.text

    def filled(self, rows: int, sums: Mapping[str, Decimal]) -> str:
        """Return the line of a file with these figures, without an end of line."""
        figures = {ROWS: str(rows), **{f"sum:{name}": f"{total:f}" for name, total in sums.items()}}
        return _PLACE.sub(lambda place: figures[place[1]], self.text)

    @property
    def columns(self) -> list[str]:
        """The columns that are summed up, by their names in the file."""
        return [name for name in self.groups if name != ROWS]
