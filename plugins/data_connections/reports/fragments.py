"""SQL files, with what they share put in: a line ``-- include NAME`` stands for the file ``fragments/NAME.sql``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data_connections.errors import ConfigurationError, nearest
from data_connections.reports.definition import Query

FOLDER = "fragments"
"""Beside the reports; holds what several of them have in common."""

_INCLUDE = re.compile(r"\s*--\s*include\s+(?P<name>\S+)\s*")

Line = tuple[str, Path, int]


def read_sql(path: Path) -> Query:
    """Read one statement, and put in what it includes; a semicolon at its end is left out.

    Raises:
        ConfigurationError: A file is not UTF-8 text, a fragment is not there, or it includes itself.
    """
    lines = list(_lines(path, ()))
    text = "\n".join(line for line, *_ in lines)
    places = tuple((file, number) for _, file, number in lines)
    return Query(path=path, sql=text.rstrip().removesuffix(";"), places=places)


def _lines(path: Path, outer: tuple[Path, ...]) -> Iterator[Line]:
    for number, line in enumerate(_read_text(path).splitlines(), start=1):
        found = _INCLUDE.fullmatch(line)
        if found is None:
            yield line, path, number
            continue
        top = outer[0] if outer else path
        yield from _lines(_fragment(top.parent / FOLDER, found["name"], path, number, outer), (*outer, path))


def _fragment(folder: Path, name: str, path: Path, line: int, outer: tuple[Path, ...]) -> Path:
    found = folder / f"{name}.sql"
    if not found.is_file():
        there = sorted(file.stem for file in folder.glob("*.sql"))
        message = f"There is no file {FOLDER}/{name}.sql to include."
        raise ConfigurationError(message, path=path, line=line, suggestion=nearest(name, there))
    if found in (*outer, path):
        raise ConfigurationError(f"{FOLDER}/{name}.sql includes itself.", path=path, line=line)
    return found


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as unreadable:
        raise ConfigurationError("This file is not UTF-8 text; save it as UTF-8.", path=path) from unreadable
