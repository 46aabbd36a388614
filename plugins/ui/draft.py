"""A connection that is being written: the fields of a form, and the spec that they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from data_connections.catalog.export import content_to_yaml
from data_connections.errors import ConfigurationError, Mistakes
from data_connections.spec.connection import KINDS

STEPS = ("direction", "type", "method", "credentials", "review")
FIELDS = {
    "direction": ("name", "display_name", "program", "direction"),
    "type": ("data_type",),
    "method": ("method", "methodology", "schedule", "time_zone", "owner"),
    "credentials": ("credentials", "new_name", "new_login", "new_kind", "new_password"),
    "review": ("more",),
}
"""The fields of each step; those of the connection's details follow the method."""
CHOSEN = {"direction": "inbound", "method": "sftp", "new_kind": "password", "schedule": "daily", "time_zone": "UTC"}
"""What is chosen before anybody chooses."""
USUAL = {"inbound": "pull", "outbound": "push"}
"""The usual methodology of each direction."""
OF_CREDENTIALS = ("details.host_key",)
SECTIONS = ("details", "format", "mapping", "packaging", "covers", "arrival", "limits")
"""Parts of a spec whose fields forms ask for one by one; what is no single value there is on the review, as YAML."""
_SINGLE = (str, int, bool, Decimal, time, timedelta)

Draft = dict[str, str]


@dataclass(frozen=True)
class DetailField:
    """One field of a connection's details, as a form asks for it.

    Attributes:
        name: Dotted name in the spec.
        hint: What it is, for people.
        options: The only values, where there are some.
        lines: Whether it holds several values, one a line.
        default: What holds where it is left empty.
        required: Whether it has to be filled.
    """

    name: str
    hint: str
    options: tuple[str, ...]
    lines: bool
    default: str
    required: bool


def kind_of(draft: Mapping[str, str]) -> type[BaseModel] | None:
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


def detail_fields(draft: Mapping[str, str]) -> list[DetailField]:
    """Return the details that belong to the chosen direction, method and methodology."""
    return section_fields(draft, "details")


def section_fields(draft: Mapping[str, str], section: str) -> list[DetailField]:
    """Return the fields of one part of the spec that hold single values; none where the kind has no such part."""
    kind = kind_of(draft)
    if kind is None or section not in kind.model_fields:
        return []
    part: Any = kind.model_fields[section].annotation
    return [
        _detail(section, name, field)
        for name, field in part.model_fields.items()
        if _is_simple(_inner(field.annotation))
    ]


def _inner(kind: Any) -> Any:
    """Return the type of a value that is there, of one that may be left out."""
    given = [each for each in get_args(kind) if each is not type(None)]
    is_optional = type(None) in get_args(kind) and len(given) == 1
    return given[0] if is_optional else kind


def _is_simple(kind: Any) -> bool:
    if get_origin(kind) is tuple:
        return all(each is Ellipsis or _is_simple(_inner(each)) for each in get_args(kind))
    if get_origin(kind) is Annotated:
        return _is_simple(get_args(kind)[0])
    return get_origin(kind) is Literal or kind in _SINGLE


def step_of(field: str | None) -> str:
    """Return the step that asks for a field; what no step asks for is on the review."""
    name = field or ""
    if name in OF_CREDENTIALS or name.startswith("details.host_key"):
        return "credentials"
    if name.partition(".")[0] in SECTIONS:
        return "method"
    return next((step for step, names in FIELDS.items() if name.partition(".")[0] in names), "review")


def content_of_draft(draft: Mapping[str, str]) -> dict[str, Any]:
    """Return the spec's content that a draft makes.

    Raises:
        Mistakes: ``more`` is not a mapping in YAML.
    """
    more = _parsed(draft.get("more", ""))
    asked = [name for step in STEPS[:4] for name in FIELDS[step] if not name.startswith("new_")]
    own = {name: draft[name].strip() for name in asked if draft.get(name, "").strip()}
    parts = {section: {**_part(more, section), **dict(_given(draft, section))} for section in SECTIONS}
    return {**more, **own, **{section: part for section, part in parts.items() if part or section == "details"}}


def draft_of(content: Mapping[str, Any]) -> Draft:
    """Return the draft that makes ``content`` again."""
    names = {name for fields in FIELDS.values() for name in fields}
    draft = {**CHOSEN, **{name: str(content[name]) for name in names if content.get(name) is not None}}
    draft.setdefault("methodology", USUAL[draft["direction"]])
    rest = {key: value for key, value in content.items() if key not in names and key not in SECTIONS}
    for section in SECTIONS:
        part = dict(content.get(section) or {})
        for field in section_fields(draft, section):
            value = part.pop(field.name.removeprefix(f"{section}."), None)
            if value is not None:
                draft[field.name] = "\n".join(map(str, value)) if field.lines else _as_text(value)
        if part:
            rest[section] = part
    draft["more"] = content_to_yaml(rest) if rest else ""
    return draft


def _part(more: Mapping[str, Any], section: str) -> dict[str, Any]:
    found = more.get(section) or {}
    if not isinstance(found, dict):
        raise Mistakes([ConfigurationError(f"`{section}` holds fields and values.", field="more")])
    return found


def _given(draft: Mapping[str, str], section: str) -> Iterator[tuple[str, Any]]:
    for field in section_fields(draft, section):
        text = draft.get(field.name, "").strip()
        if text:
            yield field.name.removeprefix(f"{section}."), text.splitlines() if field.lines else text


def _detail(section: str, name: str, field: FieldInfo) -> DetailField:
    kind = _inner(field.annotation)
    options = tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()
    options = ("true", "false") if kind is bool else options
    default = field.get_default(call_default_factory=True) if not field.is_required() else ""
    shown = "" if default in (None, "", ()) else _as_text(default)
    lines = get_origin(kind) is tuple
    return DetailField(f"{section}.{name}", field.description or "", options, lines, shown, field.is_required())


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError as unreadable:
        line = getattr(getattr(unreadable, "problem_mark", None), "line", 0) + 1
        raise Mistakes([ConfigurationError(f"This is not readable YAML (line {line}).", field="more")]) from unreadable
    if not isinstance(content, dict):
        raise Mistakes(
            [ConfigurationError("Write fields and values, such as `limits: {max_rejects: 10}`.", field="more")]
        )
    return content
