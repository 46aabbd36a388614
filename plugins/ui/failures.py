"""What a request that cannot be answered gets: a page or problem+json, one clear sentence, never a stack trace."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from data_connections.errors import ConfigurationError, ConnectionsError, LedgerUnavailable, Mistakes, UnknownName
from ui.guards import HEADERS
from ui.rendering import render, root_of
from ui.saving import EditConflict

_log = logging.getLogger(__name__)
_NOWHERE = "There is nothing at this address. It may be misspelt, or what was here is gone."


def handle_failures(app: FastAPI) -> None:
    """Give ``app`` an answer to everything that may go wrong."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(EditConflict, _conflict)
    app.add_exception_handler(ConnectionsError, _ours)
    app.add_exception_handler(psycopg.Error, _database)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_exception_handler(Exception, _unforeseen)


def problem(request: Request, status: int, detail: str, **more: Any) -> Response:
    """Return what went wrong: problem+json (RFC 9457) to programs, a page to people."""
    title = HTTPStatus(status).phrase
    if not _wants_page(request):
        content = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
        return JSONResponse(content, status, media_type="application/problem+json")
    return render(request, "failure.html", status=status, title=title, detail=detail, code=status)


def _wants_page(request: Request) -> bool:
    inside = request.url.path.removeprefix(root_of(request))
    return not inside.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if error.status_code == HTTPStatus.UNAUTHORIZED and _wants_page(request):
        return RedirectResponse(f"/auth/login?next={quote(str(request.url), safe='')}")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and request.method == "GET" and _wants_page(request):
        return RedirectResponse(_page_before(request), 303)
    is_no_route = (error.status_code, error.detail) == (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.phrase)
    return problem(request, error.status_code, _NOWHERE if is_no_route else str(error.detail))


def _page_before(request: Request) -> str:
    """Return the page whose form led to an address that only forms are sent to; browsers load such addresses again."""
    inside = request.url.path.removeprefix(root_of(request)).rpartition("/")[0]
    return f"{root_of(request)}{'/' if inside in ('', '/bulk') else inside}"


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    errors = [
        {"field": ".".join(str(part) for part in each["loc"][1:]), "message": each["msg"]} for each in error.errors()
    ]
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in errors)
    return problem(request, 422, detail, errors=errors)


def _conflict(request: Request, error: Exception) -> Response:
    assert isinstance(error, EditConflict)  # noqa: S101 - registered for it
    changes = [change.as_json() for change in error.changes]
    return problem(request, 409, str(error), revision=error.version, changes=changes)


def _ours(request: Request, error: Exception) -> Response:
    if isinstance(error, LedgerUnavailable):
        return problem(request, 503, str(error))
    if isinstance(error, UnknownName):
        return problem(request, 404, str(error))
    if isinstance(error, Mistakes):
        errors = [{"field": each.field, "message": each.message} for each in error.mistakes]
        return problem(request, 422, str(error), errors=errors)
    return problem(request, 422 if isinstance(error, ConfigurationError) else 409, str(error))


def _database(request: Request, error: Exception) -> Response:
    _log.error("A database did not answer %s", request.url.path, exc_info=error)
    return problem(request, 503, "A database did not answer as it should. Try again; the server's log says more.")


def _unforeseen(request: Request, error: Exception) -> Response:
    _log.error("No answer to %s", request.url.path, exc_info=error)
    answer = problem(request, 500, "Something went wrong that nobody foresaw. The server's log says what.")
    answer.headers.update(HEADERS)  # it does not come through the middleware that gives the others theirs
    return answer
