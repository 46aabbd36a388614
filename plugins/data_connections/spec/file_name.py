"""Names of outbound files: templates such as ``{connection}_{business_date:%Y-%m-%d}.csv``."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from datetime import date

from data_connections.errors import nearest

PLACEHOLDERS = ("business_date", "last_date", "connection", "program", "report")
_DATES = ("business_date", "last_date")
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_DIRECTIVES = "YymdjbBaAGVu%"
_EXTENSION = re.compile(r"(\.[A-Za-z][A-Za-z0-9]{0,7})(\.(gz|zip|bz2|xz|zst|pgp|gpg))?$", re.IGNORECASE)
_LONGEST = 200
_EXAMPLE = "{business_date:%Y-%m-%d}"


def check_file_name(template: str) -> str:
    """Return ``template`` if every name that it gives can be a file's, in one folder.

    Raises:
        ValueError: With what is wrong and the nearest right placeholder.
    """
    check_placeholders(template)
    example = date(2026, 11, 22)
    _check_name(file_name(template, business_date=example, last_date=example, connection="c", program="p", report="r"))
    return template


def check_placeholders(template: str) -> str:
    """Return ``template`` if all its placeholders are known.

    Raises:
        ValueError: With what is wrong and the nearest right placeholder.
    """
    for field, directives in _fields(template):
        _check_field(field, directives)
    return template


def file_name(
    template: str, *, business_date: date, last_date: date, connection: str, program: str, report: str
) -> str:
    """Return the name that ``template`` gives for one delivery; values are put in as they are, once.

    Args:
        template: A template that ``check_file_name`` accepts.
        business_date: First day of the report.
        last_date: Last day of the report; the same for a report of one day.
        connection: Name of the connection.
        program: Key of the program.
        report: Name of the report.
    """
    dates = {"business_date": business_date, "last_date": last_date}
    names = {"connection": connection, "program": program, "report": report}
    return "".join(
        literal + (_date_text(dates[field], directives) if field in dates else names.get(field or "", ""))
        for literal, field, directives, _ in string.Formatter().parse(template)
    )


def versioned(name: str, version: int) -> str:
    """Return ``name`` with ``_v2`` before its extension; version 1 is the name itself.

    Example:
        ```python
        versioned("report.csv.gz", 2)  # "report_v2.csv.gz"
        ```
    """
    return name if version == 1 else before_extension(name, f"_v{version}")


def before_extension(name: str, addition: str) -> str:
    """Return ``name`` with an addition before its extension."""
    base = without_extension(name)
    return f"{base}{addition}{name[len(base) :]}"


def without_extension(name: str) -> str:
    """Return ``name`` without its extension, that of a compression included."""
    extension = _EXTENSION.search(name, 1)
    return name[: extension.start()] if extension else name


def _fields(template: str) -> Iterator[tuple[str, str]]:
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as broken:
        message = f"a brace is open or too many in {template!r}; a placeholder looks like {_EXAMPLE}"
        raise ValueError(message) from broken
    for _, field, directives, conversion in parsed:
        if field is not None:
            yield f"{field}!{conversion}" if conversion else field, directives or ""


def _check_field(field: str, directives: str) -> None:
    if field not in PLACEHOLDERS:
        near = nearest(field, PLACEHOLDERS)
        hint = f"; did you mean {{{near}}}?" if near else ""
        raise ValueError(f"there is no placeholder {{{field}}}; there are {', '.join(PLACEHOLDERS)}{hint}")
    if field not in _DATES and directives:
        raise ValueError(f"{{{field}}} takes no format; write it without {':' + directives!r}")
    unknown = [found for found in _DIRECTIVE.findall(directives) if not found or found not in _DIRECTIVES]
    if unknown:
        raise ValueError(f"%{unknown[0]} is not a part of a date; write for instance {_EXAMPLE}")
    if directives and ("%" not in directives or "{" in directives):
        raise ValueError(f"{directives!r} is no date format; write for instance {_EXAMPLE}")


def _check_name(name: str) -> None:
    if "/" in name or "\\" in name:
        raise ValueError("a file name holds no / or \\; the folder is a field of its own")
    if not name.isprintable() or name.strip() != name or name in (".", ".."):
        raise ValueError("a file name has no control characters and no space at its ends, and is not . or ..")
    if len(name.encode()) > _LONGEST:
        raise ValueError(f"a file name has at most {_LONGEST} bytes")


def _date_text(day: date, directives: str | None) -> str:
    return day.strftime(directives) if directives else day.isoformat()
