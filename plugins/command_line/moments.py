"""Dates and times as people write them on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from data_connections.errors import ConfigurationError


def moment(text: str | None, option: str) -> datetime | None:
    """Return the time that an option gives, UTC where it has no offset; None where it is not given.

    Raises:
        ConfigurationError: It is no date and time.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise ConfigurationError(
            f"{text!r} is no date and time: write it like 2026-03-01T14:05:09Z.", field=option
        ) from wrong
    return found if found.tzinfo else found.replace(tzinfo=UTC)
