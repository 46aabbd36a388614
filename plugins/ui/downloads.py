"""Files to download: always attachments, under a name that no browser or shell can misread."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

from fastapi import HTTPException
from fastapi.responses import StreamingResponse

from data_connections.landing import Landing

_BLOCK = 256 * 1024


def kept_file(landing: Landing, key: str | None, name: str) -> StreamingResponse:
    """Return a kept file under the name that its sender or we gave it.

    Raises:
        HTTPException: 404, where nothing was kept.
        OriginalDamaged: The kept file is gone.
    """
    if key is None:
        raise HTTPException(404, "No bytes of this file were kept.")
    return attachment(landing.open(key), name)


def attachment(source: BinaryIO, name: str) -> StreamingResponse:
    """Return what ``source`` holds as a download; it is closed afterwards."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".") or "file"
    whole = quote(name.replace("/", "_") or safe, safe="")
    disposition = f"attachment; filename=\"{safe}\"; filename*=UTF-8''{whole}"
    return StreamingResponse(
        _blocks(source), media_type="application/octet-stream", headers={"Content-Disposition": disposition}
    )


def _blocks(source: BinaryIO) -> Iterator[bytes]:
    with source:
        while block := source.read(_BLOCK):
            yield block
