"""The one file inside a zip, after the archive was checked: what it says of itself in two places has to agree.

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


def open_only_member(packed: BinaryIO, name: str, most: int) -> BinaryIO:
    """Return the one file of a zip for reading; folders and what macOS adds do not count.

    Args:
        packed: The archive, from its beginning; read to the end.
        name: Its name, for messages.
        most: Bytes that the archive may have.

    Raises:
        FileRefused: It is damaged, encrypted or contradicts itself, or holds no file or several.
    """
    spool = _spooled(packed, name, most)
    try:
        return cast("BinaryIO", _Member(_only_member(spool, name), spool, name))
    except BaseException:
        spool.close()
        raise


def _only_member(spool: IO[bytes], name: str) -> IO[bytes]:
    try:
        archive = zipfile.ZipFile(spool)
    except (zipfile.BadZipFile, OSError, ValueError) as damaged:
        raise _refused("PACKED_DAMAGED", name, f"is no whole zip file ({damaged}). Send it again") from damaged
    entries = archive.infolist()
    _refuse_workbook(entries)
    _check(spool, archive, entries, name)
    files = [entry for entry in entries if not entry.is_dir() and not entry.filename.startswith(_NO_DATA)]
    if len(files) != 1:
        held = f"{len(files)} files ({', '.join(entry.filename for entry in files[:3])} ...)" if files else "no file"
        raise _refused("ZIP_NOT_ONE_FILE", name, f"holds {held}. Send one file in each zip")
    return archive.open(files[0])


def _spooled(packed: BinaryIO, name: str, most: int) -> IO[bytes]:
    spool = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 - it lives as long as the member is read
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
    """A member that turns zipfile's errors into refusals, and closes the archive with itself."""

    def __init__(self, member: IO[bytes], spool: IO[bytes], name: str) -> None:
        self._member = member
        self._spool = spool
        self._name = name

    def __del__(self) -> None:
        self._member.close()
        self._spool.close()

    def read(self, size: int = -1) -> bytes:
        try:
            return self._member.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError) as damaged:
            raise _refused("PACKED_DAMAGED", self._name, f"cannot be unpacked ({damaged}). Send it again") from damaged
