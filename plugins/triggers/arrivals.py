"""One look at an inbound connection's folder, and what of it the ledger remembers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from data_connections.endpoints.arrival import WAITING, ArrivalRules, NotTaken, look
from data_connections.endpoints.contract import RemoteFile
from data_connections.endpoints.mail_rules import rules_of
from data_connections.endpoints.vouching import MOST_BYTES, Voucher, read_manifest
from data_connections.errors import EndpointFileMissing
from data_connections.ledger import Ledger, claims, sightings
from data_connections.ledger.claims import WorkLeft
from data_connections.spec import Hosted, InboundConnection, MailSource

if TYPE_CHECKING:
    from data_connections.steps.business_day import BusinessDays
    from data_connections.steps.pinned_run import PinnedRun

ReadFile = Callable[[str, int], Awaitable[bytes]]
"""Reads a small file: its path, and how many bytes at most."""

MOST_CLAIMED = 10_000
"""Files that one look claims at most."""

ASK_AGAIN = 300.0
"""Seconds after which the ledger is asked again about a folder in which nothing has changed."""

NEXT_RUN = "next_run"
"""Reason of a file that has settled, and that this run leaves to the next."""


@dataclass(frozen=True)
class Found:
    """What a look found that the ledger does not have yet.

    Attributes:
        files: Settled files to claim, in claim order; at most ``MOST_CLAIMED``.
        more: Settled files beyond that, left to the next run.
        waiting: Files that have not settled yet.
        left: What was claimed before and has not come to its end.
        vouchers: What vouched for files, by path.
    """

    files: tuple[RemoteFile, ...]
    more: int
    waiting: int
    left: WorkLeft
    vouchers: Mapping[str, Voucher]


@dataclass(frozen=True)
class _Quiet:
    """A listing with nothing to do in it, and what the ledger said of it when it was asked."""

    listing: Sequence[RemoteFile]
    found: Found
    until: float

    def is_still(self, listing: Sequence[RemoteFile]) -> bool:
        return time.monotonic() < self.until and listing == self.listing


@dataclass
class Lookout:
    """Compares each listing with the one before and keeps the ledger's sightings; it blocks, so call it in a thread.

    Args:
        ledger: The ledger.
        run: The run that looks; its spec is an inbound one.
        days: Days whose files are wanted, by the date in the name, else by arrival; None for files of any day.
    """

    ledger: Ledger
    run: PinnedRun
    days: BusinessDays | None = None
    looks: int = 0
    _previous: Sequence[RemoteFile] = ()
    _noted: dict[RemoteFile, str] = field(default_factory=dict)
    _manifests: dict[RemoteFile, Mapping[str, Voucher]] = field(default_factory=dict)
    _quiet: _Quiet | None = None

    @property
    def spec(self) -> InboundConnection:
        """The run's spec."""
        return cast("InboundConnection", self.run.spec)

    @cached_property
    def rules(self) -> ArrivalRules:
        """Which names the connection takes."""
        return rules_of(self.spec.details)

    async def read_manifests(self, listing: Sequence[RemoteFile], read: ReadFile) -> None:
        """Read those manifests of a listing that were not read yet; one that went away is forgotten.

        Raises:
            RetriableEndpointError: The host does not answer.
        """
        present = [file for file in listing if self.rules.is_manifest(file.name)]
        known, self._manifests = self._manifests, {}
        for file in present:
            with suppress(EndpointFileMissing):
                said = known.get(file)
                self._manifests[file] = (
                    read_manifest(await read(file.path, MOST_BYTES), file.path) if said is None else said
                )

    def unchanged(self, listing: Sequence[RemoteFile]) -> Found | None:
        """Return what the last look found where this one sees the same and nothing is to be done; else None.

        Most looks are like that, and cost no question to the ledger, except now and then: work may be left to this run
        by what happens elsewhere.
        """
        if self._quiet is None or not self._quiet.is_still(listing):
            return None
        self.looks += 1
        return self._quiet.found

    def judge(self, listing: Sequence[RemoteFile]) -> Found:
        """Decide about ``listing``, and record what was seen and not taken with its reason.

        Raises:
            LedgerUnavailable: The ledger does not answer; the listing then does not count as a look.
        """
        # Our gateway shows a file under its name only when it is complete, and a mail never grows: one look is enough.
        is_complete = isinstance(self.spec.details, Hosted | MailSource)
        previous = listing if is_complete else self._previous
        rules = self.rules
        arrivals = look(listing, previous, rules, tuple(self._manifests.items()))
        with self.ledger.connect() as connection:
            candidates = [file for file in (*arrivals.taken, *arrivals.waiting) if self._is_wanted(file, rules)]
            new = sightings.open_paths(connection, self.run.connection_id, candidates)
            settled = [file for file in arrivals.taken if file.path in new]
            left = [(file, NEXT_RUN) for file in settled[MOST_CLAIMED:]]
            noted = dict([*left, *(self._reason(each) for each in arrivals.not_taken if self._is_news(each, new))])
            news = [(file, reason) for file, reason in noted.items() if self._noted.get(file) != reason]
            sightings.record_all(
                connection,
                self.run.connection_id,
                [
                    (file, "waiting" if reason in WAITING or reason == NEXT_RUN else "ignored", reason)
                    for file, reason in news
                ],
            )
            work_left = claims.work_left(connection, self.run.connection_id, self.run.id)
        waiting = sum(file.path in new for file in arrivals.waiting)
        found = Found(tuple(settled[:MOST_CLAIMED]), len(left), waiting, work_left, arrivals.vouchers)
        is_quiet = not (found.files or waiting or work_left.by_runs or work_left.by_nobody)
        self._quiet = _Quiet(listing, found, time.monotonic() + ASK_AGAIN) if is_quiet else None
        self._noted, self._previous = noted, listing
        self.looks += 1
        return found

    def claim(self, found: Found) -> None:
        """Claim what a look found, all of it at once; runs then bring ``files_per_run`` of it to an end each.

        Raises:
            LedgerUnavailable: The ledger does not answer.
        """
        from data_connections.steps.claiming import claim

        if found.files:
            claim(self.ledger, self.run, found.files, found.vouchers)

    def _is_wanted(self, file: RemoteFile, rules: ArrivalRules) -> bool:
        if self.days is None:
            return True
        arrived = file.mtime.astimezone(ZoneInfo(self.spec.time_zone)).date()
        return (rules.pattern.business_date(file.name) or arrived) in self.days

    @staticmethod
    def _reason(seen: NotTaken) -> tuple[RemoteFile, str]:
        return seen.file, str(seen.reason)

    @staticmethod
    def _is_news(seen: NotTaken, new: set[str]) -> bool:
        """Whether a file is worth a note: one that waits only while nobody claimed it."""
        return seen.reason not in WAITING or seen.file.path in new
