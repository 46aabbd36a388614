"""Values as text: numbers exact, dates and instants in ISO 8601."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo


def plain_text(value: object, zone: ZoneInfo) -> str:
    """Return a value that is not None as text.

    Numbers keep every digit and are never in scientific notation; instants are in ``zone`` with its offset, ``Z`` in
    UTC.

    Raises:
        TypeError: A value of another kind.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        text = value.astimezone(zone).isoformat()
        return f"{text[:-6]}Z" if zone.key == "UTC" else text
    if isinstance(value, date):
        return value.isoformat()
    message = f"a report cannot hold a value of the type {type(value).__name__}"
    raise TypeError(message)
