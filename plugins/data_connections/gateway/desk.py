"""One login's session at its folder: what it does is allowed or refused, counted and written down, by any protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from data_connections.gateway.folder import PartnerFolder
from data_connections.gateway.journal import Journal
from data_connections.gateway.refusals import Cause, Refused
from data_connections.gateway.roster import Proof
from data_connections.gateway.transfers import Download, Upload

Arrived = Callable[[int, bytes], object]
"""Told that a connection's folder got a file, under a path as its logins see it."""


class Desk:
    """What one logged-in session does with its folder.

    Args:
        proof: Who logged in.
        folder: The connection's folder.
        journal: Where it is written down.
        accepts: Whether new transfers may begin; not while the gateway is about to stop.
        arrived: Told the number of the connection and the path when its folder got a file.
    """

    def __init__(
        self,
        proof: Proof,
        folder: PartnerFolder,
        journal: Journal,
        accepts: Callable[[], bool],
        arrived: Arrived,
    ) -> None:
        self.proof = proof
        self.folder = folder
        self.journal = journal
        self._accepts = accepts
        self._arrived = arrived
        self._open: set[Upload | Download] = set()

    def upload(self, path: bytes) -> Upload:
        """Begin to take a file; errors as in ``PartnerFolder.upload``."""
        with self._told(path):
            self._refuse_late()
            upload = self.folder.upload(path)
        self._open.add(upload)
        return upload

    def download(self, path: bytes) -> Download:
        """Begin to hand out a file; errors as in ``PartnerFolder.download``."""
        with self._told(path):
            self._refuse_late()
            download = self.folder.download(path)
        self._open.add(download)
        return download

    def delete(self, path: bytes) -> None:
        """Delete a file; errors as in ``PartnerFolder.delete``."""
        with self._told(path):
            deleted = self.folder.delete(path)
        self.journal.changed(self.proof, "file.deleted", deleted)

    def move(self, path: bytes, new: bytes, *, replace: bool) -> None:
        """Rename a file; errors as in ``PartnerFolder.move``."""
        with self._told(path):
            now = self.folder.move(path, new, replace=replace)
        self.journal.changed(self.proof, "file.renamed", now, was=path.decode("utf-8", "replace"))
        self._arrived(self.proof.connection_id, now)

    def refuse(self, path: bytes, why: str) -> NoReturn:
        """Refuse something that no login may do.

        Raises:
            Refused: Always.
        """
        with self._told(path):
            raise Refused(Cause.DENIED, why)

    @contextmanager
    def _told(self, path: bytes) -> Iterator[None]:
        """Write refusals down; what is merely not there is an everyday question."""
        try:
            yield
        except Refused as refused:
            if refused.cause is not Cause.MISSING:
                self.journal.refused(self.proof, path, str(refused))
            raise

    def finish_upload(self, upload: Upload) -> None:
        """Give a complete upload its name; blocks until it is on the disk.

        Raises:
            Refused: It is not complete, or was refused before.
        """
        self._open.discard(upload)
        try:
            arrived = upload.finish()
        except Refused as refused:
            self.journal.refused(self.proof, upload.path, str(refused))
            raise
        self.journal.uploaded(self.proof, arrived.path, arrived.size)
        self._arrived(self.proof.connection_id, arrived.path)

    def give_up(self, upload: Upload) -> None:
        """Give up an upload whose connection ended early."""
        self._open.discard(upload)
        self.journal.refused(
            self.proof, upload.path, f"The connection ended after {upload.size:,} bytes; nothing is kept."
        )
        upload.discard()

    def finish_download(self, download: Download) -> None:
        """Leave a file that was handed out, and write down whether it was whole."""
        self._open.discard(download)
        if download.is_whole:
            self.journal.downloaded(self.proof, download.path, download.size)
        download.close()

    def leave(self) -> None:
        """End the session: whatever is still on its way was not completed."""
        for transfer in list(self._open):
            if isinstance(transfer, Upload):
                self.give_up(transfer)
            else:
                transfer.close()
        self._open.clear()

    def again(self) -> Desk:
        """Return a desk for another channel of the same connection."""
        return Desk(self.proof, self.folder, self.journal, self._accepts, self._arrived)

    def _refuse_late(self) -> None:
        if not self._accepts():
            raise Refused(Cause.DENIED, "The server is about to restart; please come again in a minute.")
