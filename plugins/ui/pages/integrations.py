"""Integrations: the sets of connections that partner products need, each with its entry in the menu and a dashboard."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from data_connections.catalog.presets import load_presets, preset_of, remove_integration
from data_connections.errors import ConfigurationError, Mistakes
from data_connections.queries.actions import programs_seen
from data_connections.settings import Settings
from ui.airflow_dags import dag_states
from ui.airflow_logins import known_logins
from ui.answers import go_back
from ui.books import LedgerDep
from ui.found import Id
from ui.integrations import add, all_integrations, dashboard, preview
from ui.rendering import render, root_of
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/integrations", include_in_schema=False)


async def sent_answers(request: Request) -> dict[str, str]:
    """Return the answers of a form."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


Answers = Annotated[dict[str, str], Depends(sent_answers)]


@router.get("")
def integrations_page(request: Request, visitor: VisitorDep, ledger: LedgerDep) -> HTMLResponse:
    """Show the integrations, and the partner products that there are presets for."""
    found = all_integrations(ledger, visitor)
    presets = load_presets(Settings.from_environment().include)
    return render(request, "integrations.html", visitor, here="integrations", found=found, presets=presets)


@router.get("/icons/{preset}")
def icon(visitor: VisitorDep, preset: str) -> FileResponse:
    """Return the picture of a preset."""
    include = Settings.from_environment().include
    path = include / "presets" / preset_of(include, preset).icon
    if not path.is_file():
        raise HTTPException(404, f"The preset {preset} has no picture.")
    headers = {"Cache-Control": "private, max-age=600", "Content-Disposition": f'attachment; filename="{path.name}"'}
    return FileResponse(path, media_type="image/svg+xml", headers=headers)


@router.get("/add/{preset}")
def add_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, preset: str) -> HTMLResponse:
    """Ask what a preset has to know."""
    visitor.must(visitor.may_create, "add integrations")
    chosen = preset_of(Settings.from_environment().include, preset)
    given = {"title": chosen.title, **{ask.name: ask.default for ask in chosen.asks}}
    return _form(request, visitor, ledger, preset, given)


@router.post("/add/{preset}")
def go_on(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    preset: str,
    answers: Answers,
    go: Annotated[str, Form(pattern="^(preview|add)$")] = "preview",
) -> Response:
    """Show what would be made, or make it."""
    try:
        if go == "preview":
            yamls, _plan = preview(ledger, visitor, preset, answers)
            return _form(request, visitor, ledger, preset, answers, yamls=yamls)
        integration_id = add(ledger, visitor, preset, answers)
    except Mistakes as found:
        wrong = [f"{each.field}: {each.message}" if each.field else each.message for each in found.mistakes]
        return _form(request, visitor, ledger, preset, answers, wrong=list(dict.fromkeys(wrong)))
    except ConfigurationError as wrong_answer:
        return _form(request, visitor, ledger, preset, answers, wrong=[wrong_answer.message])
    return RedirectResponse(f"{root_of(request)}/integrations/{integration_id}?done=integrated", 303)


@router.get("/{integration_id}")
def dashboard_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, integration_id: Id) -> HTMLResponse:
    """Show how the connections of an integration are doing, and what they moved in 30 days."""
    one = dashboard(ledger, visitor, integration_id)
    presets = load_presets(Settings.from_environment().include)
    dags = dag_states([line["name"] for line in one["lines"]])
    return render(
        request,
        "integration.html",
        visitor,
        here=f"integration-{integration_id}",
        one=one,
        dags=dags,
        preset=presets.get(one["preset"]),
    )


@router.post("/{integration_id}/remove")
def remove(request: Request, visitor: VisitorDep, ledger: LedgerDep, integration_id: Id) -> RedirectResponse:
    """Take an integration off the menu; its connections stay."""
    dashboard(ledger, visitor, integration_id)
    visitor.must(visitor.may_create, "remove integrations")
    remove_integration(ledger, integration_id, visitor.name)
    return go_back(request, "integrations", "integration_removed")


def _form(
    request: Request,
    visitor: Visitor,
    ledger: LedgerDep,
    preset: str,
    given: dict[str, str],
    wrong: Any = (),
    yamls: Any = (),
) -> HTMLResponse:
    with ledger.connect() as connection:
        programs = programs_seen(connection, None)
    return render(
        request,
        "integration_add.html",
        visitor,
        here="integrations",
        status=422 if wrong else 200,
        name=preset,
        preset=preset_of(Settings.from_environment().include, preset),
        given=given,
        programs=ledger.all("select key, name from program where active order by name"),
        event_types=[(program, each) for program in programs for each in program["event_types"]],
        logins=known_logins(),
        wrong=wrong,
        yamls=yamls,
    )
