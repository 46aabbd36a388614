"""A connection that is being written: the fields of a form, and the spec that they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_connections.catalog.export import content_to_yaml
from data_connections.errors import ConfigurationError, Mistakes
from data_connections.spec import InboundConnection, OutboundConnection
from data_connections.spec.connection import KINDS
from ui.form_fields import Field, fields_of
from ui.form_values import LEFT_OUT, parsed, popped, put, rows_of, taken, texts_of
from ui.wizard_layout import FIELDS, SECTIONS, is_below, section_of

CHOSEN = {"direction": "inbound", "method": "sftp", "new_kind": "password", "schedule": "daily", "time_zone": "UTC"}
"""What is chosen before anybody chooses."""
USUAL = {"inbound": "pull", "outbound": "push"}
"""The usual methodology of each direction."""
_DRAWN = [name for names in FIELDS.values() for name in names if name != "more"]

Draft = dict[str, str]


def kind_of(draft: Mapping[str, str]) -> type[InboundConnection | OutboundConnection] | None:
    """Return the model of the drafted connection; None where direction, method and methodology do not go together."""
    usual = draft.get("methodology") in (None, "", USUAL.get(draft["direction"]))
    key = "_".join([draft["direction"], draft["method"], *([] if usual else [draft["methodology"]])])
    return KINDS.get(key)


def methods(direction: str) -> list[str]:
    """Return the methods that connections of a direction may have."""
    return list(dict.fromkeys(kind.split("_")[1] for kind in KINDS if kind.startswith(f"{direction}_")))


def methodologies(direction: str, method: str) -> list[str]:
    """Return the methodologies of a method, the usual one first."""
    found = [kind.split("_") for kind in KINDS if kind.startswith(f"{direction}_{method}")]
    return [USUAL[direction], *(parts[2] for parts in found if len(parts) == 3 and parts[2] != USUAL[direction])]


def fields_asked(draft: Mapping[str, str]) -> list[Field]:
    """Return the fields that belong to the chosen direction, method and methodology, beside those that pages draw."""
    kind = kind_of(draft)
    found = [field for field in fields_of(kind) if section_of(field.name)] if kind else []
    return [field for field in found if field.name != "details.folder" or field.options != ("/",)]


def by_section(draft: Mapping[str, str]) -> dict[str, list[Field]]:
    """Return the fields of each section, by its key, in the order in which a section names them."""
    fields = fields_asked(draft)
    found: dict[str, list[Field]] = {}
    for section in SECTIONS:
        own = [field for field in fields if section_of(field.name) is section]
        found[section.key] = sorted(own, key=lambda field: _place_in(section.names, field.name))
    return found


def content_of_draft(draft: Mapping[str, str]) -> dict[str, Any]:
    """Return the spec's content that a draft makes.

    Raises:
        Mistakes: ``more`` is not a mapping in YAML, or the lines of a map are not.
    """
    content = _more(draft.get("more", ""))
    content |= {name: draft[name].strip() for name in _DRAWN if draft.get(name, "").strip()}
    wrong: list[ConfigurationError] = []
    for field in fields_asked(draft):
        try:
            if (value := taken(field, draft)) is not LEFT_OUT:
                put(content, field.name, value)
        except AttributeError as flat:
            part = field.name.partition(".")[0]
            raise Mistakes([ConfigurationError(f"`{part}` holds fields and values.", field="more")]) from flat
        except Mistakes as mistaken:
            wrong += mistaken.mistakes
    if wrong:
        raise Mistakes(wrong)
    return {"details": {}, **content}


def draft_of(content: Mapping[str, Any]) -> Draft:
    """Return the draft that makes ``content`` again."""
    rest = _copied(content)
    draft = {**CHOSEN, **{name: str(rest.pop(name)) for name in _DRAWN if rest.get(name) is not None}}
    draft.setdefault("methodology", USUAL[draft["direction"]])
    for field in fields_asked(draft):
        value = popped(rest, field.name)
        texts = {} if value is LEFT_OUT else texts_of(field, value)
        if texts is None:
            put(rest, field.name, value)
        else:
            draft |= texts
    rest = {key: value for key, value in _pruned(rest).items() if value not in (None, {})}
    draft["more"] = content_to_yaml(rest) if rest else ""
    return draft


def placed(name: str, draft: Mapping[str, str]) -> str:
    """Return the field of the form, or the part of the spec, that a mistake's message stands beside.

    Args:
        name: Dotted name in the spec.
        draft: The form; its rows may have other numbers than the spec's.
    """
    fields = {field.name: field for field in fields_asked(draft)}
    above = next((each for each in sorted(fields, key=len, reverse=True) if is_below(name, each)), None)
    if above is None or fields[above].kind != "rows" or name == above:
        return above or name
    return _in_row(fields[above], name.removeprefix(f"{above}."), draft)


def without_row(draft: Mapping[str, str], row: str) -> Draft:
    """Return a draft without one row, such as ``expects.0``."""
    return {name: value for name, value in draft.items() if not is_below(name, row)}


def with_row(draft: Mapping[str, str], name: str) -> Draft:
    """Return a draft with one more row of a field, still empty."""
    field = next((each for each in fields_asked(draft) if each.name == name and each.kind == "rows"), None)
    if field is None:
        return dict(draft)
    number = max(rows_of(field, draft), default=-1) + 1
    return {**draft, f"{name}.{number}.{field.own[0].name}": ""}


def _in_row(field: Field, rest: str, draft: Mapping[str, str]) -> str:
    numbers = rows_of(field, draft, filled=True)
    if field.is_keyed and rest in {f"{number}.name" for number in numbers}:
        return f"{field.name}.{rest}"
    for place, number in enumerate(numbers):
        row = f"{field.name}.{number}"
        key = draft.get(f"{row}.name", "").strip() if field.is_keyed else str(place)
        if is_below(rest, key):
            below = rest.removeprefix(key).removeprefix(".")
            own = [each.name for each in field.own if is_below(below, each.name) or is_below(each.name, below)]
            return f"{row}.{own[0] if own else field.own[0].name}"
    return field.name


def _place_in(names: tuple[str, ...], name: str) -> int:
    return next(place for place, each in enumerate(names) if is_below(name, each))


def _copied(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, Mapping) else value for key, value in content.items()}


def _pruned(content: Mapping[str, Any]) -> dict[str, Any]:
    inner = {key: _pruned(value) if isinstance(value, Mapping) else value for key, value in content.items()}
    return {key: value for key, value in inner.items() if value != {}}


def _more(text: str) -> dict[str, Any]:
    content = parsed(text, "more") if text.strip() else {}
    if not isinstance(content, dict):
        raise Mistakes([ConfigurationError("Write fields and values, such as `renamed_from: acme-old`.", field="more")])
    return _copied(content)
