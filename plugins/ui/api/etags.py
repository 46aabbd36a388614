"""ETags: an edit says what it was written against, and is refused where somebody else changed that meanwhile."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, HTTPException

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The ETag of what you changed, as GET returns it.")
]


def etag(version: int | str) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def version_in(if_match: str | None) -> str:
    """Return the version that an edit was written against.

    Raises:
        HTTPException: 428 where none is given.
    """
    if if_match is None:
        raise HTTPException(428, "Send If-Match with the ETag of what you changed.")
    return if_match.strip().removeprefix("W/").strip('"')
