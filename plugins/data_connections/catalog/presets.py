"""Presets: the connections that one partner product needs, made together from a few answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Annotated, Any, Literal

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from data_connections.catalog import activity
from data_connections.errors import ConfigurationError, UnknownName
from data_connections.ledger.database import Ledger, LedgerConnection

ALWAYS = ("title", "prefix", "program")
"""Answers that every preset takes; ``program_id`` follows from the program."""


class Ask(BaseModel):
    """One question of a preset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern="^[a-z][a-z_]*$", description="As the preset's connections write it after a dollar sign.")
    label: str = Field(description="What people are asked.")
    hint: str = Field(default="", description="What it is for.")
    kind: Literal["text", "number", "credentials", "event_type"] = Field(default="text", description="What fits.")
    default: str = Field(default="", description="What stands there at first.")


class Preset(BaseModel):
    """A partner product, and the connections that it needs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(description="Name of the product.")
    description: str = Field(description="What is made.")
    icon: str = Field(pattern=r"^[a-z0-9_-]+\.svg$", description="File of its picture, beside the preset.")
    asks: tuple[Ask, ...] = Field(description="What has to be known.")
    connections: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)] = Field(description="Specs with $names.")

    def contents(self, answers: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the specs as plain values, with the answers in their places.

        Raises:
            ConfigurationError: An answer is missing.
        """
        missing = [ask.label for ask in self.asks if not answers.get(ask.name, "").strip()]
        if missing:
            raise ConfigurationError(f"Missing: {', '.join(missing)}.")
        return [_filled({**each, "program": "$program"}, answers) for each in self.connections]


def load_presets(include: Path) -> dict[str, Preset]:
    """Return the presets of ``include/presets`` by their file's name.

    Raises:
        ConfigurationError: One of them is wrong.
    """
    paths = sorted((include / "presets").glob("*.yaml"))
    return {path.stem: _read(path, path.stat().st_mtime) for path in paths}


def preset_of(include: Path, name: str) -> Preset:
    """Return one preset.

    Raises:
        UnknownName: There is none of that name.
    """
    known = load_presets(include)
    if name not in known:
        raise UnknownName("preset", name, known)
    return known[name]


def record_integration(
    ledger: Ledger, preset: str, answers: Mapping[str, str], connections: list[str], who: str
) -> int:
    """Keep which connections were made together, and return the integration's number."""
    with ledger.connect() as connection:
        row = connection.execute(
            "insert into integration (preset, title, program, answers, created_by) values (%s, %s, %s, %s, %s) "
            "returning id",
            [preset, answers["title"], answers["program"], Jsonb(dict(answers)), who],
        ).fetchone()
        assert row is not None  # noqa: S101 - an insert gives its row back
        connection.execute(
            "insert into integration_connection select %s, id from connection where name = any(%s)",
            [row["id"], connections],
        )
        _record(connection, who, "integration.created", answers["title"], row["id"])
    return int(row["id"])


def remove_integration(ledger: Ledger, number: int, who: str) -> None:
    """Take an integration off the menu; its connections stay as they are. Doing it twice changes nothing."""
    with ledger.connect() as connection:
        row = connection.execute(
            "update integration set removed_at = now() where id = %s and removed_at is null returning title", [number]
        ).fetchone()
        if row is not None:
            _record(connection, who, "integration.removed", row["title"], number)


def _record(connection: LedgerConnection, who: str, what: str, title: str, number: int) -> None:

    activity.record(connection, who, what, title, details={"integration": number})


@lru_cache(maxsize=64)
def _read(path: Path, _changed_at: float) -> Preset:
    try:
        return Preset.model_validate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))
    except (ValidationError, YAMLError) as wrong:
        raise ConfigurationError(f"The preset is wrong: {wrong}", path=path) from wrong


def _filled(value: Any, answers: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return Template(value).substitute(answers)
    if isinstance(value, dict):
        return {_filled(key, answers): _filled(each, answers) for key, each in value.items()}
    return [_filled(each, answers) for each in value] if isinstance(value, list) else value
