"""What vouches for a file: a marker beside it, or a manifest that names it with its size, hash and rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from data_connections.endpoints.contract import RemoteFile

MOST_BYTES = 4 * 1024**2
"""Bytes that a manifest may have."""

_SUM = re.compile(r"\\?(?P<digest>[0-9A-Fa-f]{64}|[0-9A-Fa-f]{32}) [ *](?P<name>.+)")
_FIELDS = {
    "name": "name",
    "md5-digest": "md5",
    "sha-256-digest": "sha256",
    "file-size": "size",
    "record-count": "rows",
}


@dataclass(frozen=True)
class Voucher:
    """What is known about a file from the one that vouches for it.

    Attributes:
        by: Path of the marker or the manifest.
        marker: Whether it is a marker, which stands for this file alone.
        size: Bytes, where a manifest says so.
        md5: Hexadecimal MD5.
        sha256: Hexadecimal SHA-256.
        rows: Lines without the header.
    """

    by: str
    marker: bool
    size: int | None = None
    md5: str | None = None
    sha256: str | None = None
    rows: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Voucher:
        """Return what ``as_json`` wrote."""
        return cls(**value)


def read_manifest(content: bytes, path: str) -> dict[str, Voucher]:
    """Return what a manifest says of each file that it names; nothing where it is no manifest.

    Understood are sections of ``Key: value`` with blank lines between, as our own manifests have them, and the lines of
    ``sha256sum`` and ``md5sum``.

    Args:
        content: Its bytes.
        path: Where it lies.
    """
    text = content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    sections = [_section(part) for part in re.split(r"\n\s*\n", text)]
    named = {section.pop("name"): section for section in sections if "name" in section}
    for match in filter(None, map(_SUM.fullmatch, text.splitlines())):
        digest = match["digest"].lower()
        named[match["name"].rpartition("/")[2]] = {"sha256" if len(digest) == 64 else "md5": digest}
    return {name: _voucher(values, path) for name, values in named.items()}


def _section(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    found = {_FIELDS.get(key.strip().lower(), ""): value.strip() for key, colon, value in pairs if colon}
    return {field: value for field, value in found.items() if field and value}


def _voucher(values: Mapping[str, str], path: str) -> Voucher:
    numbers = {field: int(values[field]) for field in ("size", "rows") if values.get(field, "").isdecimal()}
    digests = {field: values[field].lower() for field in ("md5", "sha256") if field in values}
    return Voucher(path, marker=False, **numbers, **digests)  # type: ignore[arg-type]


def marker_of(file: RemoteFile, listing: Mapping[str, RemoteFile], ending: str) -> Voucher | None:
    """Return what vouches for a file by a name with that ending: ``orders.csv.fin`` or ``orders.fin`` for orders.csv.

    A marker that is older than the file was left by an earlier one, and does not count.
    """
    folder = file.path.removesuffix(file.name)
    stem = file.name.rpartition(".")[0] or file.name
    for name in (file.name + ending, stem + ending):
        marker = listing.get(folder + name)
        if marker is not None and marker.mtime >= file.mtime:
            return Voucher(marker.path, marker=True)
    return None


def manifested(file: RemoteFile, manifests: Iterable[tuple[RemoteFile, Mapping[str, Voucher]]]) -> Voucher | None:
    """Return what the newest manifest says of a file; one that is older than the file does not count."""
    speaking = [
        (manifest.mtime, entries[file.name])
        for manifest, entries in manifests
        if file.name in entries and manifest.mtime >= file.mtime
    ]
    return max(speaking, key=lambda each: each[0])[1] if speaking else None
