"""The JSON Schema by which editors complete and check spec files, made from the models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from data_connections.spec.connection import CONNECTION_SPEC, KINDS
from data_connections.spec.variables import PATTERN as VARIABLE

_FROM_ENVIRONMENT = {
    "type": "string",
    "pattern": VARIABLE,
    "description": "Taken from the environment.",
}
_TELLING = ("direction", "method")
_CHECKED = ("pattern", "format", "enum")


def editor_schema(
    *,
    defaults: bool = False,
    given: Mapping[str, Any] | None = None,
    data_types: Iterable[str] = (),
    reports: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one YAML file of connections.

    It differs from the models' own in what a file may do: the name may be left out, any value may be ``${NAME}``,
    and the fields that apply follow from direction and method.

    Args:
        defaults: For `_defaults.yaml`: nothing is required, and the fields of every kind may stand there.
        given: What the `_defaults.yaml` of the folder gives, so that files need not.
        data_types: Names that inbound connections may have as ``data_type``; any where left out.
        reports: The same of outbound connections.
    """
    schema = CONNECTION_SPEC.json_schema()
    data_types, reports = tuple(data_types), tuple(reports)
    for key, kind in KINDS.items():
        if listed := sorted(data_types if key.startswith("inbound") else reports):
            schema["$defs"][kind.__name__]["properties"]["data_type"]["enum"] = listed
    definitions = {name: _relaxed(definition) for name, definition in schema["$defs"].items()}
    kinds = [reference["$ref"].rpartition("/")[2] for reference in schema["oneOf"]]
    for kind in kinds:
        _require_less(definitions, kind, {"name": None, **(given or {})}, nothing=defaults)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Defaults of a folder of connections" if defaults else "Connection",
        "type": "object",
        **({"anyOf": schema["oneOf"]} if defaults else _by_kind(definitions, kinds, given or {})),
        "$defs": definitions,
    }


def _by_kind(definitions: Mapping[str, Any], kinds: Iterable[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the choice among the kinds as conditions: an editor then shows the mistakes of the kind that is meant."""
    conditions = []
    values: dict[str, list[str]] = {name: [] for name in _TELLING}
    for kind in kinds:
        properties = definitions[kind]["properties"]
        fields = {name: properties[name]["const"] for name in _TELLING}
        for name, value in fields.items():
            values[name] = sorted({*values[name], value})
        told = {name: value for name, value in fields.items() if name not in given}
        if all(given.get(name, value) == value for name, value in fields.items()):
            methodology = {"const": properties["methodology"]["const"]}
            unusual = [] if "default" in properties["methodology"] else ["methodology"]
            meant = {
                "properties": {**{name: {"const": value} for name, value in told.items()}, "methodology": methodology},
                "required": sorted([*told, *(name for name in unusual if name not in given)]),
            }
            conditions.append({"if": meant, "then": {"$ref": f"#/$defs/{kind}"}})
    return {
        "properties": {name: {"enum": choices} for name, choices in values.items()},
        "required": sorted(name for name in _TELLING if name not in given),
        "allOf": conditions,
    }


def _require_less(definitions: dict[str, Any], kind: str, given: Mapping[str, Any], *, nothing: bool) -> None:
    """Drop from a kind's required fields, and its details', what defaults give."""
    details = definitions[kind]["properties"]["details"]["$ref"].rpartition("/")[2]
    for name, there in ((kind, given), (details, given.get("details") or {})):
        required = [field for field in definitions[name].get("required", ()) if field not in there and not nothing]
        definitions[name]["required"] = required


def _relaxed(node: Any) -> Any:
    """Let a value that is checked by more than being text also be ``${NAME}``."""
    if isinstance(node, list):
        return [_relaxed(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    relaxed = {key: _relaxed(value) if key != "enum" else value for key, value in node.items()}
    kind = node.get("type")
    is_checked_text = kind == "string" and any(key in node for key in _CHECKED) and "const" not in node
    if kind in ("integer", "number", "boolean") or is_checked_text:
        outside = {key: relaxed.pop(key) for key in ("description", "default", "title") if key in relaxed}
        return {"anyOf": [relaxed, _FROM_ENVIRONMENT], **outside}
    return relaxed
