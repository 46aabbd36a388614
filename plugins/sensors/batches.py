"""Claimed files in batches: each batch is one chain of mapped tasks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

BATCH_BYTES = 16 * 1024**2
BATCH_FILES = 50
NAMES_SHOWN = 3


class Claimed(Protocol):
    """A claimed file."""

    @property
    def id(self) -> int:
        """Its submission."""

    @property
    def file_name(self) -> str:
        """Its name at the partner."""

    @property
    def size(self) -> int | None:
        """Bytes."""


def batches_of(claimed: Iterable[Claimed]) -> list[dict[str, Any]]:
    """Group files in the order of claiming: large ones alone, small ones together up to 16 MB or 50 files.

    Returns:
        Mappings with ``submissions`` (their ids) and ``names`` (for people).
    """
    batches: list[list[Claimed]] = []
    space = 0
    for file in claimed:
        size = file.size or 0
        if not batches or size > space or len(batches[-1]) >= BATCH_FILES:
            batches.append([])
            space = BATCH_BYTES
        batches[-1].append(file)
        space -= size
    return [{"submissions": [file.id for file in batch], "names": _names(batch)} for batch in batches]


def _names(batch: list[Claimed]) -> str:
    shown = ", ".join(file.file_name for file in batch[:NAMES_SHOWN])
    more = len(batch) - NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
