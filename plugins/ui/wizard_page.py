"""The page of one step of the wizard: what it asks, what is wrong, and on the review what would be applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from data_connections.catalog import Known, current, names
from data_connections.catalog.export import to_yaml
from data_connections.data_types import load_data_types
from data_connections.data_types.suite import FILE_EXPECTATIONS, ROW_EXPECTATIONS
from data_connections.errors import ConfigurationError, Mistakes
from data_connections.ledger import Ledger
from data_connections.settings import Settings
from data_connections.spec import ConnectionSpec
from data_connections.spec.schedule import check_schedule
from data_connections.spec.time_zone import check_time_zone
from data_connections.steps.known_names import known_names
from ui.airflow_logins import known_logins
from ui.draft import CHOSEN, Draft, by_section, content_of_draft, methodologies, methods, placed
from ui.form_values import rows_of
from ui.rendering import render
from ui.saving import preview_spec
from ui.schedule_words import next_times, schedule_in_words
from ui.visitor import Visitor
from ui.wizard_credentials import server_of, wrong
from ui.wizard_layout import FIELDS, SECTIONS, STEPS, is_below, only_with, step_of

_LOGINS = {"pgp.credentials": "pgp", "details.smtp": "smtp"}
"""Fields that name credentials, and of which kind."""
_SUGGESTED = {
    "mapping.columns.name": "columns",
    "expectations.rows.type": "row expectations",
    "expectations.file.type": "file expectations",
}
"""Fields in rows for which a page knows what may be meant."""


def show_step(
    request: Request, visitor: Visitor, ledger: Ledger, draft: Draft, step: str, status: int = 0, **more: Any
) -> HTMLResponse:
    """Return the page of a step, with everything that was written so far."""
    mistakes = more.pop("mistakes", ())
    edits = draft.get("edits", "")
    managed = current(ledger, edits).managed_by if edits else "screen"
    known = known_names(ledger, Settings.from_environment())
    values = {
        "draft": draft,
        "step": step,
        "steps": STEPS,
        "edits": edits,
        "managed": managed if managed.startswith("files:") else None,
        "wrong": beside_fields(mistakes, draft),
        "schedule": in_words(draft),
        "known": known,
        "keys": None,
        "tried": None,
        "report": None,
        "conflict": None,
        **_choices(ledger, draft, step, known),
        **(_review(ledger, draft) if step == "review" else {"yaml": "", "changes": (), "warnings": ()}),
        **more,
    }
    return render(
        request, "wizard.html", visitor, here="connections", status=status or (422 if mistakes else 200), **values
    )


def drafted_spec(ledger: Ledger, draft: Draft) -> ConnectionSpec:
    """Return the spec that a draft makes.

    Raises:
        Mistakes: Everything that is wrong with it.
    """
    if not draft.get("edits") and draft.get("name") in names(ledger):
        raise Mistakes([wrong("name", f"There is a connection {draft['name']!r} already.")])
    spec, _plan = preview_spec(ledger, content_of_draft(draft), "screen")
    if draft.get("edits") not in (None, "", spec.name):
        raise Mistakes([wrong("name", "The name of a connection stays as it is.")])
    return spec


def mistakes_until(ledger: Ledger, draft: Draft, step: str) -> Sequence[ConfigurationError]:
    """Return what is wrong with the fields of all steps up to this one."""
    try:
        drafted_spec(ledger, draft)
    except Mistakes as found:
        reached = STEPS.index(step)
        return [each for each in found.mistakes if STEPS.index(step_of(each.field)) <= reached]
    return []


def beside_fields(mistakes: Sequence[ConfigurationError], draft: Draft) -> dict[str, str]:
    """Return the message for each field, by the name that the form has for it."""
    found: dict[str, str] = {}
    for each in mistakes:
        place = placed(each.field or "", draft)
        found[place] = f"{found.get(place, '')} {_sentence(each)}".strip()
    return found


def in_words(draft: Mapping[str, str]) -> dict[str, Any]:
    """Return the schedule in words and its next times; nothing where it is none."""
    name = draft.get("name") or "new"
    try:
        schedule = check_schedule(draft.get("schedule") or CHOSEN["schedule"])
        zone = check_time_zone(draft.get("time_zone") or CHOSEN["time_zone"])
    except ValueError:
        return {"words": "", "next": []}
    times = next_times(schedule, name, zone)
    return {
        "words": schedule_in_words(schedule, name),
        "next": [each.strftime("%a %Y-%m-%d %H:%M %Z") for each in times],
    }


def _choices(ledger: Ledger, draft: Draft, step: str, known: Known) -> dict[str, Any]:
    """Return what there is to choose on a step, and the fields that it asks for."""
    fields = by_section(draft)
    here = [section for section in SECTIONS if section.step == step and fields[section.key]]
    asked = {*FIELDS[step], *(field.name for section in here for field in fields[section.key])}
    asked |= {name for name in draft if step == "credentials" and name.startswith(("new_", "edit_"))}
    logins = known_logins() if step in ("credentials", "method") else ()
    return {
        "sections": here,
        "fields": fields,
        "rows": {each.name: rows_of(each, draft) for own in fields.values() for each in own if each.kind == "rows"},
        "only_with": lambda name: only_with(name, draft["direction"]),
        "filled": {section.key: _is_filled(section.key, fields, draft) for section in here},
        "carried": [pair for pair in sorted(draft.items()) if not any(is_below(pair[0], name) for name in asked)],
        "methods": methods(draft["direction"]),
        "methodologies": methodologies(draft["direction"], draft["method"]),
        "programs": ledger.all("select key, name from program where active order by name"),
        "server": server_of(draft),
        "logins": [each for each in logins if each.conn_type == server_of(draft)],
        "named": {
            "mapping.preset": sorted(path.stem for path in Settings.from_environment().mappings.glob("*.yaml")),
            **{name: [each.name for each in logins if each.conn_type == kind] for name, kind in _LOGINS.items()},
        },
        "suggested": _suggested(draft) if step == "type" else {},
    }


def _is_filled(key: str, fields: Mapping[str, Any], draft: Draft) -> bool:
    names = [field.name for field in fields[key]]
    return any(value.strip() and any(is_below(name, each) for each in names) for name, value in draft.items())


def _suggested(draft: Draft) -> dict[str, list[str]]:
    known, name = load_data_types(Settings.from_environment().schemas), draft.get("data_type", "")
    definition = known[name] if name in known else None  # noqa: SIM401 - its `get` raises
    lists = {
        "columns": [column.name for column in definition.columns] if definition else [],
        "row expectations": sorted(ROW_EXPECTATIONS),
        "file expectations": sorted(FILE_EXPECTATIONS),
    }
    return {field: lists[name] for field, name in _SUGGESTED.items()}


def _review(ledger: Ledger, draft: Draft) -> dict[str, Any]:
    try:
        spec, plan = preview_spec(ledger, content_of_draft(draft), "screen")
    except Mistakes:
        return {"yaml": "", "changes": (), "warnings": ()}
    return {
        "yaml": to_yaml(spec),
        "changes": plan.steps[0].changes if draft.get("edits") else (),
        "warnings": [warning.removeprefix(f"{spec.name}: ") for warning in plan.warnings],
    }


def _sentence(mistake: ConfigurationError) -> str:
    return mistake.message + (f" Did you mean {mistake.suggestion!r}?" if mistake.suggestion else "")
