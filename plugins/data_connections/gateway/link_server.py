"""The one page that the gateway serves by HTTPS: login details, by a link that works once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jinja2
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from data_connections.gateway.failed_logins import FailedLogins
from data_connections.gateway.login_links import LinkState, Opened, look_at, open_link
from data_connections.ledger import Ledger

CONNECTION_WITHIN = 30.0
"""Seconds that one connection may take, so that nobody holds one open."""

AT_ONCE = 100
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}
_SENTENCES = {
    LinkState.OPEN: "This link shows the details of your login once. Press the button when nobody looks over your "
    "shoulder.",
    LinkState.USED: "This link was used already. If that was not you, somebody else has seen the details: please tell "
    "us at once. Ask us for a new link.",
    LinkState.EXPIRED: "This link has ended. Ask us for a new one.",
    LinkState.UNKNOWN: "There is no such link. It has to be copied whole from the mail.",
}
_STATUS = {LinkState.OPEN: 200, LinkState.USED: 410, LinkState.EXPIRED: 410, LinkState.UNKNOWN: 404}
_PAGES = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).with_name("pages")), autoescape=True)

Tell = Callable[[int, str], dict[str, Any] | None]
"""Returns what is told about a login, by connection and name; None where the connection is gone."""

HasPassword = Callable[[int], bool]
"""Whether logins of a connection may have passwords."""


class _BriefHttp(H11Protocol):
    """A connection that ends in any case."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._end = self.loop.call_later(CONNECTION_WITHIN, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """A server that leaves signals to the gateway."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class LinkServer:
    """Serves the page.

    Args:
        ledger: Where links are kept.
        failed: Counts guesses, by address.
        tell: Tells about a login.
        has_password: Tells connections with passwords.
    """

    def __init__(self, ledger: Ledger, failed: FailedLogins, tell: Tell, has_password: HasPassword) -> None:
        self._ledger = ledger
        self._failed = failed
        self._tell = tell
        self._has_password = has_password
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def listen(self, bind: str, port: int, certificate: Path) -> int:
        """Begin to serve and return the port; OSError where it cannot be had."""
        listening = socket.create_server((bind, port), backlog=128)
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.get("/login/{token}")(self._show)
        app.post("/login/{token}")(self._open)
        configuration = uvicorn.Config(
            app,
            http=_BriefHttp,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=AT_ONCE,
            timeout_graceful_shutdown=3,
            ssl_certfile=str(certificate),
        )
        self._server = _Server(configuration)
        self._task = asyncio.create_task(self._server.serve([listening]))
        return int(listening.getsockname()[1])

    async def stop(self) -> None:
        """Stop serving."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await asyncio.gather(self._task, return_exceptions=True)

    async def _show(self, request: Request, token: str) -> HTMLResponse:
        opened = await asyncio.to_thread(look_at, self._ledger, token)
        return await self._answer(request, opened, ask=opened.state is LinkState.OPEN)

    async def _open(self, request: Request, token: str) -> HTMLResponse:
        looked = await asyncio.to_thread(look_at, self._ledger, token)
        has_password = looked.link is not None and self._has_password(looked.link.connection_id)
        opened = await asyncio.to_thread(open_link, self._ledger, token, _address(request), has_password=has_password)
        return await self._answer(request, opened, ask=False)

    async def _answer(self, request: Request, opened: Opened, *, ask: bool) -> HTMLResponse:
        if opened.state is LinkState.UNKNOWN:
            await asyncio.sleep(self._failed.failed(_address(request)))
        shows = opened.state is LinkState.OPEN and opened.link is not None and not ask
        told = self._tell(opened.link.connection_id, opened.link.login) if shows and opened.link else None
        sentence = "These are the details of your login." if shows else _SENTENCES[opened.state]
        page = _PAGES.get_template("login.html").render(
            title="Your login for file transfers",
            sentence=sentence,
            ask=ask,
            password=opened.password,
            told=list(_lines(told or {})),
        )
        return HTMLResponse(page, _STATUS[opened.state], _HEADERS)


def _lines(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in told.items():
        if name == "host_keys":
            value = [key["fingerprint"] for key in value]  # noqa: PLW2901 - as people compare them
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        if shown not in (None, ""):
            yield name.replace("_", " "), str(shown)


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"
