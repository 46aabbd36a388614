"""Zip files that hold several files: parcels, opened under limits."""

from __future__ import annotations

from typing import BinaryIO, cast

from data_connections.errors import FileRefused
from data_connections.formats.packed import ZIP, Allowance, Bounded, Counted, is_packed
from data_connections.formats.zip_archive import ZipArchive


class _NotPacked(Bounded):
    """A member's bytes; packed ones are refused at the first."""

    _begun = False

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        if not self._begun and is_packed(block):
            raise FileRefused("PACKED_TWICE", f"{self._name} is packed inside a zip. Pack it once, or not at all.")
        self._begun = True
        return block


class Parcel:
    """A zip with several files, in its own order.

    Attributes:
        members: The names of the files, with their folders; data, never a path.
    """

    def __init__(self, archive: ZipArchive, allowance: Allowance) -> None:
        self._archive = archive
        self._allowance = allowance
        self.members = tuple(entry.filename for entry in archive.files)

    def open(self, index: int) -> BinaryIO:
        """Open one of ``members``; its bytes count against what all of them may have.

        FileRefused comes from ``read``: it is damaged or packed itself, or there is too much in the parcel.
        """
        reader = self._archive.open(self._archive.files[index])
        return cast("BinaryIO", _NotPacked(reader.read, self._allowance, self.members[index]))

    def close(self) -> None:
        """Let go of the file."""
        self._archive.close()


def open_parcel(source: BinaryIO, name: str, *, most: int) -> Parcel | None:
    """Open a zip with several files; None where ``source`` is anything else, such as a zip with one file.

    Args:
        source: A file, from its beginning; read to its end where it is a zip.
        name: Its name, for messages.
        most: Bytes that the files may have, all in all.

    Raises:
        FileRefused: It is a zip that is damaged, encrypted or contradicts itself.
    """
    head = source.read(len(ZIP))
    if head != ZIP:
        return None
    packed = Counted(head, source)
    archive = ZipArchive(cast("BinaryIO", packed), name, most)
    if len(archive.files) < 2:
        archive.close()
        return None
    return Parcel(archive, Allowance(packed, name, most))
