"""A zip file, after it was checked: what it says of itself in two places has to agree.

Older zipfile modules open archives whose entries lie over each other, or whose local headers name other files.
"""

from __future__ import annotations

import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from typing import IO, BinaryIO, cast

from data_connections.errors import FileRefused

SPOOLED = 16 * 1024**2
MOST_ENTRIES = 1_000
BLOCK = 1024 * 1024
_LOCAL = struct.Struct("<4s5H3I2H")
_LATER_SIZES = 0x08
_ENCRYPTED = 0x41
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NO_DATA = ("__MACOSX/",)
_NO_DATA_NAMES = (".DS_Store", "Thumbs.db")


class ZipArchive:
    """A zip file whose two directories agree; close it, or let the member that is read from it go.

    Args:
        packed: The file, from its beginning; read to the end.
        name: Its name, for messages.
        most: Bytes that it may have.

    Attributes:
        files: What it holds, in its own order; folders and what macOS and Windows add do not count.

    Raises:
        FileRefused: It is damaged, encrypted or contradicts itself, or is an Office document.
    """

    def __init__(self, packed: BinaryIO, name: str, most: int) -> None:
        self._name = name
        self._spool = _spooled(packed, name, most)
        try:
            self._archive = _opened(self._spool, name)
            entries = self._archive.infolist()
            _refuse_workbook(entries)
            _check(self._spool, self._archive, entries, name)
        except BaseException:
            self._spool.close()
            raise
        self.files = [entry for entry in entries if not entry.is_dir() and not _is_no_data(entry.filename)]

    def open(self, entry: zipfile.ZipInfo) -> BinaryIO:
        """Open one of ``files`` for reading; FileRefused comes from ``read`` where it is damaged."""
        return cast("BinaryIO", _Member(self._archive.open(entry), self._name, self))

    def close(self) -> None:
        """Let go of the file."""
        self._spool.close()

    def __del__(self) -> None:
        if hasattr(self, "_spool"):
            self.close()


def open_only_member(packed: BinaryIO, name: str, most: int) -> BinaryIO:
    """Return the one file of a zip for reading.

    Args:
        packed: The archive, from its beginning; read to the end.
        name: Its name, for messages.
        most: Bytes that the archive may have.

    Raises:
        FileRefused: It cannot be read, or holds no file or several.
    """
    archive = ZipArchive(packed, name, most)
    if len(archive.files) != 1:
        archive.close()
        named = ", ".join(entry.filename for entry in archive.files[:3])
        held = f"{len(archive.files)} files ({named} ...)" if archive.files else "no file"
        raise _refused("ZIP_NOT_ONE_FILE", name, f"holds {held}, and one is read here")
    return archive.open(archive.files[0])


def _is_no_data(name: str) -> bool:
    return name.startswith(_NO_DATA) or name.rpartition("/")[2] in _NO_DATA_NAMES


def _opened(spool: IO[bytes], name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(spool)
    except (zipfile.BadZipFile, OSError, ValueError) as damaged:
        raise _refused("PACKED_DAMAGED", name, f"is no whole zip file ({damaged}). Send it again") from damaged


def _spooled(packed: BinaryIO, name: str, most: int) -> IO[bytes]:
    spool = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 - it lives as long as the archive is read
    size = 0
    while block := packed.read(BLOCK):
        size += len(block)
        if size > most:
            spool.close()
            raise _refused("PACKED_TOO_LARGE", name, f"has more than {most:,} bytes")
        spool.write(block)
    spool.seek(0)
    return cast("IO[bytes]", spool)


def _refuse_workbook(entries: Iterable[zipfile.ZipInfo]) -> None:
    if any(entry.filename == "[Content_Types].xml" for entry in entries):
        raise FileRefused("BINARY_FILE", "The file is an Office document, not text; send the text itself.", line=1)


def _check(archive_file: IO[bytes], archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], name: str) -> None:
    if len(entries) > MOST_ENTRIES:
        raise _refused("ZIP_UNSOUND", name, f"has {len(entries):,} entries, over {MOST_ENTRIES:,}")
    if len({entry.filename.casefold() for entry in entries}) < len(entries):
        raise _refused("ZIP_UNSOUND", name, "names the same file twice")
    position = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.flag_bits & _ENCRYPTED:
            raise _refused("ZIP_ENCRYPTED", name, "is encrypted by a password. Send it without, or encrypted with PGP")
        if entry.compress_type not in _METHODS:
            raise _refused("ZIP_UNSOUND", name, f"is packed by a method that is not taken ({entry.compress_type})")
        if entry.header_offset < position:
            raise _refused("ZIP_UNSOUND", name, "has entries that lie over each other")
        position = _end_of(archive_file, entry, name)
    if position > archive.start_dir:
        raise _refused("ZIP_UNSOUND", name, "has an entry that lies over its own directory")


def _end_of(archive_file: IO[bytes], entry: zipfile.ZipInfo, name: str) -> int:
    """Return where an entry's data ends, after its local header was compared with the directory."""
    archive_file.seek(entry.header_offset)
    head = archive_file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
        raise _refused("ZIP_UNSOUND", name, f"has no entry where its directory says that {entry.filename!r} is")
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(head)
    local_name = archive_file.read(name_length)
    directory_name = entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437")
    told = (crc, packed, size)
    listed = (entry.CRC, entry.compress_size, entry.file_size)
    is_told_later = bool(flags & _LATER_SIZES) or 0xFFFFFFFF in told
    if local_name != directory_name or method != entry.compress_type or not (is_told_later or told == listed):
        raise _refused("ZIP_UNSOUND", name, f"says different things about {entry.filename!r} in its two directories")
    end: int = entry.header_offset + _LOCAL.size + name_length + extra_length + entry.compress_size
    return end


def _refused(code: str, name: str, what: str) -> FileRefused:
    return FileRefused(code, f"{name} {what}.")


class _Member:
    """A member that turns zipfile's errors into refusals, and keeps its archive open."""

    def __init__(self, member: IO[bytes], name: str, archive: ZipArchive) -> None:
        self._member = member
        self._name = name
        self._archive = archive

    def read(self, size: int = -1) -> bytes:
        try:
            return self._member.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError) as damaged:
            raise _refused("PACKED_DAMAGED", self._name, f"cannot be unpacked ({damaged}). Send it again") from damaged
