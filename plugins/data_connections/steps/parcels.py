"""Unpacking a parcel: each file of a zip that holds several becomes a submission of its own, or none does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from data_connections.endpoints.names import shown
from data_connections.errors import FileRefused
from data_connections.formats.parcel import Parcel, open_parcel
from data_connections.landing import Landing
from data_connections.ledger import Ledger, parcels, submissions
from data_connections.ledger.parcels import Member
from data_connections.spec.file_pattern import FilePattern
from data_connections.steps.job import Job
from data_connections.validation import Finding

NAMES_SHOWN = 5


def unpack(ledger: Ledger, landing: Landing, job: Job) -> bool:
    """Unpack a fetched submission if it is a parcel; return whether it is one.

    Its members are kept first, then all of them become submissions in one transaction; where another try did so
    before, nothing changes.

    Raises:
        FileRefused: It is a zip that cannot be taken: then none of its files is.
        OriginalDamaged: The original is gone or no longer what was kept.
    """
    key, name = str(job.submission.landing_key), job.submission.file_name
    with landing.open_verified(key) as source:
        parcel = open_parcel(source, name, most=job.spec.limits.max_bytes)
        if parcel is None:
            return False
        with closing(parcel):
            taken, left = _chosen(parcel, FilePattern(job.spec.details.member_pattern))
            if not taken:
                raise FileRefused(
                    "PARCEL_EMPTY",
                    f"None of the {len(left)} files in {name} fits details.member_pattern "
                    f"{job.spec.details.member_pattern!r}: {_listed(parcel, left)}.",
                )
            kept = list(_kept(landing, name, parcel, taken))
            warnings = list(_warning(parcel, left))
    with ledger.connect() as connection:
        parcels.unpack(connection, job.submission, kept, warnings)
    return True


def conclude(ledger: Ledger, submission_id: int) -> None:
    """Give the parcel of a submission, or one itself, its final state if all of its members have theirs."""
    with ledger.connect() as connection:
        submission = submissions.get(connection, submission_id)
        if submission.parcel_id or submission.members:
            parcels.conclude(connection, submission.parcel_id or submission.id)


def _chosen(parcel: Parcel, pattern: FilePattern) -> tuple[list[int], list[int]]:
    places = range(len(parcel.members))
    taken = [place for place in places if pattern.matches(parcel.members[place].rpartition("/")[2])]
    return taken, [place for place in places if place not in taken]


def _kept(landing: Landing, name: str, parcel: Parcel, places: list[int]) -> Iterator[Member]:
    for place in places:
        original = landing.keep_file(parcel.open(place))
        yield Member(f"{name}/{parcel.members[place]}", original.key, original.sha256, original.size)


def _warning(parcel: Parcel, left: list[int]) -> Iterator[dict[str, Any]]:
    if left:
        message = f"{len(left)} files do not fit details.member_pattern and were not taken: {_listed(parcel, left)}."
        yield Finding(None, None, "MEMBERS_LEFT", message, "warning")._asdict()


def _listed(parcel: Parcel, places: list[int]) -> str:
    more = " ..." if len(places) > NAMES_SHOWN else ""
    return ", ".join(shown(parcel.members[place]) for place in places[:NAMES_SHOWN]) + more
