"""Connection specs read from a folder of YAML files, with the place of every mistake."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from data_connections.errors import ConfigurationError, Mistakes
from data_connections.spec.connection import CONNECTION_SPEC, ConnectionSpec
from data_connections.spec.mistakes import mistakes_of
from data_connections.spec.sources import Source, mistake_at
from data_connections.spec.variables import fill_in

DEFAULTS_FILE = "_defaults.yaml"


@dataclass(frozen=True)
class LoadedSpec:
    """A spec, and the files that it was read from."""

    spec: ConnectionSpec
    path: Path | None = None
    sources: tuple[Source, ...] = field(default=(), repr=False)

    def mistake(self, place: str, message: str, suggestion: str | None = None) -> ConfigurationError:
        """Return a mistake in one of its fields, with file and line where it came from a file."""
        if not self.sources:
            message = f"Connection {self.spec.name}: {message}"
        return mistake_at(self.sources, tuple(place.split(".")), message, suggestion)


@dataclass(frozen=True)
class LoadedFolder:
    """What a folder of specs holds: the good ones, and every mistake of the others."""

    path: Path
    specs: tuple[LoadedSpec, ...]
    mistakes: tuple[ConfigurationError, ...]


def load_folder(folder: Path, environment: Mapping[str, str] = os.environ) -> LoadedFolder:
    """Read every ``*.yaml`` of ``folder``, one connection a file; `_defaults.yaml` fills what they leave out.

    Args:
        folder: The folder, or a single YAML file.
        environment: Where ``${NAME}`` takes its values from.

    Raises:
        ConfigurationError: There is no such folder, or no spec in it.
    """
    specs: list[LoadedSpec] = []
    mistakes: list[ConfigurationError] = []
    for path in _spec_files(folder):
        try:
            specs.append(load_spec(path, environment))
        except Mistakes as several:
            mistakes.extend(several.mistakes)
        except ConfigurationError as mistake:
            mistakes.append(mistake)
    mistakes.extend(_names_twice(specs))
    return LoadedFolder(folder, tuple(specs), tuple(_each_once(mistakes)))


def load_spec(path: Path, environment: Mapping[str, str] = os.environ) -> LoadedSpec:
    """Read one spec with the defaults of its folder.

    Raises:
        Mistakes: Every mistake in it.
        ConfigurationError: The file cannot be read at all.
    """
    own = Source.read(path, holds="one connection")
    defaults_file = path.with_name(DEFAULTS_FILE)
    sources = (own, Source.read(defaults_file, holds="defaults")) if defaults_file.exists() else (own,)
    merged = _merge(sources[-1].plain(), own.plain()) if len(sources) > 1 else own.plain()
    merged.setdefault("name", path.stem)
    content, missing = fill_in(merged, environment)
    mistakes = [
        mistake_at(sources, place, f"The environment variable {name} is not set; set it where Connections runs.")
        for place, name in missing.items()
    ]
    try:
        spec = CONNECTION_SPEC.validate_python(content)
    except ValidationError as invalid:
        said = {mistake.field for mistake in mistakes}
        mistakes += [mistake for mistake in mistakes_of(invalid, sources) if mistake.field not in said]
    if mistakes:
        raise Mistakes(sorted(mistakes, key=lambda mistake: (mistake.path != path, mistake.line or 0)))
    return LoadedSpec(spec, path, sources)


def parse_spec(content: Mapping[str, Any]) -> ConnectionSpec:
    """Return the spec that a plain mapping holds, such as a stored revision.

    Raises:
        Mistakes: Every mistake in it.
    """
    try:
        return CONNECTION_SPEC.validate_python(dict(content))
    except ValidationError as invalid:
        raise Mistakes(mistakes_of(invalid, ())) from invalid


def _spec_files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise ConfigurationError("There is no such file or folder of connections.", path=folder)
    files = [*folder.glob("*.yaml"), *folder.glob("*.yml")]
    found = sorted(path for path in files if not path.name.startswith(("_", ".")))
    if not found:
        raise ConfigurationError("This folder holds no connection (no *.yaml file).", path=folder)
    return found


def _merge(defaults: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(defaults)
    for key, value in own.items():
        deeper = isinstance(value, Mapping) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if deeper else value
    return merged


def _names_twice(specs: Iterable[LoadedSpec]) -> list[ConfigurationError]:
    first: dict[str, Path | None] = {}
    mistakes = []
    for loaded in specs:
        name = loaded.spec.name
        if name in first:
            message = f"The name {name!r} is already used by {first[name]}; every connection needs its own."
            mistakes.append(mistake_at(loaded.sources, ("name",), message))
        first.setdefault(name, loaded.path)
    return mistakes


def _each_once(mistakes: Iterable[ConfigurationError]) -> list[ConfigurationError]:
    """Leave out repetitions: a mistake in `_defaults.yaml` shows in every file of its folder."""
    return list({str(mistake): mistake for mistake in mistakes}.values())
