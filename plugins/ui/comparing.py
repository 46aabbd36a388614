"""What differs between two files that were sent."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from itertools import islice

from data_connections.landing import Landing
from data_connections.ledger.delivery import Delivery

LARGEST = 2_000_000
"""Bytes of a file that is compared line by line; comparing takes the square of them at worst."""
LINES_SHOWN = 400


@dataclass(frozen=True)
class FileDifference:
    """Two files compared.

    Attributes:
        same: Whether their bytes are equal.
        lines: Lines of a unified diff, at most some hundred.
        more: Whether there are more lines than those.
        too_large: Whether they were too large to be compared line by line.
    """

    same: bool
    lines: list[str]
    more: bool = False
    too_large: bool = False


def compare_files(landing: Landing, before: Delivery, after: Delivery) -> FileDifference:
    """Compare the kept bytes of two deliveries."""
    if [file.sha256 for file in before.files] == [file.sha256 for file in after.files]:
        return FileDifference(same=True, lines=[])
    if max(before.size, after.size) > LARGEST:
        return FileDifference(same=False, lines=[], too_large=True)
    old, new = _lines(landing, before), _lines(landing, after)
    found = list(islice(difflib.unified_diff(old, new, before.file_name, after.file_name, lineterm="", n=1), 401))
    return FileDifference(same=False, lines=found[:LINES_SHOWN], more=len(found) > LINES_SHOWN)


def _lines(landing: Landing, delivery: Delivery) -> list[str]:
    lines: list[str] = []
    for file in delivery.files:
        with landing.open(file.landing_key) as source:
            lines += source.read().decode(errors="replace").splitlines()
    return lines
