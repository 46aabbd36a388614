"""Creating and changing a connection step by step: direction, type, method, credentials, review."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.datastructures import UploadFile

from data_connections.catalog import StoredSpec, current
from data_connections.data_types import load_data_types
from data_connections.endpoints.host_keys import fetch_host_keys
from data_connections.errors import ConfigurationError, ConnectionsError
from data_connections.ledger import Ledger
from data_connections.settings import Settings
from data_connections.steps.sample import check_sample
from hooks.trial import trial
from ui.books import LedgerDep
from ui.draft import CHOSEN, USUAL, Draft, content_of_draft, draft_of, methodologies, methods, with_row, without_row
from ui.found import Name, connection_line
from ui.limits import room_for_more
from ui.rendering import root_of
from ui.saving import EditConflict, must_use, save_spec
from ui.uploads import on_disk
from ui.visitor import Visitor, VisitorDep
from ui.wizard_credentials import make_credentials, wrong
from ui.wizard_layout import STEPS, step_of
from ui.wizard_page import beside_fields, drafted_spec, in_words, mistakes_until, show_step

router = APIRouter(include_in_schema=False)


async def sent_form(request: Request) -> tuple[Draft, UploadFile | None]:
    """Return the fields of the wizard's form, and the sample file if one was chosen."""
    form = await request.form(max_fields=20_000)
    draft = {key: value for key, value in form.items() if isinstance(value, str)}
    sample = form.get("sample")
    return draft, sample if isinstance(sample, UploadFile) and sample.filename else None


Sent = Annotated[tuple[Draft, UploadFile | None], Depends(sent_form)]


@router.get("/create")
def new_connection(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    like: str = "",
    direction: Annotated[str, Query(pattern="^(inbound|outbound)?$")] = "",
) -> HTMLResponse:
    """Begin a new connection, empty or like another one."""
    visitor.must(visitor.may_create, "create connections")
    draft: Draft = {**CHOSEN, **({"direction": direction} if direction else {})}
    if like:
        with ledger.connect() as connection:
            connection_line(connection, visitor, like)
        draft = {**_draft_of(current(ledger, like)), "name": ""}
    return show_step(request, visitor, ledger, draft, "direction")


@router.get("/connections/{name}/edit")
def edit_connection(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> HTMLResponse:
    """Begin to change a connection."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    visitor.must(visitor.may_edit(name), f"change {name}")
    if line["deleted_at"]:
        raise HTTPException(409, f"{name} is deleted. Restore it first.")
    stored = current(ledger, name)
    draft = {**_draft_of(stored), "edits": name, "revision": str(stored.number)}
    return show_step(request, visitor, ledger, draft, "direction")


@router.post("/create")
def next_step(request: Request, visitor: VisitorDep, ledger: LedgerDep, sent: Sent) -> Response:
    """Go to another step, try the draft out, or save it."""
    draft, sample = sent
    edits = draft.get("edits", "")
    visitor.must(visitor.may_edit(edits) if edits else visitor.may_create, "change connections here")
    draft = _consistent(draft)
    go, step = draft.pop("go", "next"), draft.pop("step", STEPS[0])
    if step not in STEPS:
        raise HTTPException(422, f"There is no step {step!r}.")
    stays = _stayed(draft, go, step)
    if stays is not None:
        return show_step(request, visitor, ledger, *stays)
    if go == "check":
        return _live(ledger, draft, step)
    if go == "fingerprint":
        return show_step(request, visitor, ledger, draft, "credentials", keys=_offered_keys(draft))
    mistakes = [*make_credentials(ledger, visitor, draft), *_no_room(ledger, draft)]
    mistakes += mistakes_until(ledger, draft, step)
    if mistakes:
        first = min(mistakes, key=lambda each: STEPS.index(step_of(each.field)))
        return show_step(request, visitor, ledger, draft, step_of(first.field), mistakes=mistakes)
    if step != "review":
        return show_step(request, visitor, ledger, draft, STEPS[STEPS.index(step) + 1])
    return _reviewed(request, visitor, ledger, draft, go, sample)


def _no_room(ledger: Ledger, draft: Draft) -> list[ConfigurationError]:
    message = None if draft.get("edits") else room_for_more(ledger, draft.get("program")).message
    return [wrong("program", f"{message}. Ask whoever runs this installation to raise it.")] if message else []


def _stayed(draft: Draft, go: str, step: str) -> tuple[Draft, str] | None:
    """Return the draft and step of a page that is shown without looking whether anything is wrong."""
    what, _, name = go.partition(":")
    if what == "back":
        return draft, STEPS[max(0, STEPS.index(step) - 1)]
    if what == "add":
        return with_row(draft, name), step
    if what == "drop":
        return without_row(draft, name), step
    return (draft, step) if what == "stay" else None


def _reviewed(
    request: Request, visitor: Visitor, ledger: Ledger, draft: Draft, go: str, sample: UploadFile | None
) -> Response:
    """Do what the review offers with a draft that has no mistake."""
    more: dict[str, Any]
    if go in ("test", "sample"):
        must_use(visitor, drafted_spec(ledger, draft), current(ledger, draft["edits"]) if draft.get("edits") else None)
    if go == "test":
        more = {"tried": list(trial(drafted_spec(ledger, draft)))}
    elif go != "sample":
        return _save(request, visitor, ledger, draft)
    elif sample is None:
        more = {"mistakes": [wrong("sample", "Choose a file first.")]}
    else:
        more = {"report": _report(ledger, draft, sample)}
    return show_step(request, visitor, ledger, draft, "review", **more)


def _save(request: Request, visitor: Visitor, ledger: Ledger, draft: Draft) -> Response:
    edits = draft.get("edits", "")
    try:
        expected = int(draft.get("revision") or 0)
        plan = save_spec(ledger, visitor, content_of_draft(draft), source="screen", expected=expected)
    except EditConflict as conflict:
        draft["revision"] = str(conflict.version)
        return show_step(request, visitor, ledger, draft, "review", conflict=conflict, status=409)
    done = "kept" if not plan.changing else "changed" if edits else "created"
    needs_login = done == "created" and draft["methodology"] != USUAL[draft["direction"]]
    page = f"{plan.steps[0].name}/access" if needs_login else plan.steps[0].name
    return RedirectResponse(f"{root_of(request)}/connections/{page}?done={done}", 303)


def _draft_of(stored: StoredSpec) -> Draft:
    return draft_of(stored.spec.model_dump(mode="json", exclude_defaults=True))


def _consistent(draft: Draft) -> Draft:
    """Give a draft the choices that go with its direction, where those of before do not."""
    merged = {**CHOSEN, **{key: value for key, value in draft.items() if value or key not in CHOSEN}}
    if merged["direction"] not in USUAL:
        merged["direction"] = CHOSEN["direction"]
    if merged["method"] not in methods(merged["direction"]):
        merged["method"] = CHOSEN["method"]
    if merged.get("methodology") not in methodologies(merged["direction"], merged["method"]):
        merged["methodology"] = USUAL[merged["direction"]]
    return merged


def _live(ledger: Ledger, draft: Draft, step: str) -> JSONResponse:
    found = [*_no_room(ledger, draft), *mistakes_until(ledger, draft, step)]
    mistakes = [each for each in found if step_of(each.field) == step]
    return JSONResponse({"wrong": beside_fields(mistakes, draft), "schedule": in_words(draft)})


def _offered_keys(draft: Draft) -> dict[str, Any]:
    """Ask the drafted server for its keys; a person compares the fingerprints."""
    try:
        port = int(draft.get("details.port") or 22)
        found = asyncio.run(fetch_host_keys(draft.get("details.host", ""), port))
    except (ConnectionsError, ValueError, OSError) as failed:
        return {"trouble": str(failed), "found": ()}
    return {"trouble": None, "found": found}


def _report(ledger: Ledger, draft: Draft, sample: UploadFile) -> dict[str, Any]:
    known = load_data_types(Settings.from_environment().schemas)
    with on_disk(sample.file, sample.filename) as path, path.open("rb") as source:
        return check_sample(ledger, drafted_spec(ledger, draft), source, path.name, known).as_json()
