"""`connections template`: files to start from, for each data type."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from command_line.data_types import known_data_types
from command_line.output import note
from command_line.session import current_settings
from data_connections.errors import ConfigurationError, UnknownName

SUFFIXES = (".csv", ".txt", ".tsv", ".xml")
_DAYS_AGO = re.compile(r"\{days_ago(_us)?:(\d+)\}")


def template(
    data_type: Annotated[str, typer.Argument(metavar="DATA_TYPE", help="Such as conversions.", show_default=False)],
    level: Annotated[
        str | None, typer.Argument(metavar="[LEVEL]", help="Such as order or item, where there are several.")
    ] = None,
    example: Annotated[bool, typer.Option("--example", help="With rows, of the last days.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write to this file.")] = None,
) -> None:
    """Print a file to start from: the header, or with --example a whole file that `connections check` accepts."""
    found = _templates(data_type)
    if level is not None and level not in found:
        raise UnknownName(f"template of {data_type}:", level, found)
    chosen = level or next(iter(found), None)
    if level is None and len(found) > 1:
        note(f"This is the {chosen} level; there are: {', '.join(found)}.")
    if chosen is None and example:
        raise ConfigurationError(f"{data_type} has no example: put one into include/templates/{data_type}.")
    if data_type == "action_modifications" and example:
        note("Is yours made from one of our CSV reports? Then let its connection say `format.formula_guard: undo`.")
    text = _dated(_text(found[chosen], example=example)) if chosen else _header(data_type)
    if out is None:
        sys.stdout.write(text)
    elif out.exists():
        raise ConfigurationError("This file is there already; nothing is overwritten.", path=out)
    else:
        out.write_text(text, encoding="utf-8")


def _templates(data_type: str) -> dict[str, Path]:
    """Return the templates of a data type by level; item comes before order."""
    folder = current_settings().include / "templates" / data_type
    known_data_types([])[data_type]
    return {
        path.stem: path
        for path in sorted(folder.glob("*"), key=lambda path: (path.stem != "item", path.name))
        if path.suffix in SUFFIXES
    }


def _text(path: Path, *, example: bool) -> str:
    """Return a template, without its rows where no example is wanted.

    Comments above the header stay; of XML what is not indented, the elements around the rows.
    """
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if path.suffix == ".xml":
        return "".join(line for line in lines if example or not line.startswith(" "))
    comments = next((number for number, line in enumerate(lines) if not line.startswith("#")), 0)
    return "".join(lines if example else lines[: comments + 1])


def _header(data_type: str) -> str:
    """Return a header with the columns that a data type has a ledger column for."""
    columns = known_data_types([])[data_type].columns
    return ",".join(column.name for column in columns if not column.carried) + "\n"


def _dated(text: str) -> str:
    """Fill in days: an example whose dates are fixed would be too old some day."""
    today = datetime.now(UTC)

    def day(found: re.Match[str]) -> str:
        return f"{today - timedelta(days=int(found[2])):{'%m/%d/%Y' if found[1] else '%Y-%m-%d'}}"

    return _DAYS_AGO.sub(day, text)
