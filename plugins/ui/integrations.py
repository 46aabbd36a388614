"""Integrations as pages and API make and show them, and their entries in the menu."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException

from data_connections.catalog import Intent, Plan, apply_specs, plan_specs
from data_connections.catalog.export import to_yaml
from data_connections.catalog.presets import ALWAYS, Preset, preset_of, record_integration
from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from data_connections.queries.connections import ConnectionFilter, list_connections
from data_connections.queries.integrations import list_integrations, moved, rows_by_day
from data_connections.settings import Settings
from data_connections.spec import LoadedSpec, parse_spec
from data_connections.steps.known_names import known_names
from ui.limits import room_for_more
from ui.visitor import Visitor


def visible_of(visitor: Visitor, integrations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those integrations that have a connection which the user may see, with these connections alone."""
    names = {name for each in integrations for name in each["connections"] or ()}
    seen = visitor.seen(names) if names else set()
    found = [{**each, "connections": [n for n in each["connections"] or () if n in seen]} for each in integrations]
    return [each for each in found if each["connections"]]


def all_integrations(ledger: Ledger, visitor: Visitor) -> list[dict[str, Any]]:
    """Return the integrations that the user sees."""
    with ledger.connect() as connection:
        return visible_of(visitor, [dict(each) for each in list_integrations(connection)])


def dashboard(ledger: Ledger, visitor: Visitor, number: int) -> dict[str, Any]:
    """Return an integration with its connections' status and what they moved in 30 days.

    Raises:
        HTTPException: 404, whether it does not exist or is not to be seen.
    """
    with ledger.connect() as connection:
        found = visible_of(visitor, [dict(each) for each in list_integrations(connection, number)])
        if not found:
            raise HTTPException(404, f"There is no integration {number}.")
        lines = list_connections(connection, found[0]["connections"], ConnectionFilter(size=200)).lines
        ids = [line["id"] for line in lines]
        figures, chart = moved(connection, ids), rows_by_day(connection, ids)
    return {**found[0], "lines": [{**line, "moved": figures[line["id"]]} for line in lines], "chart": chart}


def answered(ledger: Ledger, preset: Preset, given: Mapping[str, str]) -> dict[str, str]:
    """Return the answers to a preset's questions, with what follows from them.

    Raises:
        ConfigurationError: One is missing, or the program does not exist.
    """
    names = [*ALWAYS, *(ask.name for ask in preset.asks)]
    answers = {name: given.get(name, "").strip() for name in names}
    answers["title"] = answers["title"] or preset.title
    if not answers["prefix"]:
        raise ConfigurationError("Missing: the beginning of the connections' names.")
    row = ledger.one("select id from program where key = %s", [answers["program"]])
    if row is None:
        raise ConfigurationError("Missing: the program.")
    return {**answers, "program_id": str(row["id"])}


def preview(ledger: Ledger, visitor: Visitor, name: str, given: Mapping[str, str]) -> tuple[list[str], Plan]:
    """Return the YAML of each connection that a preset makes of the answers; nothing is changed.

    Raises:
        Mistakes: Everything that keeps them from being made.
        ConfigurationError: An answer is missing.
        HTTPException: 403 where the user may not.
    """
    visitor.must(visitor.may_create, "add integrations")
    specs, _answers = _specs(ledger, name, given)
    plan = plan_specs(ledger, specs, known_names(ledger, Settings.from_environment()), Intent("screen"))
    _must_be_new(plan)
    return [to_yaml(each.spec) for each in specs], plan


def add(ledger: Ledger, visitor: Visitor, name: str, given: Mapping[str, str]) -> int:
    """Make the connections of a preset, all or none, and return the integration's number.

    Raises:
        Mistakes: Everything that keeps them from being made.
        ConfigurationError: An answer is missing, or a connection of that name is there.
        HTTPException: 403 where the user may not, 409 where the program has no room for them.
    """
    preview(ledger, visitor, name, given)
    specs, answers = _specs(ledger, name, given)
    room = room_for_more(ledger, answers["program"])
    if room.limit is not None and room.used + len(specs) > room.limit:
        raise HTTPException(409, f"{len(specs)} connections are made, and the program may have {room.limit} in all.")
    known = known_names(ledger, Settings.from_environment())
    apply_specs(ledger, specs, known, Intent("screen"), visitor.name)
    return record_integration(ledger, name, answers, [each.spec.name for each in specs], visitor.name)


def _specs(ledger: Ledger, name: str, given: Mapping[str, str]) -> tuple[list[LoadedSpec], dict[str, str]]:
    preset = preset_of(Settings.from_environment().include, name)
    answers = answered(ledger, preset, given)
    return [LoadedSpec(parse_spec(content), None) for content in preset.contents(answers)], answers


def _must_be_new(plan: Plan) -> None:
    there = [step.name for step in plan.steps if step.old is not None]
    if there:
        raise ConfigurationError(f"There are connections of these names: {', '.join(there)}. Choose another beginning.")
