"""What of a folder's listing is taken, and why the rest is not: names, and rest between two looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum

from data_connections.endpoints.after_read import CLAIMED_SUFFIX
from data_connections.endpoints.contract import RemoteFile
from data_connections.endpoints.names import is_safe_name
from data_connections.endpoints.vouching import Voucher, manifested, marker_of
from data_connections.spec.details import InboundFolder
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


_KINDS = ("csv", "tsv", "psv", "txt", "xml")
DATA_ENDINGS = (".zip", *(f".{kind}{packed}" for kind in _KINDS for packed in ("", ".gz", ".zip", ".zst")))


class Reason(StrEnum):
    """Why a listed file is not taken; the words are stored and must not change."""

    UNSAFE_NAME = "unsafe_name"
    CLAIMED = "claimed"
    TEMPORARY = "temporary"
    RESERVED = "reserved"
    EXCLUDED = "excluded"
    PATTERN = "pattern"
    EXTENSION = "extension"
    FIRST_LOOK = "first_look"
    CHANGING = "changing"
    MARKER = "marker"
    MANIFEST = "manifest"
    NOT_VOUCHED = "not_vouched"
    NOT_WHOLE = "not_whole"
    NO_FILE = "no_file"
    UNREADABLE_MAIL = "unreadable_mail"
    LARGE_MAIL = "large_mail"
    DAMAGED = "damaged"
    SENDER_UNPROVEN = "sender_unproven"
    SENDER_REFUSED = "sender_refused"


IN_WORDS: dict[str, str] = {
    Reason.UNSAFE_NAME: "its name cannot be that of a file here",
    Reason.CLAIMED: "it is claimed by a run",
    Reason.TEMPORARY: "its name is that of a file still being written",
    Reason.RESERVED: "its name begins like one of our result files",
    Reason.EXCLUDED: "its name is excluded by the connection",
    Reason.PATTERN: "its name does not fit the connection's file pattern",
    Reason.EXTENSION: "its name does not fit the file pattern, nor its ending a data file (.csv, .xml, or packed)",
    Reason.FIRST_LOOK: "it was seen once; it is taken when two looks agree",
    Reason.CHANGING: "it is still growing",
    Reason.MARKER: "it is a marker, which says that another file is whole",
    Reason.MANIFEST: "it is a manifest, which says what other files are",
    Reason.NOT_VOUCHED: "no marker or manifest says yet that it is whole",
    Reason.NOT_WHOLE: "it does not have the size that its manifest says",
    Reason.NO_FILE: "the mail has no file in it",
    Reason.UNREADABLE_MAIL: "the mail cannot be read",
    Reason.LARGE_MAIL: "the mail is too large to be read",
    Reason.DAMAGED: "the file is damaged in the mail: bytes are missing or wrong; ask for it again",
    Reason.SENDER_UNPROVEN: "our mail server does not vouch for the sender of the mail",
    Reason.SENDER_REFUSED: "the sender of the mail is not among those that the connection takes files from",
    "next_run": "it is left to the next run",
}
"""Why a file is not taken, for people, by the stored word."""

WAITING = frozenset({Reason.FIRST_LOOK, Reason.CHANGING, Reason.NOT_VOUCHED, Reason.NOT_WHOLE})

Manifests = Sequence[tuple[RemoteFile, Mapping[str, Voucher]]]
"""Manifests of a folder that were read, and what each says."""


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
        vouchers: What vouched for files that were taken, by path.
    """

    taken: tuple[RemoteFile, ...]
    not_taken: tuple[NotTaken, ...]
    vouchers: Mapping[str, Voucher] = field(default_factory=dict)

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
        marker: Ending of the files that vouch for others, where files need one.
        manifest: Names of manifests, where files need one.
    """

    pattern: FilePattern
    exclude: tuple[FilePattern, ...] = ()
    marker: str | None = None
    manifest: FilePattern | None = None

    @classmethod
    def of(
        cls, pattern: str, exclude: Iterable[str] = (), *, marker: str | None = None, manifest: str | None = None
    ) -> ArrivalRules:
        """Return the rules for patterns as a spec writes them."""
        excluded = tuple(FilePattern(each) for each in exclude)
        return cls(FilePattern(pattern), excluded, marker, FilePattern(manifest) if manifest else None)

    @classmethod
    def of_folder(cls, details: InboundFolder) -> ArrivalRules:
        """Return the rules of a connection."""
        return cls.of(details.file_pattern, details.exclude, marker=details.marker, manifest=details.manifest)

    def is_manifest(self, name: str) -> bool:
        """Whether a file of this name is a manifest."""
        return self.manifest is not None and is_safe_name(name) and self.manifest.matches(name)

    def objection(self, name: str) -> Reason | None:
        """Return why a file of this name is not taken, None where the name is right."""
        if not is_safe_name(name):
            return Reason.UNSAFE_NAME
        if name.startswith(".") and name.endswith(CLAIMED_SUFFIX):
            return Reason.CLAIMED
        lowered = name.lower()
        if lowered.startswith(TEMPORARY_PREFIXES) or lowered.endswith(TEMPORARY_SUFFIXES):
            return Reason.TEMPORARY
        return self.unfitness(name)

    def unfitness(self, name: str) -> Reason | None:
        """Return why a complete file of this name is not the connection's, None where it is."""
        if name.lower().startswith(RESERVED_PREFIXES):
            return Reason.RESERVED
        if vouching := self._vouching(name):
            return vouching
        if any(each.matches(name) for each in self.exclude):
            return Reason.EXCLUDED
        if self.pattern.matches(name):
            return None
        return Reason.PATTERN if name.lower().removesuffix(".pgp").endswith(DATA_ENDINGS) else Reason.EXTENSION

    def _vouching(self, name: str) -> Reason | None:
        if self.marker is not None and name.lower().endswith(self.marker.lower()):
            return Reason.MARKER
        return Reason.MANIFEST if self.is_manifest(name) else None

    def refusal(self, file: RemoteFile) -> Reason | None:
        """Return why a listed file is not taken, None where it is right as far as one look tells."""
        return self.objection(file.name)

    def claim_order(self, file: RemoteFile) -> tuple[date, datetime, str]:
        """Return the sort key of claiming: the date in the name where declared, then time, then name."""
        day = self.pattern.business_date(file.name) or date.min
        return day, file.mtime.astimezone(UTC), file.name


def look(
    listing: Iterable[RemoteFile],
    previous: Iterable[RemoteFile],
    rules: ArrivalRules,
    manifests: Manifests = (),
) -> Arrivals:
    """Decide about a listing, given the one before it.

    Args:
        listing: All files of the folder now; those of 0 bytes count too.
        previous: The listing of the look before; empty at the first, so that nothing is taken then.
        rules: The connection's rules.
        manifests: What the folder's manifests say; a file that they or a marker vouch for needs no second look.
    """
    listing = list(listing)
    before = {file.path: file for file in previous}
    present = {file.path: file for file in listing}
    vouchers: dict[str, Voucher] = {}
    taken: list[RemoteFile] = []
    not_taken: list[NotTaken] = []
    for file in listing:
        reason = rules.refusal(file)
        if reason is None and rules.marker is None and rules.manifest is None:
            reason = _unrest(file, before.get(file.path))
        elif reason is None:
            voucher = marker_of(file, present, rules.marker) if rules.marker else None
            voucher = voucher or manifested(file, manifests)
            reason = _doubt(file, voucher)
            if voucher is not None:
                vouchers[file.path] = voucher
        if reason is None:
            taken.append(file)
        else:
            not_taken.append(NotTaken(file, reason))
    return Arrivals(tuple(sorted(taken, key=rules.claim_order)), tuple(not_taken), vouchers)


def _doubt(file: RemoteFile, voucher: Voucher | None) -> Reason | None:
    if voucher is None:
        return Reason.NOT_VOUCHED
    return None if voucher.size in (None, file.size) else Reason.NOT_WHOLE


def _unrest(file: RemoteFile, before: RemoteFile | None) -> Reason | None:
    if before is None:
        return Reason.FIRST_LOOK
    return None if file.same_state(before) else Reason.CHANGING
