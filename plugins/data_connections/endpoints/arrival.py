"""What of a folder's listing is taken, and why the rest is not: names, and rest between two looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from data_connections.endpoints.after_read import CLAIMED_SUFFIX
from data_connections.endpoints.contract import RemoteFile
from data_connections.endpoints.names import is_safe_name
from data_connections.spec.file_pattern import FilePattern

RESERVED_PREFIXES = ("receipt_", "result_")
TEMPORARY_PREFIXES = (".", "~")
TEMPORARY_SUFFIXES = (
    ".part",
    ".partial",
    ".tmp",
    ".temp",
    ".filepart",
    ".crdownload",
    ".download",
    ".uploading",
    ".upload",
    ".inprogress",
    ".incomplete",
    ".writing",
    ".swp",
    "~",
)


class Reason(StrEnum):
    """Why a listed file is not taken; the words are stored and must not change."""

    UNSAFE_NAME = "unsafe_name"
    CLAIMED = "claimed"
    TEMPORARY = "temporary"
    RESERVED = "reserved"
    EXCLUDED = "excluded"
    PATTERN = "pattern"
    FIRST_LOOK = "first_look"
    CHANGING = "changing"


IN_WORDS: dict[str, str] = {
    Reason.UNSAFE_NAME: "its name cannot be that of a file here",
    Reason.CLAIMED: "it is claimed by a run",
    Reason.TEMPORARY: "its name is that of a file still being written",
    Reason.RESERVED: "its name begins like one of our result files",
    Reason.EXCLUDED: "its name is excluded by the connection",
    Reason.PATTERN: "its name does not fit the connection's file pattern",
    Reason.FIRST_LOOK: "it was seen once; it is taken when two looks agree",
    Reason.CHANGING: "it is still growing",
    "next_run": "it is left to the next run",
}
"""Why a file is not taken, for people, by the stored word."""

WAITING = frozenset({Reason.FIRST_LOOK, Reason.CHANGING})


@dataclass(frozen=True)
class NotTaken:
    """A file that was seen and left where it is."""

    file: RemoteFile
    reason: Reason


@dataclass(frozen=True)
class Arrivals:
    """What one look found.

    Attributes:
        taken: Files to claim, in the order of claiming.
        not_taken: The others, each with its reason.
    """

    taken: tuple[RemoteFile, ...]
    not_taken: tuple[NotTaken, ...]

    @property
    def waiting(self) -> tuple[RemoteFile, ...]:
        """Files that the next look may take."""
        return tuple(each.file for each in self.not_taken if each.reason in WAITING)


@dataclass(frozen=True)
class ArrivalRules:
    """Which names a connection takes (decision 7; reserved prefixes as the platform defines them).

    Attributes:
        pattern: The connection's file pattern.
        exclude: Names that are never taken.
    """

    pattern: FilePattern
    exclude: tuple[FilePattern, ...] = ()

    @classmethod
    def of(cls, pattern: str, exclude: Iterable[str] = ()) -> ArrivalRules:
        """Return the rules for patterns as a spec writes them."""
        return cls(FilePattern(pattern), tuple(FilePattern(each) for each in exclude))

    def objection(self, name: str) -> Reason | None:
        """Return why a file of this name is not taken, None where the name is right."""
        if not is_safe_name(name):
            return Reason.UNSAFE_NAME
        if name.startswith(".") and name.endswith(CLAIMED_SUFFIX):
            return Reason.CLAIMED
        lowered = name.lower()
        if lowered.startswith(TEMPORARY_PREFIXES) or lowered.endswith(TEMPORARY_SUFFIXES):
            return Reason.TEMPORARY
        if lowered.startswith(RESERVED_PREFIXES):
            return Reason.RESERVED
        if any(each.matches(name) for each in self.exclude):
            return Reason.EXCLUDED
        return None if self.pattern.matches(name) else Reason.PATTERN

    def claim_order(self, file: RemoteFile) -> tuple[date, datetime, str]:
        """Return the sort key of claiming: the date in the name where declared, then time, then name."""
        day = self.pattern.business_date(file.name) or date.min
        return day, file.mtime.astimezone(UTC), file.name


def look(listing: Iterable[RemoteFile], previous: Iterable[RemoteFile], rules: ArrivalRules) -> Arrivals:
    """Decide about a listing, given the one before it.

    Args:
        listing: All files of the folder now; those of 0 bytes count too.
        previous: The listing of the look before; empty at the first, so that nothing is taken then.
        rules: The connection's rules.
    """
    before = {file.path: file for file in previous}
    taken: list[RemoteFile] = []
    not_taken: list[NotTaken] = []
    for file in listing:
        reason = rules.objection(file.name) or _unrest(file, before.get(file.path))
        if reason is None:
            taken.append(file)
        else:
            not_taken.append(NotTaken(file, reason))
    return Arrivals(tuple(sorted(taken, key=rules.claim_order)), tuple(not_taken))


def _unrest(file: RemoteFile, before: RemoteFile | None) -> Reason | None:
    if before is None:
        return Reason.FIRST_LOOK
    return None if file.same_state(before) else Reason.CHANGING
