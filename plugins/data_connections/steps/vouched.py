"""Comparing a file with what its manifest says of it: bytes while it is fetched, rows once they are counted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from data_connections.endpoints.names import shown
from data_connections.endpoints.vouching import Voucher
from data_connections.errors import FileRefused
from data_connections.ledger.submission import Submission


def voucher_of(submission: Submission) -> Voucher | None:
    """Return what a marker or a manifest said of a submission's file."""
    return Voucher.from_json(submission.vouched) if submission.vouched else None


class Weighed:
    """Takes the blocks of a file on their way to where they are kept, and compares them at the end.

    Args:
        sink: Takes the blocks.
        voucher: What is known of the file, if anything.
        name: Its name, for messages.
    """

    def __init__(self, sink: Callable[[bytes], object], voucher: Voucher | None, name: str) -> None:
        self._sink = sink
        self._voucher = voucher
        self._name = name
        self._manifest = shown(voucher.by) if voucher else ""
        self._sums = {
            kind: hashlib.new(kind, usedforsecurity=False)
            for kind in ("md5", "sha256")
            if voucher and getattr(voucher, kind)
        }

    def write(self, block: bytes) -> None:
        """Pass a block on."""
        self._sink(block)
        for digest in self._sums.values():
            digest.update(block)

    def compare(self) -> None:
        """Compare what was written with what the manifest says.

        Raises:
            FileRefused: MANIFEST_MISMATCH.
        """
        for kind, digest in self._sums.items():
            said = getattr(self._voucher, kind)
            if digest.hexdigest() != said:
                raise FileRefused(
                    "MANIFEST_MISMATCH",
                    f"{shown(self._name)} is not the file that its manifest {self._manifest} names: its "
                    f"{kind.upper()} is {digest.hexdigest()}, there {said}. Send both again.",
                )


def compare_rows(submission: Submission, rows: int) -> None:
    """Compare the rows of a file with what its manifest says.

    Raises:
        FileRefused: MANIFEST_ROWS.
    """
    voucher = voucher_of(submission)
    if voucher is not None and voucher.rows not in (None, rows):
        raise FileRefused(
            "MANIFEST_ROWS",
            f"{shown(submission.file_name)} has {rows:,} rows, and {shown(voucher.by)} says {voucher.rows:,}. "
            "Send both again.",
        )
