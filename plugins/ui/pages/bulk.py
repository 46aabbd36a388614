"""Pausing, unpausing and running, of one connection or of many that were chosen in the list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse

from ui.airflow_dags import set_paused, start_run
from ui.answers import Back, go_back
from ui.visitor import VisitorDep

router = APIRouter(include_in_schema=False)
Names = Annotated[list[str], Form(default_factory=list, max_length=200)]


@router.post("/bulk/run")
def run_chosen(request: Request, visitor: VisitorDep, name: Names, back: Back = "") -> RedirectResponse:
    """Start a run of each chosen connection."""
    for one in name:
        visitor.must(visitor.may_run(one), f"run {one}")
    for one in name:
        start_run(one, visitor.name)
    return go_back(request, back, "started" if name else "nothing")


@router.post("/bulk/pause")
def pause_chosen(request: Request, visitor: VisitorDep, name: Names, back: Back = "") -> RedirectResponse:
    """Pause each chosen connection."""
    return _set(request, visitor, name, back, paused=True)


@router.post("/bulk/unpause")
def unpause_chosen(request: Request, visitor: VisitorDep, name: Names, back: Back = "") -> RedirectResponse:
    """Unpause each chosen connection."""
    return _set(request, visitor, name, back, paused=False)


def _set(request: Request, visitor: VisitorDep, names: list[str], back: str, *, paused: bool) -> RedirectResponse:
    for one in names:
        visitor.must(visitor.may_pause(one), f"pause or unpause {one}")
    changed = set_paused(names, paused=paused, who=visitor.name)
    return go_back(request, back, ("paused" if paused else "unpaused") if changed else "nothing")
