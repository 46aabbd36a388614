"""Values of a spec that come from the environment: ``${NAME}``, or ``${NAME:-default}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from data_connections.spec.sources import Place

PATTERN = r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}"
_VARIABLE = re.compile(PATTERN)


def fill_in(value: Any, environment: Mapping[str, str]) -> tuple[Any, dict[Place, str]]:
    """Replace every ``${NAME}`` in a nested value; ``${NAME:-default}`` has a value of its own where none is set.

    Returns:
        The value, and the variables that are not set, by the place that asks for them; there the text stays as it is.
    """
    missing: dict[Place, str] = {}
    return _filled(value, environment, (), missing), missing


def _filled(value: Any, environment: Mapping[str, str], place: Place, missing: dict[Place, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, environment, (*place, key), missing) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, environment, (*place, index), missing) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def found(variable: re.Match[str]) -> str:
        name, default = variable[1], variable[2]
        if name not in environment and default is None:
            missing[place] = name
            return variable[0]
        return environment.get(name, default)

    return _VARIABLE.sub(found, value)
