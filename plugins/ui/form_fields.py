"""What forms ask for a spec, made from its models: single values, lists, maps, and rows of fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Kind = Literal["text", "long", "date", "choice", "lines", "pairs", "rows"]
MapOf = Literal["", "text", "list", "any"]
_SINGLE = (str, int, float, bool, Decimal, date, time, timedelta)
_LONG = {"description", "text"}
"""Fields that several lines may be written into."""


@dataclass(frozen=True)
class Field:
    """One field of a spec, as a form asks for it.

    Attributes:
        name: Dotted name in the spec; in a row, its name in the row.
        kind: How it is asked for; ``lines`` has several values, ``pairs`` keys and values, one a line each.
        hint: What it is, for people.
        options: The only values, where there are some.
        default: What holds where it is left empty.
        required: Whether it has to be filled.
        has_none: Whether ``none`` can be written in place of what holds where it is left empty.
        has_numbers: Whether digits alone are a number: in a list, or the seconds of a length of time.
        map_of: What the values of a map are: text, a list, or anything that YAML can say.
        own: Of rows: the fields of each.
        is_keyed: Of rows: whether each has a ``name`` of its own, by which the spec knows it.
    """

    name: str
    kind: Kind
    hint: str
    options: tuple[str, ...] = ()
    default: str = ""
    required: bool = False
    has_none: bool = False
    has_numbers: bool = False
    map_of: MapOf = ""
    own: tuple[Field, ...] = ()
    is_keyed: bool = False


def fields_of(model: type[BaseModel], path: str = "") -> Iterator[Field]:
    """Yield the fields of a model; those of models inside it by dotted names.

    Args:
        model: The model.
        path: Where it stands in the spec, with a dot at its end where that is not the top.
    """
    for attribute, field in model.model_fields.items():
        name = f"{path}{field.alias or attribute}"
        kind, _ = unwrapped(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from fields_of(kind, f"{name}.")
        else:
            yield _field(name, kind, field)


def unwrapped(kind: Any) -> tuple[Any, bool]:
    """Return the type of a value that is there, and whether there may be none."""
    may_be_none = False
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind):
            may_be_none = True
            kind = Union[tuple(each for each in get_args(kind) if each is not NoneType)]  # noqa: UP007 - of a list
        else:
            return kind, may_be_none


def shown(value: Any) -> str:
    """Return a single value as a form shows it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _field(name: str, kind: Any, field: FieldInfo) -> Field:
    about: dict[str, Any] = {"hint": (field.description or "").replace("`", ""), "required": field.is_required()}
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _several(name, unwrapped(arguments[0])[0], default, about)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _map(name, unwrapped(arguments[1])[0], about)
    about |= {"default": "" if default in (None, "") else shown(default)}
    about |= {"has_none": default is not None and unwrapped(field.annotation)[1]}
    if origin is Literal or kind is bool:
        return Field(name, "choice", options=_options(kind), **about)
    last = name.rpartition(".")[2]
    asked: Kind = "long" if last in _LONG else "date" if kind is date else "text"
    return Field(name, asked, has_numbers=kind is timedelta, **about)


def _several(name: str, item: Any, default: Any, about: dict[str, Any]) -> Field:
    if isinstance(item, type) and issubclass(item, BaseModel):
        return Field(name, "rows", own=tuple(fields_of(item)), **about)
    usual = ", ".join(map(shown, default or ()))
    return Field(
        name, "lines", options=_options(item), default=usual, has_numbers=int in (item, *get_args(item)), **about
    )


def _map(name: str, value: Any, about: dict[str, Any]) -> Field:
    if isinstance(value, type) and issubclass(value, BaseModel):
        key = Field("name", "text", "Our column.", required=True)
        return Field(name, "rows", own=(key, *fields_of(value)), is_keyed=True, **about)
    kind: MapOf = "list" if get_origin(value) is tuple else "text" if value in _SINGLE else "any"
    options = _options(unwrapped(get_args(value)[0])[0]) if kind == "list" else ()
    return Field(name, "pairs", map_of=kind, options=options, **about)


def _options(kind: Any) -> tuple[str, ...]:
    if kind is bool:
        return ("true", "false")
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()
