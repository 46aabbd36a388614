"""``KEY=VALUE`` texts of the command line as a model of the spec."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from data_connections.errors import ConfigurationError, nearest

M = TypeVar("M", bound=BaseModel)


def from_options(model: type[M], options: Iterable[str]) -> M:
    """Read the texts that ``--format KEY=VALUE`` takes.

    Raises:
        ConfigurationError: A text without ``=``, an unknown key (with the nearest one) or a bad value.
    """
    given: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        key = key.strip().lower().replace("-", "_")
        if not equals or key not in model.model_fields:
            raise ConfigurationError(
                f"--format takes KEY=VALUE with one of the keys {', '.join(model.model_fields)}; found {option!r}.",
                suggestion=nearest(key, model.model_fields),
            )
        given[key] = value
    try:
        return model.model_validate(given)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        field = ".".join(["format", *map(str, first["loc"])])
        message = first["msg"].removeprefix("Value error, ")
        choices = re.findall(r"'(\w+)'", message) if first["type"] == "literal_error" else []
        suggestion = nearest(str(first["input"]), choices)
        raise ConfigurationError(f"{message[0].upper()}{message[1:]}.", field=field, suggestion=suggestion) from None
