"""Which rules apply the rows of which data type."""

from __future__ import annotations

from collections.abc import Mapping

from data_connections.applying import conversions, modifications
from data_connections.applying.rules import Rules
from data_connections.errors import ConfigurationError

RULES: Mapping[str, Rules] = {
    "action_modifications": modifications.RULES,
    "conversions": conversions.RULES,
}


def rules_for(data_type: str) -> Rules:
    """Return the rules of a data type.

    Raises:
        ConfigurationError: Its rows cannot be applied.
    """
    if data_type not in RULES:
        known = ", ".join(sorted(RULES))
        raise ConfigurationError(f"Rows of the data type {data_type} cannot be applied to the ledger. Known: {known}.")
    return RULES[data_type]
