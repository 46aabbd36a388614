"""`connections template`: files to start from, for each data type."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from command_line.output import note
from command_line.session import current_settings
from data_connections.errors import ConfigurationError, UnknownName

_DAYS_AGO = re.compile(r"\{days_ago:(\d+)\}")


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
    chosen = level or next(iter(found))
    if level is None and len(found) > 1:
        note(f"This is the {chosen} level; there are: {', '.join(found)}.")
    lines = found[chosen].read_text(encoding="utf-8").splitlines(keepends=True)
    text = _dated("".join(lines) if example else lines[0])
    if out is None:
        sys.stdout.write(text)
    elif out.exists():
        raise ConfigurationError("This file is there already; nothing is overwritten.", path=out)
    else:
        out.write_text(text, encoding="utf-8")


def _templates(data_type: str) -> dict[str, Path]:
    """Return the templates of a data type by level; item comes before order."""
    folder = current_settings().include / "templates"
    found = {path.stem: path for path in sorted((folder / data_type).glob("*.csv"))}
    if not found or not (current_settings().include / "schemas" / data_type).is_dir():
        raise UnknownName("template for data type", data_type, {path.parent.name for path in folder.glob("*/*.csv")})
    return found


def _dated(text: str) -> str:
    """Fill in days: an example whose dates are fixed would be too old some day."""
    today = datetime.now(UTC)
    return _DAYS_AGO.sub(lambda days: f"{today - timedelta(days=int(days[1])):%Y-%m-%d}", text)
