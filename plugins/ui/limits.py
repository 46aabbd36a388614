"""How many connections a program may have, where an installation limits them."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass

from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger

VARIABLE = "CONNECTIONS_LIMIT"
_COUNT = """
select v.spec ->> 'program' as program, count(*) as connections from connection c
join connection_revision v on v.connection_id = c.id and v.number = c.revision
where c.deleted_at is null group by 1
"""


@dataclass(frozen=True)
class Room:
    """What is left of the limit of one program, or of the program that has most room.

    Attributes:
        limit: Connections that a program may have; None where there is no limit.
        used: Connections that it has; those of the program with the fewest where none is chosen.
    """

    limit: int | None
    used: int = 0

    @property
    def message(self) -> str | None:
        """What a person is told who wants one more, or None while there is room."""
        return f"You've reached your limit of {self.limit} connections" if self.is_full else None

    @property
    def is_full(self) -> bool:
        """Whether the program may have no more."""
        return self.limit is not None and self.used >= self.limit


def room_for_more(ledger: Ledger, program: str | None) -> Room:
    """Return what is left for a program; where none is chosen, for the one that has most room.

    Raises:
        ConfigurationError: ``CONNECTIONS_LIMIT`` is not a number.
    """
    if not os.environ.get(VARIABLE, ""):
        return Room(None)
    found = rooms(ledger)
    if program:
        return found[program]
    active = ledger.all("select key from program where active")
    return min((found[row["key"]] for row in active), key=lambda room: room.used, default=found[""])


def rooms(ledger: Ledger) -> defaultdict[str, Room]:
    """Return what is left for each program, by its key.

    Raises:
        ConfigurationError: ``CONNECTIONS_LIMIT`` is not a number.
    """
    text = os.environ.get(VARIABLE, "")
    if text and not text.isdecimal():
        raise ConfigurationError(f"{VARIABLE} has to be a number of connections for each program, not {text!r}.")
    limit = int(text) if text else None
    found = {row["program"]: Room(limit, row["connections"]) for row in ledger.all(_COUNT)}
    return defaultdict(lambda: Room(limit), found)
