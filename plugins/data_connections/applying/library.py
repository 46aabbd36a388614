"""Which rules apply the rows of which data type."""

from __future__ import annotations

from collections.abc import Mapping

from data_connections.applying import conversions, kept_rows, modifications, web_events
from data_connections.applying.rules import ACTIONS, Rules
from data_connections.data_types import DataType
from data_connections.errors import ConfigurationError

RULES: Mapping[str, Rules] = {
    "action_modifications": modifications.RULES,
    "conversions": conversions.RULES,
    "web_events": web_events.RULES,
}
"""Data types whose rows need more than their folder can say."""

OF_ACTIONS = frozenset(name for name, rules in RULES.items() if rules.family == ACTIONS)
"""Data types that write actions."""


def rules_for(data_type: DataType) -> Rules:
    """Return the rules of a data type: its own, or those that its folder gives.

    Raises:
        ConfigurationError: Its rows cannot be applied.
    """
    if data_type.name in RULES:
        return RULES[data_type.name]
    if data_type.keep is None:
        raise ConfigurationError(
            f"Rows of the data type {data_type.name} cannot be applied to the ledger: its folder does not say how they "
            "are kept. Add `keep` to its columns.yaml."
        )
    return kept_rows.rules_of(data_type, data_type.keep)
