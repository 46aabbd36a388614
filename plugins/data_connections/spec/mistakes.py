"""What is wrong with a spec, in sentences with file, line, field and the nearest valid value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from data_connections.errors import ConfigurationError, nearest
from data_connections.spec.connection import KINDS, SLUG
from data_connections.spec.sources import Place, Source, mistake_at

_SECRETS_ELSEWHERE = (
    "Secrets never stand in YAML: name the login with `credentials`, and store it with `connections credentials set`."
)
_SECRET = re.compile(r"passw(or)?d|pwd|passphrase|private_?key|secret|token|api_?key", re.IGNORECASE)
_SUBJECT = re.compile(r"^(Input|String|Value|Tuple|List|Dictionary) should")
_HINT = re.compile(r"[;,.] did you mean '?([^']+?)'?\?$")
_UNKNOWN_KIND = ("union_tag_invalid", "union_tag_not_found")
_TYPES = {"int": "a whole number", "bool": "true or false", "string": "text", "list": "a list", "tuple": "a list"}


def mistakes_of(
    invalid: ValidationError, sources: Sequence[Source], model: type[BaseModel] | None = None
) -> list[ConfigurationError]:
    """Turn every error of pydantic into one of ours.

    Args:
        invalid: What pydantic says.
        sources: The files that the values came from; the own file of the spec first.
        model: The model that was validated; left out for connections, whose kind the error tells.
    """
    return [_mistake(error, sources, model) for error in invalid.errors(include_url=False)]


def place_of(error: ErrorDetails) -> Place:
    """Return where the value of an error stands in its file."""
    place = error["loc"]
    return tuple(place[1:] if place and place[0] in KINDS else place)


def _mistake(error: ErrorDetails, sources: Sequence[Source], model: type[BaseModel] | None) -> ConfigurationError:
    place = place_of(error)
    model = model or KINDS.get(str(error["loc"][0]) if error["loc"] else "")
    message, suggestion = _explain(error, model, place)
    if error["type"] in _UNKNOWN_KIND:
        place = (_wrong_half(error["input"]),)
    return mistake_at(sources, place, message, suggestion)


def _explain(error: ErrorDetails, model: type[BaseModel] | None, place: Place) -> tuple[str, str | None]:
    kind, given = error["type"], error["input"]
    if kind == "extra_forbidden":
        return _unknown_field(str(place[-1]), _fields_at(model, place[:-1]))
    if kind == "missing":
        return "This field is required.", None
    if kind in _UNKNOWN_KIND:
        return _unknown_kind(given)
    if kind == "string_pattern_mismatch" and error["ctx"]["pattern"] == SLUG:
        return (
            f"{given!r} cannot be used: only a-z, 0-9, - and _, and at most 100 of them.",
            re.sub(r"[^a-z0-9_-]+", "-", str(given).lower()).strip("-_")[:100] or None,
        )
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        return f"{given!r} is not one of: {', '.join(choices)}.", nearest(str(given), choices)
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"Here stand `key: value` lines, one level further in (found {given!r}).", None
    return _sentence(error)


def _sentence(error: ErrorDetails) -> tuple[str, str | None]:
    kind, given = error["type"], error["input"]
    expected = _TYPES.get(kind.partition("_")[0])
    if expected and kind.endswith(("_type", "_parsing")):
        return f"This must be {expected} (found {given!r}).", None
    message = _SUBJECT.sub("This must", error["msg"]).removeprefix("Value error, ").removesuffix(".")
    hint = _HINT.search(message)
    message = _HINT.sub("", message)
    shown = "" if kind == "value_error" or isinstance(given, dict | list) else f" (found {given!r})"
    return f"{message[:1].upper()}{message[1:]}{shown}.", hint[1] if hint else None


def _unknown_field(name: str, fields: Sequence[str]) -> tuple[str, str | None]:
    if _SECRET.search(name):
        return _SECRETS_ELSEWHERE, None
    near = nearest(name, fields)
    return f"There is no field {name!r} here{'' if near else '; the fields are: ' + ', '.join(sorted(fields))}.", near


def _wrong_half(given: Any) -> str:
    content = given if isinstance(given, Mapping) else {}
    if f"{content.get('direction')}_{content.get('method')}" in KINDS:
        return "methodology"
    return "method" if content.get("direction") in {kind.partition("_")[0] for kind in KINDS} else "direction"


def _unknown_kind(given: Any) -> tuple[str, str | None]:
    content = given if isinstance(given, Mapping) else {}
    left_out = [name for name in ("direction", "method") if content.get(name) is None]
    kinds = ", ".join(kind.replace("_", " + ") for kind in KINDS)
    if left_out:
        return f"{' and '.join(left_out)} must be given; there are: {kinds}.", None
    direction, method = content["direction"], content["method"]
    if f"{direction}_{method}" in KINDS:
        methodology = content.get("methodology")
        return f"methodology {methodology!r} does not go with {direction} + {method}; there are: {kinds}.", None
    suggestion = nearest(f"{direction}_{method}", KINDS)
    return (
        f"direction {direction!r} with method {method!r} is no kind of connection; there are: {kinds}.",
        suggestion.replace("_", " + ") if suggestion else None,
    )


def _fields_at(model: type[BaseModel] | None, place: Place) -> list[str]:
    for step in place:
        if isinstance(step, int):
            continue
        field = model.model_fields.get(str(step)) if model else None
        model = next(_models(field.annotation), None) if field else None
    return list(model.model_fields) if model else []


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names, such as ``Suite`` in ``tuple[Suite, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
