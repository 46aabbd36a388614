"""Failed logins are answered more and more slowly, by the address that they come from."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
FORGOTTEN_AFTER = 900.0
MOST_ADDRESSES = 10_000


class FailedLogins:
    """Counts failures by address.

    A name is not slowed down: whoever knows a partner's login could keep the partner out by guessing.

    Args:
        clock: Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def failed(self, address: str) -> float:
        """Count a failure, and return the seconds to wait before it is answered."""
        count = self.count(address) + 1
        self._failures[address] = (count, self._clock())
        self._failures.move_to_end(address)
        if len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(count - 1, 10))

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address."""
        self._failures.pop(address, None)

    def count(self, address: str) -> int:
        """Return the failures of an address within the last quarter of an hour since the latest."""
        count, at = self._failures.get(address, (0, 0.0))
        return count if self._clock() - at < FORGOTTEN_AFTER else 0
