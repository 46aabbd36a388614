"""The texts of a form as values of a spec, and values as texts that make them again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from data_connections.errors import ConfigurationError, Mistakes
from ui.form_fields import Field, shown

LEFT_OUT: Final = object()
"""What a field is that nobody filled in."""
NONE = "none"
_SPELLED = {"\t": "tab", " ": "space", "": NONE}
"""How signs are written that nobody could see in a field."""
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_SIGNS = ("format.delimiter", "format.quote", "format.escape")


def taken(field: Field, draft: Mapping[str, str], path: str = "") -> Any:
    """Return what a draft says of a field, or ``LEFT_OUT``.

    Args:
        field: The field.
        draft: The texts of a form.
        path: In a row, where that stands, with a dot at its end.

    Raises:
        Mistakes: It is a map whose lines are no keys and values.
    """
    name = f"{path}{field.name}"
    if field.kind == "rows":
        return _taken_rows(field, draft)
    text = draft.get(name, "").strip()
    if not text:
        return LEFT_OUT
    if field.kind == "lines":
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return [_number(line, field) for line in lines]
    if field.kind == "pairs":
        return dict(_pair(line, field, name) for line in text.splitlines() if line.strip())
    return None if field.has_none and text == NONE else _number(text, field)


def texts_of(field: Field, value: Any, path: str = "") -> dict[str, str] | None:
    """Return the texts from which a value comes again; None where a form cannot say it."""
    name = f"{path}{field.name}"
    if field.kind == "rows":
        return _texts_of_rows(field, value)
    if field.kind == "pairs":
        text = "\n".join(f"{key}: {_one_line(each, field)}" for key, each in value.items())
    elif field.kind == "lines":
        text = "\n".join(map(shown, value))
    elif value is None:
        text = NONE
    else:
        text = _SPELLED.get(value, value) if field.name in _SIGNS else shown(value)
    texts = {name: text}
    is_sign = field.name in _SIGNS and value in _SPELLED
    return texts if is_sign or _is_same(field, texts, value, path) else None


def rows_of(field: Field, draft: Mapping[str, str], *, filled: bool = False) -> list[int]:
    """Return the numbers of a draft's rows, as its names have them.

    Args:
        field: The field of rows.
        draft: The texts of a form.
        filled: Only those with something in them.
    """
    names = [name for name in draft if name.startswith(f"{field.name}.") and (draft[name].strip() or not filled)]
    numbers = {name.removeprefix(f"{field.name}.").partition(".")[0] for name in names}
    return sorted(int(number) for number in numbers if number.isdecimal())


def parsed(text: str, field: str) -> Any:
    """Return what a text says as YAML.

    Raises:
        Mistakes: It is not readable.
    """
    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as unreadable:
        line = getattr(getattr(unreadable, "problem_mark", None), "line", 0) + 1
        raise Mistakes([ConfigurationError(f"This is not readable YAML (line {line}).", field=field)]) from unreadable


def put(content: dict[str, Any], name: str, value: Any) -> None:
    """Put a value where a dotted name says."""
    *above, last = name.split(".")
    for step in above:
        content = content.setdefault(step, {})
    content[last] = value


def _number(text: str, field: Field) -> float | str:
    if not (field.has_numbers and _NUMBER.fullmatch(text)):
        return text
    return float(text) if "." in text else int(text)


def _taken_rows(field: Field, draft: Mapping[str, str]) -> Any:
    numbers = rows_of(field, draft, filled=True)
    rows = {number: _taken_row(field, draft, f"{field.name}.{number}.") for number in numbers}
    if not rows:
        return LEFT_OUT
    return _by_name(field, rows) if field.is_keyed else list(rows.values())


def _by_name(field: Field, rows: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for number, row in rows.items():
        name = str(row.pop("name", ""))
        if not name or name in named:
            message = f"There is another row for {name}." if name else "This field is required."
            raise Mistakes([ConfigurationError(message, field=f"{field.name}.{number}.name")])
        named[name] = row
    return named


def _taken_row(field: Field, draft: Mapping[str, str], path: str) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for own in field.own:
        if (value := taken(own, draft, path)) is not LEFT_OUT:
            put(row, own.name, value)
    return row


def _texts_of_rows(field: Field, value: Any) -> dict[str, str] | None:
    rows: Iterable[Any] = ({"name": key, **_long(row)} for key, row in value.items()) if field.is_keyed else value
    found: dict[str, str] = {}
    for number, row in enumerate(rows):
        rest = {key: dict(each) if isinstance(each, Mapping) else each for key, each in row.items()}
        for own in field.own:
            each = popped(rest, own.name)
            texts = {} if each is LEFT_OUT else texts_of(own, each, f"{field.name}.{number}.")
            if texts is None:
                return None
            found |= texts
        if any(each != {} for each in rest.values()):
            return None
    return found


def _long(row: Any) -> Mapping[str, Any]:
    """Return a source of a column as it is written out; ``from`` has another name where it was read."""
    if isinstance(row, str):
        return {"from": row}
    return {"from" if key == "column" else key: value for key, value in row.items()}


def popped(content: dict[str, Any], name: str) -> Any:
    """Take what stands under a dotted name out of a content."""
    first, _, below = name.partition(".")
    if first not in content:
        return LEFT_OUT
    if not below:
        return content.pop(first)
    return popped(content[first], below) if isinstance(content[first], dict) else LEFT_OUT


def _is_same(field: Field, texts: Mapping[str, str], value: Any, path: str) -> bool:
    try:
        again = taken(field, texts, path)
    except Mistakes:
        return False
    return bool(_plain(again, field) == _plain(value, field))


def _plain(value: Any, field: Field) -> Any:
    if isinstance(value, Mapping) and field.map_of != "any":
        return {
            key: list(map(shown, each)) if isinstance(each, list | tuple) else shown(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return list(map(shown, value))
    return value if value is None or isinstance(value, Mapping) else shown(value)


def _pair(line: str, field: Field, name: str) -> tuple[str, Any]:
    key, colon, text = line.partition(": ") if ": " in line else line.partition(":")
    if not colon or not key.strip():
        raise Mistakes([ConfigurationError("Write KEY: VALUE, one a line.", field=name)])
    key, text = key.strip(), text.strip()
    if field.map_of == "list":
        return key, [each.strip() for each in text.split(",") if each.strip()]
    return key, parsed(text, name) if field.map_of == "any" else text


def _one_line(value: Any, field: Field) -> str:
    if field.map_of == "list":
        return ", ".join(value)
    return _flow(value) if field.map_of == "any" else shown(value)


def _flow(value: Any) -> str:
    """Return a value as one line of YAML: as it is where that is read as the same, else as JSON, which is YAML too."""
    if isinstance(value, str):
        try:
            if parsed(value, "") == value:
                return value
        except Mistakes:
            pass
    return json.dumps(value, ensure_ascii=False)
