"""What keeps other sites out: requests that change something come from our own pages, and browsers are told so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import HTTPException, Request, Response

SAFE = ("GET", "HEAD")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def same_origin(request: Request) -> None:
    """Refuse a request that changes something unless one of our pages, or a program with a token, sent it.

    Browsers send the session's cookie with requests of other sites too, and say where a request comes from. A bearer
    token is never sent by itself.

    Raises:
        HTTPException: 403.
    """
    if request.method in SAFE or request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = urlsplit(origin).netloc == request.headers.get("host") if origin else site == "same-origin"
    if not ours or site not in (None, "same-origin"):
        raise HTTPException(403, "This request comes from another site, so nothing was done.")


async def with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Add the headers that browsers keep to; what a route set itself stays."""
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
