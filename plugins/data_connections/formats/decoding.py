"""Bytes of a file in, checked UTF-8 without a byte order mark out, in bounded chunks."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from data_connections.errors import FileRefused

_LF = 10
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY = (
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf", "a 7-zip archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF-", "a PDF document"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"\x7fELF", "a program"),
)
_OTHER_TEXT = (
    (b"<?xml", "XML"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"{", "JSON"),
    (b"[{", "JSON"),
)


def codec_of(head: bytes, declared: str | None) -> tuple[str, int]:
    """Decide how a file is encoded.

    Args:
        head: The first bytes of the file, four at least where it has them.
        declared: The encoding of the file format, or None.

    Returns:
        The codec, and the length of the byte order mark to leave out.

    Raises:
        FileRefused: ENCODING_MISMATCH or BOM_MISSING.
    """
    mark, marked = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", None))
    if declared is None:
        return marked or "utf-8", len(mark)
    codec = codecs.lookup(declared).name.removesuffix("-sig")
    if marked and codec not in (marked, marked[:6]):
        raise FileRefused(
            "ENCODING_MISMATCH",
            f"The file begins with the byte order mark of {marked}, but {declared} is declared.",
            line=1,
            options={"encoding": marked},
        )
    if marked is None and codec in ("utf-16", "utf-32"):
        raise FileRefused(
            "BOM_MISSING",
            f"{declared} is declared, but no byte order mark says which byte comes first; declare {codec}-le or -be.",
            line=1,
            options={"encoding": f"{codec}-le"},
        )
    return marked or codec, len(mark)


def refuse_no_text(head: bytes) -> None:
    """Refuse what is plainly no text, by its first bytes.

    Raises:
        FileRefused: EMPTY_FILE or BINARY_FILE.
    """
    if not head:
        raise FileRefused("EMPTY_FILE", "The file is empty; not even a header is there.")
    for magic, kind in _BINARY:
        if head.startswith(magic):
            raise FileRefused("BINARY_FILE", f"The file is {kind}, not text; send the text itself.", line=1)


def refuse_other_text(head: bytes, *, preamble: bool) -> None:
    """Refuse what is plainly no delimited text.

    Args:
        head: The first bytes of the file.
        preamble: Whether lines before the table are declared; then the first text may be anything.

    Raises:
        FileRefused: NOT_DELIMITED.
    """
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for magic, kind in _OTHER_TEXT:
        if not preamble and start.startswith(magic):
            raise FileRefused("NOT_DELIMITED", f"The file is {kind}, not delimited text.", line=1)


def utf8_chunks(source: BinaryIO, codec: str, first: bytes, size: int) -> Iterator[bytes]:
    """Yield the text of ``source`` as UTF-8, checked byte by byte.

    Args:
        source: Read on from where it stands.
        codec: The encoding, as ``codec_of`` gives it.
        first: What was already read, without the byte order mark.
        size: How many bytes to read at a time.

    Raises:
        FileRefused: INVALID_ENCODING or NUL_BYTE, with the line.
    """
    decoder = codecs.getincrementaldecoder(codec)("strict")
    line, chunk = 1, first
    while chunk:
        following = source.read(size)
        text = _decoded(decoder, chunk, codec, line, final=not following)
        if b"\0" in text:
            _refuse_nul(text, line, codec)
        if text:
            yield text
        line += int(np.count_nonzero(np.frombuffer(text, np.uint8) == _LF))
        chunk = following


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, codec: str, line: int, *, final: bool) -> bytes:
    pending = decoder.getstate()[0]
    if codec == "utf-8" and not pending and chunk.isascii():
        return chunk
    try:
        return decoder.decode(chunk, final).encode()
    except UnicodeDecodeError as invalid:
        before = invalid.object[: invalid.start].decode(codec, "replace")
        raise _invalid(invalid.object[invalid.start], codec, line + before.count("\n"), invalid.object) from None
    except UnicodeEncodeError as invalid:
        raise _invalid(None, codec, line + invalid.object[: invalid.start].count("\n"), b"") from None


def _invalid(byte: int | None, codec: str, line: int, seen: bytes) -> FileRefused:
    shown = "A character" if byte is None else f"The byte 0x{byte:02x}"
    likely = _likely(seen) if codec == "utf-8" else None
    hint = " If an older program wrote it, declare its encoding." if likely else ""
    options = {"encoding": likely} if likely else {}
    return FileRefused("INVALID_ENCODING", f"{shown} is not valid {codec}.{hint}", line=line, options=options)


def _refuse_nul(text: bytes, line: int, codec: str) -> None:
    likely = _likely(text) if codec == "utf-8" else None
    hint = "It looks like UTF-16 without a byte order mark." if likely else "It is damaged, or no text at all."
    options = {"encoding": likely} if likely else {}
    at = line + text.count(b"\n", 0, text.index(b"\0"))
    raise FileRefused("NUL_BYTE", f"The file holds a NUL byte. {hint}", line=at, options=options)


def _likely(seen: bytes) -> str | None:
    """Return an encoding worth declaring for text that is no UTF-8."""
    start = seen[:64]
    if start.count(b"\0") * 3 > len(start):
        return "utf-16-be" if start.startswith(b"\0") else "utf-16-le"
    try:
        seen.decode("cp1252")
    except UnicodeDecodeError:
        return None
    return None if b"\0" in seen else "cp1252"
