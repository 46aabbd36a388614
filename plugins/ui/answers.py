"""Where a form leads when it is done: back to where the person was, with one sentence about what happened."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Form, Request
from fastapi.responses import RedirectResponse

from ui.rendering import root_of

Back = Annotated[str, Form(max_length=2000)]


def go_back(request: Request, place: str, done: str) -> RedirectResponse:
    """Lead back to ``place``, a path below the app, and say what was done there."""
    parts = urlsplit(place)
    inside = "" if parts.scheme or parts.netloc else parts.path.lstrip("/")
    query = [(key, value) for key, value in parse_qsl(parts.query) if key != "done"]
    return RedirectResponse(f"{root_of(request)}/{inside}?{urlencode([*query, ('done', done)])}", 303)
