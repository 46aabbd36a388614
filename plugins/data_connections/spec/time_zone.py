"""IANA time zones as fields of a spec."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator

from data_connections.errors import nearest


def check_time_zone(name: str) -> str:
    """Return ``name`` if it is an IANA zone that this machine knows.

    Raises:
        ValueError: With the reason, and what may be meant.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:  # OSError: a folder of zones, such as Europe
        near = nearest(name, available_timezones())
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"{name!r} is not a time zone such as 'Europe/Berlin' or 'UTC'{hint}") from unknown
    return name


TimeZone = Annotated[str, AfterValidator(check_time_zone)]
"""Name of an IANA zone that this machine knows."""
