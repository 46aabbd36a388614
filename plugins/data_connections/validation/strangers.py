"""Guesses at why a header is none: another delimiter, no header line, lines above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data_connections.data_types import DataType

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", ":": "colon", " ": "space"}


def why_nothing_fits(names: Sequence[str], data_type: DataType) -> tuple[str, Mapping[str, object]]:
    """Say what may be the matter with a header of which no cell is known, and the format that would cure it.

    Returns:
        A sentence with a space in front, and the keys and values of ``format``, if any would help.
    """
    delimiter = _delimiter_inside(names, data_type)
    if delimiter is not None:
        return f" The delimiter seems to be the {delimiter}: declare it.", {"delimiter": delimiter}
    if any(any(character.isdigit() for character in name) for name in names):
        return " This looks like data: the file may have no header line, or lines above it.", {}
    return " The file may have lines above its header, another delimiter, or no header line.", {}


def _delimiter_inside(names: Sequence[str], data_type: DataType) -> str | None:
    for sign, delimiter in _DELIMITERS.items():
        parts = [part.strip("'\"") for name in names for part in name.split(sign)]
        if len(parts) > len(names) and sum(data_type.find(part) is not None for part in parts) > 1:
            return delimiter
    return None
