"""Remote file names as text that can be stored and sent back byte for byte, and as text that is safe to show.

The bytes of a name are turned into text the way rclone does it: whatever is not valid UTF-8, a NUL or a slash
inside a name becomes U+201B and two hexadecimal digits. The text is therefore always valid Unicode (PostgreSQL
and JSON take it) and names the same file when it is sent back.
"""

from __future__ import annotations

import re
import unicodedata

QUOTE = "\u201b"
_QUOTED = re.compile(f"{QUOTE}({QUOTE}|[0-9A-F]{{2}})")
_UNSENDABLE = frozenset({0x00, 0x2F})
LINE_BREAKS = frozenset({0x0A, 0x0D})
"""Bytes that a protocol of lines, such as FTP, cannot carry inside a name."""

_NEVER_SENT = frozenset(f"{value:02X}" for value in _UNSENDABLE | LINE_BREAKS)


def decode_name(raw: bytes, unsendable: frozenset[int] = frozenset()) -> str:
    """Return the text of one listed name; nothing in it can act as a folder separator.

    Args:
        raw: The name as it was listed.
        unsendable: More bytes that the protocol cannot carry; a name with one of them is not safe.
    """
    text = raw.decode("utf-8", "surrogateescape")
    special = _UNSENDABLE | unsendable
    if text.isascii() and not special & set(raw):
        return text
    return "".join(_quoted(character, special) for character in text)


def _quoted(character: str, special: frozenset[int]) -> str:
    if character == QUOTE:
        return QUOTE * 2
    if "\udc80" <= character <= "\udcff":
        return f"{QUOTE}{ord(character) - 0xDC00:02X}"
    if ord(character) in special:
        return f"{QUOTE}{ord(character):02X}"
    return character


def encode_path(path: str) -> bytes:
    """Return the bytes to send for a path made of decoded names and slashes.

    A quoted slash or NUL stays quoted, so a name that a server made up cannot lead into another folder.
    """
    return _QUOTED.sub(_unquoted, path).encode("utf-8", "surrogateescape")


def _unquoted(match: re.Match[str]) -> str:
    inner = match.group(1)
    if inner == QUOTE:
        return QUOTE
    value = int(inner, 16)
    if value in _UNSENDABLE or value < 0x80:
        return match.group(0)
    return chr(0xDC00 + value)


def is_safe_name(name: str) -> bool:
    """Whether a listed name can be that of a file inside the listed folder."""
    if name in ("", ".", "..") or "/" in name:
        return False
    return not any(match.group(1) in _NEVER_SENT for match in _QUOTED.finditer(name))


def shown(text: str) -> str:
    """Return a name or path for people: control, invisible and direction-changing characters are escaped."""
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character == " " or not unicodedata.category(character).startswith(("C", "Z")):
        return character
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def join(folder: str, name: str) -> str:
    """Return the path of ``name`` in ``folder``; an empty folder or ``.`` is the folder that the login starts in."""
    if folder in ("", "."):
        return name
    return f"{folder.rstrip('/')}/{name}"


def split(path: str) -> tuple[str, str]:
    """Return the folder and the name of ``path``; the folder of a bare name is ``""``."""
    folder, slash, name = path.rpartition("/")
    return (folder or slash), name
