"""The reports of an installation: every definition in a folder, with the place of each mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from data_connections.errors import ConfigurationError, Mistakes, UnknownName, nearest
from data_connections.reports.definition import Query, Report
from data_connections.reports.fragments import read_sql
from data_connections.reports.parameters import PARAMETER_NAMES
from data_connections.spec.mistakes import mistakes_of
from data_connections.spec.sources import Source

_PERCENT = re.compile(r"%(?:%|\((?P<name>[^)]*)\)(?P<kind>.?)|)", re.DOTALL)
_REQUIRED = ("date_from", "date_to")


class Reports(Mapping[str, Report]):
    """Reports by name; asking for one that does not exist names the nearest."""

    def __init__(self, reports: Mapping[str, Report]) -> None:
        self._reports = dict(reports)

    def __getitem__(self, name: str) -> Report:
        if name not in self._reports:
            raise UnknownName("report", name, self._reports)
        return self._reports[name]

    def __contains__(self, name: object) -> bool:
        return name in self._reports

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._reports))

    def __len__(self) -> int:
        return len(self._reports)


def load_reports(include: Path) -> Reports:
    """Read every report below ``include/templates/reports``: NAME.yaml with NAME.sql and NAME.check.sql.

    Args:
        include: The folder of the installation's data (``Settings.include``).

    Raises:
        ConfigurationError: The first mistake, with file, line and field.
    """
    folder = include / "templates" / "reports"
    if not folder.is_dir():
        raise ConfigurationError("There is no such folder of reports.", path=folder)
    return _loaded(folder, tuple((path, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()))


@lru_cache(maxsize=8)
def _loaded(folder: Path, _content: tuple[tuple[Path, bytes], ...]) -> Reports:
    """Read the reports of a folder, the same content once: every page that checks a spec asks for them."""
    return Reports({path.stem: load_report(path) for path in sorted(folder.glob("*.yaml"))})


def load_report(path: Path) -> Report:
    """Read one report from its definition and the two SQL files beside it.

    Raises:
        ConfigurationError: Every mistake, with its file, line and field.
    """
    source = Source.read(path, holds="one report")
    queries = {
        "query": _read_query(path.with_suffix(".sql")),
        "check_query": _read_query(path.with_suffix(".check.sql")),
    }
    try:
        return Report.model_validate({**source.plain(), "name": path.stem, **queries})
    except ValidationError as invalid:
        raise Mistakes(mistakes_of(invalid, [source], Report)) from invalid


def _read_query(path: Path) -> Query:
    if not path.exists():
        raise ConfigurationError(
            "A report needs this file: its SQL stands in NAME.sql, the SQL of its check in NAME.check.sql.", path=path
        )
    query = read_sql(path)
    used = set()
    for found in _PERCENT.finditer(query.sql):
        used.add(_parameter(found, query))
    for name in _REQUIRED:
        if name not in used:
            raise ConfigurationError(f"The SQL does not use %({name})s, so it is not bound to a range.", path=path)
    return query


def _parameter(found: re.Match[str], query: Query) -> str | None:
    """Return the name of a placeholder, None for a doubled percent sign."""
    if found[0] == "%%":
        return None
    path, line = query.place(query.sql.count("\n", 0, found.start()) + 1)
    name = found["name"]
    if name is None or found["kind"] != "s":
        message = "A percent sign begins a parameter such as %(date_from)s; for a plain one write %%."
        raise ConfigurationError(message, path=path, line=line)
    if name not in PARAMETER_NAMES:
        message = f"There is no parameter {name!r}; there are: {', '.join(PARAMETER_NAMES)}."
        raise ConfigurationError(message, path=path, line=line, suggestion=nearest(name, PARAMETER_NAMES))
    return str(name)
