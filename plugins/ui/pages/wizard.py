"""Creating and changing a connection step by step: direction, type, method, credentials, review."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.datastructures import UploadFile

from data_connections.catalog import current, names
from data_connections.catalog.export import to_yaml
from data_connections.data_types import load_data_types
from data_connections.endpoints.host_keys import fetch_host_keys
from data_connections.errors import ConfigurationError, ConnectionsError, Mistakes
from data_connections.ledger import Ledger
from data_connections.settings import Settings
from data_connections.steps.known_names import known_names
from data_connections.steps.sample import check_sample
from hooks.trial import trial
from ui.airflow_logins import known_logins
from ui.books import LedgerDep
from ui.credentials import LoginGiven, save_login
from ui.draft import (
    CHOSEN,
    FIELDS,
    SECTIONS,
    STEPS,
    USUAL,
    Draft,
    content_of_draft,
    detail_fields,
    draft_of,
    methodologies,
    methods,
    section_fields,
    step_of,
)
from ui.found import Name, connection_line
from ui.rendering import render, root_of
from ui.saving import EditConflict, preview_spec, save_spec
from ui.schedule_words import next_times, schedule_in_words
from ui.uploads import on_disk
from ui.visitor import Visitor, VisitorDep

router = APIRouter(include_in_schema=False)
_SERVERS: dict[tuple[str, str], Literal["ftp", "imap", "smtp"]] = {
    ("ftp", "inbound"): "ftp",
    ("ftp", "outbound"): "ftp",
    ("email", "inbound"): "imap",
    ("email", "outbound"): "smtp",
}
"""What new credentials log in to, where it is not SFTP."""
SLUG = re.compile("[a-z0-9][a-z0-9_-]{0,99}")


async def sent_form(request: Request) -> tuple[Draft, UploadFile | None]:
    """Return the fields of the wizard's form, and the sample file if one was chosen."""
    form = await request.form()
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
        draft = {**draft_of(current(ledger, like).spec.model_dump(mode="json", exclude_defaults=True)), "name": ""}
    return _show(request, visitor, ledger, draft, "direction")


@router.get("/connections/{name}/edit")
def edit_connection(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> HTMLResponse:
    """Begin to change a connection."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    visitor.must(visitor.may_edit(name), f"change {name}")
    if line["deleted_at"]:
        raise HTTPException(409, f"{name} is deleted. Restore it first.")
    stored = current(ledger, name)
    draft = draft_of(stored.spec.model_dump(mode="json", exclude_defaults=True))
    draft |= {"edits": name, "revision": str(stored.number)}
    return _show(request, visitor, ledger, draft, "direction")


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
    if go == "back":
        return _show(request, visitor, ledger, draft, STEPS[max(0, STEPS.index(step) - 1)])
    if go == "stay":
        return _show(request, visitor, ledger, draft, step)
    if go == "check":
        return _live(ledger, draft, step)
    if go == "fingerprint":
        return _show(request, visitor, ledger, draft, "credentials", keys=_offered_keys(draft))
    mistakes = [*_new_credentials(ledger, visitor, draft), *_mistakes(ledger, draft, step)]
    if mistakes:
        first = min(mistakes, key=lambda each: STEPS.index(step_of(each.field)))
        return _show(request, visitor, ledger, draft, step_of(first.field), mistakes=mistakes)
    if step != "review":
        return _show(request, visitor, ledger, draft, STEPS[STEPS.index(step) + 1])
    return _reviewed(request, visitor, ledger, draft, go, sample)


def _reviewed(
    request: Request, visitor: Visitor, ledger: Ledger, draft: Draft, go: str, sample: UploadFile | None
) -> Response:
    """Do what the review offers with a draft that has no mistake."""
    if go == "test":
        return _show(request, visitor, ledger, draft, "review", tried=list(trial(_spec(ledger, draft))))
    if go != "sample":
        return _save(request, visitor, ledger, draft)
    if sample is None:
        return _show(request, visitor, ledger, draft, "review", mistakes=[_wrong("sample", "Choose a file first.")])
    return _show(request, visitor, ledger, draft, "review", report=_report(ledger, draft, sample))


def _save(request: Request, visitor: Visitor, ledger: Ledger, draft: Draft) -> Response:
    edits = draft.get("edits", "")
    try:
        expected = int(draft.get("revision") or 0)
        plan = save_spec(ledger, visitor, content_of_draft(draft), source="screen", expected=expected)
    except EditConflict as conflict:
        draft["revision"] = str(conflict.stored.number)
        return _show(request, visitor, ledger, draft, "review", conflict=conflict, status=409)
    done = "kept" if not plan.changing else "changed" if edits else "created"
    return RedirectResponse(f"{root_of(request)}/connections/{plan.steps[0].name}?done={done}", 303)


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


def _new_credentials(ledger: Ledger, visitor: Visitor, draft: Draft) -> list[ConfigurationError]:
    """Store the credentials that the step was told to make, and choose them; return what is wrong with them."""
    name, login = draft.get("new_name", "").strip(), draft.get("new_login", "").strip()
    if not name:
        return []
    visitor.must(visitor.may_create and visitor.may_use(name), f"store the credentials {name}")
    if not SLUG.fullmatch(name) or name in {each.name for each in known_logins()}:
        return [_wrong("new_name", "Choose a name that is not taken, of small letters, digits, - and _.")]
    kind: Literal["new_key", "password"] = "new_key" if draft.get("new_kind") == "new_key" else "password"
    server = _SERVERS.get((draft["method"], draft["direction"]), "sftp")
    given = LoginGiven(login=login, kind=kind, password=draft.get("new_password", ""), server=server)
    try:
        public = save_login(ledger, visitor, name, given)
    except ConfigurationError as unusable:
        return [_wrong("new_name", unusable.message)]
    draft.update(credentials=name, new_name="", new_login="", new_password="")
    if public:
        draft["public_key"] = public
    return []


def _mistakes(ledger: Ledger, draft: Draft, step: str) -> Sequence[ConfigurationError]:
    """Return what is wrong with the fields of all steps up to this one."""
    if not draft.get("edits") and draft.get("name") in names(ledger):
        return [_wrong("name", f"There is a connection {draft['name']!r} already.")]
    try:
        _spec(ledger, draft)
    except Mistakes as found:
        reached = STEPS.index(step)
        return [each for each in found.mistakes if STEPS.index(step_of(each.field)) <= reached]
    return []


def _spec(ledger: Ledger, draft: Draft) -> Any:
    spec, _plan = preview_spec(ledger, content_of_draft(draft), "screen")
    if draft.get("edits") not in (None, "", spec.name):
        raise Mistakes([_wrong("name", "The name of a connection stays as it is.")])
    return spec


def _live(ledger: Ledger, draft: Draft, step: str) -> JSONResponse:
    mistakes = _mistakes(ledger, draft, step)
    return JSONResponse(
        {
            "wrong": {each.field or "": _sentence(each) for each in mistakes if step_of(each.field) == step},
            "schedule": _schedule(draft),
        }
    )


def _wrong(field: str, message: str) -> ConfigurationError:
    return ConfigurationError(message, field=field)


def _sentence(mistake: ConfigurationError) -> str:
    return mistake.message + (f" Did you mean {mistake.suggestion!r}?" if mistake.suggestion else "")


def _schedule(draft: Draft) -> dict[str, Any]:
    try:
        name, schedule = draft.get("name") or "new", draft["schedule"]
        words = schedule_in_words(schedule, name)
        times = next_times(schedule, name, draft["time_zone"])
    except Exception:
        return {"words": "", "next": []}
    return {"words": words, "next": [each.strftime("%a %Y-%m-%d %H:%M %Z") for each in times]}


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
        return check_sample(ledger, _spec(ledger, draft), source, path.name, known).as_json()


def _show(
    request: Request, visitor: Visitor, ledger: Ledger, draft: Draft, step: str, status: int = 0, **more: Any
) -> HTMLResponse:
    mistakes = more.pop("mistakes", ())
    edits = draft.get("edits", "")
    managed = current(ledger, edits).managed_by if edits else "screen"
    asked = set(FIELDS[step])
    asked |= {each.name for part in SECTIONS for each in section_fields(draft, part) if step_of(each.name) == step}
    review = _review(ledger, draft) if step == "review" else {"yaml": "", "changes": ()}
    return render(
        request,
        "wizard.html",
        visitor,
        here="connections",
        status=status or (422 if mistakes else 200),
        draft=draft,
        step=step,
        steps=STEPS,
        edits=edits,
        managed=managed if managed.startswith("files:") else None,
        wrong={each.field or "": _sentence(each) for each in mistakes},
        carried={key: value for key, value in draft.items() if key not in asked},
        fields=[each for each in detail_fields(draft) if step_of(each.name) == step],
        sections={part: section_fields(draft, part) for part in SECTIONS[1:]},
        methods=methods(draft["direction"]),
        methodologies=methodologies(draft["direction"], draft["method"]),
        programs=ledger.all("select key, name from program where active order by name"),
        known=known_names(ledger, Settings.from_environment()),
        logins=known_logins() if step == "credentials" else (),
        schedule=_schedule(draft),
        **{"keys": None, "tried": None, "report": None, "conflict": None, **review, **more},
    )


def _review(ledger: Ledger, draft: Draft) -> dict[str, Any]:
    try:
        spec, plan = preview_spec(ledger, content_of_draft(draft), "screen")
    except Mistakes:
        return {"yaml": "", "changes": ()}
    return {"yaml": to_yaml(spec), "changes": plan.steps[0].changes if draft.get("edits") else ()}
