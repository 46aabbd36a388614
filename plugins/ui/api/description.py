"""The OpenAPI document of the API, behind the same login as the API itself."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi

from ui.api import (
    access,
    actions,
    connections,
    credentials,
    data_types,
    deliveries,
    destinations,
    details,
    drafts,
    event_types,
    integrations,
    others,
    standstill,
    submissions,
)
from ui.api.models import Problem

PREFIX = "/api/v1"
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "content": {"application/problem+json": {}}, "description": words}
    for code, words in {
        401: "No login.",
        403: "Not allowed.",
        404: "There is no such thing, or you may not see it.",
        409: "It does not fit what is there now.",
        413: "Too large.",
        422: "Something in the request is wrong.",
        428: "If-Match is missing.",
        503: "The ledger does not answer.",
    }.items()
}

router = APIRouter(prefix=PREFIX, responses=_PROBLEMS)
for part in (
    drafts,
    connections,
    details,
    access,
    submissions,
    deliveries,
    destinations,
    actions,
    event_types,
    data_types,
    credentials,
    integrations,
    others,
    standstill,
):
    router.include_router(part.router)


@router.get("/openapi.json", include_in_schema=False)
def description(request: Request) -> dict[str, Any]:
    """Return the OpenAPI document."""
    return _document(request.scope.get("root_path", "") or "/")


@lru_cache(maxsize=8)
def _document(root: str) -> dict[str, Any]:
    document = get_openapi(
        title="Connections",
        version="1",
        description="What the Connections screen shows and does, for programs. Use a token of Airflow's.",
        routes=router.routes,
        servers=[{"url": root}],
    )
    document["components"].setdefault("securitySchemes", {})["token"] = {"type": "http", "scheme": "bearer"}
    document["security"] = [{"token": []}]
    return document
