"""The data types of an installation: every folder under ``include/schemas``, and folders beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from data_connections.data_types.definition import DataType
from data_connections.errors import ConfigurationError, UnknownName

COLUMNS_FILE = "columns.yaml"
SUITE_FILE = "suite.yaml"


class DataTypes(Mapping[str, DataType]):
    """Data types by name; asking for one that does not exist names the nearest."""

    def __init__(self, data_types: Mapping[str, DataType]) -> None:
        self._data_types = dict(data_types)

    def __getitem__(self, name: str) -> DataType:
        if name not in self._data_types:
            raise UnknownName("data type", name, self._data_types)
        return self._data_types[name]

    def __contains__(self, name: object) -> bool:
        return name in self._data_types

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._data_types))

    def __len__(self) -> int:
        return len(self._data_types)


def load_data_types(folders: Sequence[Path]) -> DataTypes:
    """Read every data type in ``folders``; a later folder may not redefine a name of an earlier one.

    Args:
        folders: Folders that hold one folder for each data type, or are one themselves.

    Raises:
        ConfigurationError: A folder is missing, unreadable or empty, or a name is defined twice.
    """
    found: dict[str, DataType] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ConfigurationError("There is no such folder of data types.", path=folder)
        for columns_file in _columns_files(folder):
            data_type = load_data_type(columns_file.parent)
            if data_type.name in found:
                raise ConfigurationError(f"The data type {data_type.name} is defined twice.", path=columns_file)
            found[data_type.name] = data_type
    return DataTypes(found)


def _columns_files(folder: Path) -> list[Path]:
    own = folder / COLUMNS_FILE
    files = [own] if own.is_file() else sorted(folder.glob(f"*/{COLUMNS_FILE}"))
    if not files:
        raise ConfigurationError(f"No folder in it has a {COLUMNS_FILE}.", path=folder)
    return files


def load_data_type(folder: Path) -> DataType:
    """Read one data type from its folder.

    Raises:
        ConfigurationError: With the file and field that is wrong.
    """
    columns_file, suite_file = folder / COLUMNS_FILE, folder / SUITE_FILE
    columns = columns_file.read_bytes()
    suite = suite_file.read_bytes() if suite_file.exists() else None
    return _loaded(columns_file, columns, suite_file, suite)


@lru_cache(maxsize=256)
def _loaded(columns_file: Path, columns: bytes, suite_file: Path, suite: bytes | None) -> DataType:
    """Make a data type, the same content once: every step of a submission asks for its own."""
    content = _parsed(columns_file, columns)
    if suite is not None:
        content["suite"] = _parsed(suite_file, suite)
    version = hashlib.sha256(columns + (suite or b"")).hexdigest()[:12]
    try:
        return DataType(**{"name": columns_file.parent.resolve().name, **content, "version": version})
    except ValidationError as invalid:
        raise _mistake(invalid, columns_file, suite_file) from invalid


def _mistake(invalid: ValidationError, columns_file: Path, suite_file: Path) -> ConfigurationError:
    first = invalid.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"There is no key {first['loc'][-1]!r} here"
    path = suite_file if field.startswith("suite") else columns_file
    end = "" if message.endswith((".", "?")) else "."
    return ConfigurationError(f"{message[0].upper()}{message[1:]}{end}", path=path, field=field or None)


def _parsed(path: Path, text: bytes) -> dict[str, Any]:
    try:
        content = YAML(typ="safe", pure=True).load(text.decode())
    except (MarkedYAMLError, UnicodeDecodeError) as unreadable:
        mark = getattr(unreadable, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise ConfigurationError(f"This is not readable YAML: {unreadable}", path=path, line=line) from unreadable
    if not isinstance(content, dict):
        raise ConfigurationError("This file must hold a mapping.", path=path)
    return dict(content)
