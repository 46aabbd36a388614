"""How many different days a file is about."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import Days
from data_connections.errors import FileRefused
from data_connections.validation.outcomes import ValidatedBlock


class DayCounter:
    """Counts the days of a file, on the clocks of a zone; refuses it when there are too many.

    Args:
        days: How many there may be; None: they are not counted.
        time_zone: IANA name of the zone.
    """

    def __init__(self, days: Days | None, time_zone: str) -> None:
        self._days = days
        self._zone = time_zone
        self._seen: set[date] = set()

    def add(self, block: ValidatedBlock) -> None:
        """Take the days of a block.

        Raises:
            FileRefused: They are too many now.
        """
        days = self._days
        if days is None or days.column not in block.typed.column_names:
            return
        times = block.typed.column(days.column).cast(pa.timestamp("us", tz=self._zone))
        found = pc.unique(pc.local_timestamp(times).cast("date32")).to_pylist()
        self._seen |= {day for day in found if day is not None}
        if len(self._seen) > days.most:
            raise FileRefused(
                days.code, f"{days.column} has more than {days.most} different days. Split the file by days."
            )
