"""Running ours and a peer in turn, so that a machine whose speed drifts does not decide."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

Tell = Callable[[str], None]
"""Told in a few words what was measured."""


@dataclass(frozen=True)
class Result:
    """One line of build/bench.json.

    Attributes:
        name: The case.
        unit: Of ``ours`` and ``peer``.
        ours: Median.
        peer: Median.
        peer_name: What was measured against.
        ratio: How many times better than the peer; above 1 is better. Where both ran in pairs, the median of the pairs'
            ratios: the two of a pair ran one right after the other, on the machine as it was then.
        goal: The ratio to reach.
        details: Every single measurement, sizes, versions.
    """

    name: str
    unit: str
    ours: float
    peer: float
    peer_name: str
    ratio: float
    goal: float
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether the goal was reached."""
        return self.ratio >= self.goal

    def as_json(self) -> dict[str, Any]:
        """Return the line as build/bench.json has it."""
        return {**asdict(self), "met": self.met}


def compare_seconds(
    name: str,
    ours: Callable[[], float],
    peer: Callable[[], float],
    *,
    peer_name: str,
    goal: float,
    tell: Tell,
    pairs: int = 3,
    details: dict[str, Any] | None = None,
) -> Result:
    """Run both in turn; each verifies its result and returns the seconds that count.

    The result's ratio is the median of the pairs' ratios.
    """
    ours_seconds, peer_seconds, ratios = [], [], []
    for number in range(1, pairs + 1):
        ours_seconds.append(ours())
        peer_seconds.append(peer())
        ratios.append(peer_seconds[-1] / ours_seconds[-1])
        tell(f"pair {number}: ours {ours_seconds[-1]:.2f} s, {peer_name} {peer_seconds[-1]:.2f} s: {ratios[-1]:.2f}")
    our_median, peer_median = statistics.median(ours_seconds), statistics.median(peer_seconds)
    measured = {"ours_seconds": ours_seconds, "peer_seconds": peer_seconds, "pair_ratios": ratios, **(details or {})}
    return Result(name, "s", our_median, peer_median, peer_name, statistics.median(ratios), goal, measured)


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long a piece of work took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
