"""What FTP servers answer when they are asked for a folder: MLSD, the two common forms of LIST, and NLST."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["file", "folder", "link", "other"]

_UNIX = re.compile(
    rb"(?P<kind>[-dlbcps])[-rwxsStTlL]{9}[+.@]?\s+\d+\s+\S+\s+(?:\S+\s+)?(?P<size>\d+)\s+"
    rb"(?:[A-Za-z]{3}\s+\d{1,2}|\d{1,2}\s+[A-Za-z]{3})\s+(?:\d{4}|\d{1,2}:\d\d) (?P<name>.+)",
    re.DOTALL,
)
_DOS = re.compile(
    rb"\d\d-\d\d-(?:\d\d|\d{4})\s+\d{1,2}:\d\d(?:[AP]M)?\s+(?P<size><DIR>|\d+) +(?P<name>.+)", re.DOTALL | re.IGNORECASE
)
_KINDS: dict[bytes, Kind] = {b"-": "file", b"d": "folder", b"l": "link"}
_TIME = re.compile(rb"(\d{14})(?:\.\d+)?")
_HERE = (b"", b".", b"..")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing.

    Attributes:
        name: The bytes of the name, without any folder.
        kind: ``link`` where only a closer look tells what is behind it.
        size: Bytes, where the line tells them.
        mtime: UTC to the second; None where the line does not tell it that exactly.
        line: The line itself: while it stays the same, so has the file, to the minute.
    """

    name: bytes
    kind: Kind
    size: int | None
    mtime: datetime | None
    line: bytes


def lines_of(data: bytes) -> list[bytes]:
    """Return the lines of a listing; where they end as FTP wants it, a line feed may be part of a name."""
    ending = b"\r\n" if b"\r\n" in data else b"\n"
    return [line for line in data.split(ending) if line]


def parse_time(text: bytes) -> datetime | None:
    """Return a time as MDTM and MLSD give it (UTC), cut to the second."""
    found = _TIME.fullmatch(text.strip())
    try:
        return datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def parse_mlsd(lines: Iterable[bytes]) -> list[Entry]:
    """Return the entries of an MLSD answer; lines without facts are none."""
    return [entry for entry in map(_mlsd_entry, lines) if entry is not None]


def _mlsd_entry(line: bytes) -> Entry | None:
    told, space, name = line.partition(b" ")
    if not space or b"=" not in told or name in _HERE:
        return None
    facts = {key.lower(): value for key, _, value in (fact.partition(b"=") for fact in told.split(b";"))}
    kind = facts.get(b"type", b"").lower()
    if kind in (b"cdir", b"pdir"):
        return None
    size = facts.get(b"size", b"")
    return Entry(
        name,
        "file" if kind == b"file" else "folder" if kind == b"dir" else "link",
        int(size) if size.isdigit() else None,
        parse_time(facts.get(b"modify", b"")),
        line,
    )


def parse_list(lines: Iterable[bytes]) -> list[Entry] | None:
    """Return the entries of a LIST answer, or None where a line is in no form that is known for sure."""
    entries = []
    for line in lines:
        if re.fullmatch(rb"total \d+", line):
            continue
        entry = _list_entry(line)
        if entry is None:
            return None
        if entry.name not in _HERE:
            entries.append(entry)
    return entries


def _list_entry(line: bytes) -> Entry | None:
    found = _UNIX.fullmatch(line)
    if found:
        kind = _KINDS.get(found["kind"], "other")
        name = found["name"].partition(b" -> ")[0] if kind == "link" else found["name"]
        return Entry(name, kind, int(found["size"]), None, line)
    found = _DOS.fullmatch(line)
    if found:
        is_folder = found["size"].upper() == b"<DIR>"
        return Entry(
            found["name"], "folder" if is_folder else "file", None if is_folder else int(found["size"]), None, line
        )
    return None


def parse_nlst(lines: Iterable[bytes]) -> list[Entry]:
    """Return the entries of an NLST answer; some servers put the folder before each name."""
    names = dict.fromkeys(line.rpartition(b"/")[2] for line in lines)
    return [Entry(name, "link", None, None, name) for name in names if name not in _HERE]
