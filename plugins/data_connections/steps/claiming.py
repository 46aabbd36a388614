"""Claiming: files that have settled become numbered submissions, all in one go, and each run brings some to an end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from data_connections.endpoints.contract import RemoteFile
from data_connections.endpoints.vouching import Voucher
from data_connections.ledger import Ledger, claims, submissions
from data_connections.ledger.submission import Submission
from data_connections.spec import InboundConnection
from data_connections.steps.pinned_run import PinnedRun

NO_VOUCHERS: Mapping[str, Voucher] = MappingProxyType({})


@dataclass(frozen=True)
class Leased:
    """What a run has to bring to an end.

    Attributes:
        submissions: In claim order; members of a parcel come with it.
        new: How many of them no run had before.
        more: Claimed submissions that wait for the next run.
    """

    submissions: tuple[Submission, ...]
    new: int
    more: int


def claim(
    ledger: Ledger, run: PinnedRun, files: Iterable[RemoteFile], vouchers: Mapping[str, Voucher] = NO_VOUCHERS
) -> int:
    """Claim files, each once, numbered in the order given, and return how many nobody had claimed before.

    They belong to no run yet: ``lease`` gives them to one.

    Args:
        ledger: The ledger.
        run: The run that saw them; its revision's spec holds for these submissions.
        files: Files that have settled, in claim order.
        vouchers: What a marker or manifest says of them, by path.
    """
    assert isinstance(run.spec, InboundConnection)  # noqa: S101 - only inbound connections claim
    said = [
        claims.Claim(file, voucher.as_json() if voucher else None)
        for file in dict.fromkeys(files)
        for voucher in [vouchers.get(file.path)]
    ]
    with ledger.connect() as connection:
        return claims.claim_all(
            connection, run.connection_id, said, revision=run.revision, data_type=run.spec.data_type
        )


def lease(ledger: Ledger, run: PinnedRun) -> Leased:
    """Give a run ``files_per_run`` claimed submissions that no run had, and all that an earlier run left unfinished.

    Called again for the same run it gives the same ones.
    """
    assert isinstance(run.spec, InboundConnection)  # noqa: S101 - only inbound connections claim
    with ledger.connect() as connection:
        leases = claims.take_leases(connection, run.connection_id, run.id, most=run.spec.limits.files_per_run)
        found = submissions.get_all(connection, leases.ids)
    inside = set(leases.ids)
    return Leased(tuple(each for each in found if each.parcel_id not in inside), leases.new, leases.more)
