"""How commands show things: tables for people, JSON for programs on standard output, notes on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
"""The option ``--json`` of every command that prints data."""

_UNFOLDED = 250


def print_json(value: Any) -> None:
    """Print one JSON document; dates are ISO 8601, decimals strings, models their fields."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")


def print_json_line(value: Any) -> None:
    """Print one line of JSON Lines, at once; in ASCII, as some readers end lines at U+2028 and U+0085 too."""
    sys.stdout.write(json.dumps(value, default=_plain) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> None:
    """Print a table on standard output; None is an empty cell, a list is joined by commas."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    # Where nobody looks, such as in a pipe, nothing is folded.
    Console(width=None if sys.stdout.isatty() else _UNFOLDED).print(table)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print names and values below each other, without those that are empty."""
    shown = {name: cell(value) for name, value in fields.items() if cell(value)}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        typer.echo(f"{typer.style(name.ljust(width), dim=True)}  {value}")


def note(text: str) -> None:
    """Tell a person something beside the data, on standard error."""
    typer.echo(text, err=True)


def complain(error: object) -> None:
    """Say on standard error what went wrong."""
    typer.echo(f"{typer.style('Error:', fg='red', bold=True)} {error}", err=True)


def warn(text: object) -> None:
    """Say on standard error what should be looked at."""
    typer.echo(f"{typer.style('Warning:', fg='yellow', bold=True)} {text}", err=True)


def cell(value: Any) -> str:
    """Return a value as a person reads it: times in UTC to the second, lists with commas."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S") + (" UTC" if value.utcoffset() == timedelta(0) else "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    return str(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
