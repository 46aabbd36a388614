"""The FastAPI app: every route behind login and the same-origin check, static files and the API's description too."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse

from ui.api import description
from ui.failures import handle_failures
from ui.guards import same_origin, with_headers
from ui.pages import (
    access,
    actions,
    activity,
    bulk,
    changing,
    checks,
    connection,
    connections,
    credentials,
    data_types,
    days,
    deliveries,
    destinations,
    event_types,
    expected,
    guides,
    health,
    integrations,
    sending,
    standstill,
    submission,
    submissions,
    withdrawing,
    wizard,
)
from ui.rendering import HERE

_STATIC = {path.name: path for path in (HERE / "static").iterdir()}
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
PAGES = (
    wizard,
    connections,
    bulk,
    changing,
    sending,
    connection,
    access,
    days,
    destinations,
    integrations,
    submissions,
    submission,
    withdrawing,
    checks,
    deliveries,
    actions,
    expected,
    event_types,
    data_types,
    credentials,
    activity,
    health,
    standstill,
    guides,
)


def make_app() -> FastAPI:
    """Return the app, to be mounted in Airflow's API server."""
    app = FastAPI(
        title="Connections",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(get_user), Depends(same_origin)],
    )
    app.middleware("http")(with_headers)
    handle_failures(app)
    for module in (*PAGES, description):
        app.include_router(module.router)
    app.add_api_route("/static/{name}", static_file, methods=["GET"], include_in_schema=False)
    return app


def static_file(name: str) -> Any:
    """Return one of our own style sheets, scripts and pictures."""
    path = _STATIC.get(name)
    if path is None:
        raise HTTPException(404, "There is no such file.")
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": "private, max-age=600"})
