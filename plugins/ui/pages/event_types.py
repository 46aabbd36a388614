"""Event types of programs: locking policy, reason codes, returns processing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from data_connections.applying.reasons import AS_REASONS, REVERSING
from data_connections.catalog.reference_entries import Locking, ReasonCode
from data_connections.errors import ConfigurationError, Mistakes
from data_connections.queries.event_types import list_event_types
from ui.airflow_logins import known_logins
from ui.answers import go_back
from ui.books import LedgerDep
from ui.event_types import (
    ReturnsOrder,
    change_event_type,
    must_change,
    set_returns,
    version_of,
    visible_event_type,
)
from ui.found import Id
from ui.rendering import render
from ui.saving import EditConflict
from ui.visitor import VisitorDep

router = APIRouter(prefix="/event-types", include_in_schema=False)


async def sent_fields(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form; those of tables come several times."""
    form = await request.form()
    return {name: [value for value in form.getlist(name) if isinstance(value, str)] for name in form}


Sent = Annotated[dict[str, list[str]], Depends(sent_fields)]


@router.get("")
def event_types_page(request: Request, visitor: VisitorDep, ledger: LedgerDep) -> HTMLResponse:
    """Show the event types of the programs that the user sees connections of."""
    with ledger.connect() as connection:
        lines = list_event_types(connection, visitor.visible_ids(connection))
    return render(request, "event_types.html", visitor, here="event_types", lines=lines)


@router.get("/{event_type_id}")
def event_type_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, event_type_id: Id) -> HTMLResponse:
    """Show one event type."""
    one = visible_event_type(ledger, visitor, event_type_id)
    codes = {"Reason": AS_REASONS, "DispositionCode": REVERSING}
    mailbox = {login.name: login.login for login in known_logins()}.get(one["returns_credentials"] or "", "")
    return render(request, "event_type.html", visitor, here="event_types", one=one, built_in=codes, mailbox=mailbox)


@router.get("/{event_type_id}/edit")
def edit_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, event_type_id: Id) -> HTMLResponse:
    """Ask for another locking policy and reason codes."""
    one = visible_event_type(ledger, visitor, event_type_id)
    must_change(visitor)
    locking = {"after": one["locking_after"], "months": one["locking_months"], "days": one["locking_days"]}
    return _edit(request, visitor, one, locking, one["reason_codes"])


@router.post("/{event_type_id}/edit")
def save(request: Request, visitor: VisitorDep, ledger: LedgerDep, event_type_id: Id, sent: Sent) -> Response:
    """Save locking policy and reason codes."""
    one = visible_event_type(ledger, visitor, event_type_id)
    must_change(visitor)
    locking = {name: sent.get(name, [""])[0].strip() for name in ("after", "months", "days")}
    columns = [sent.get(name, []) for name in ("code", "effect", "title", "active")]
    codes = [
        {"code": code.strip(), "effect": effect, "name": title.strip() or code.strip(), "active": active == "true"}
        for code, effect, title, active in zip(*columns, strict=False)
        if code.strip()
    ]
    try:
        policy = Locking.model_validate({name: value for name, value in locking.items() if value})
        valid = tuple(ReasonCode.model_validate(code) for code in codes)
        change_event_type(ledger, visitor, one, policy, valid, sent.get("version", [""])[0])
    except EditConflict as conflict:
        found = [str(conflict), *map(str, conflict.changes)]
        return _edit(request, visitor, one, locking, codes, found, status=409)
    except ValidationError as wrong:
        return _edit(request, visitor, one, locking, codes, _sentences(wrong))
    except ConfigurationError as wrong:
        return _edit(request, visitor, one, locking, codes, [wrong.message])
    return go_back(request, f"event-types/{event_type_id}", "changed_here")


@router.get("/{event_type_id}/returns")
def returns_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, event_type_id: Id) -> HTMLResponse:
    """Ask how returns are to come."""
    one = visible_event_type(ledger, visitor, event_type_id)
    must_change(visitor)
    way = "none"
    if one["returns_connection"]:
        methodology = one["returns_methodology"] or "pull"
        way = {"pull": "mail", "push": "mail_push"}[methodology] if one["returns_method"] == "email" else methodology
    given = {
        "way": way,
        "connection": one["returns_connection"] or "",
        "method": one["returns_method"] or "sftp",
        "host": one["returns_host"] or "",
        "port": "",
        "folder": one["returns_folder"] or "/",
        "file_pattern": one["returns_pattern"] or "*.csv",
        "credentials": one["returns_credentials"] or "",
    }
    return _returns(request, visitor, one, given)


@router.post("/{event_type_id}/returns")
def save_returns(request: Request, visitor: VisitorDep, ledger: LedgerDep, event_type_id: Id, sent: Sent) -> Response:
    """Make or change the connection behind, and lead to what is to be done next."""
    one = visible_event_type(ledger, visitor, event_type_id)
    must_change(visitor)
    given = {name: sent.get(name, [""])[0].strip() for name in ReturnsOrder.model_fields}
    try:
        order = ReturnsOrder.model_validate({name: value for name, value in given.items() if value})
        name = set_returns(ledger, visitor, one, order)
    except ValidationError as wrong:
        return _returns(request, visitor, one, given, _sentences(wrong))
    except Mistakes as found:
        return _returns(request, visitor, one, given, [f"{each.field}: {each.message}" for each in found.mistakes])
    except ConfigurationError as wrong:
        return _returns(request, visitor, one, given, [wrong.message])
    place = f"connections/{name}/access" if order.is_hosted else f"event-types/{event_type_id}"
    return go_back(request, place, "returns")


def _sentences(wrong: ValidationError) -> list[str]:
    return [f"{'.'.join(map(str, each['loc'])) or 'Locking'}: {each['msg']}" for each in wrong.errors()]


def _edit(
    request: Request, visitor: VisitorDep, one: Any, locking: Any, codes: Any, wrong: Any = (), status: int = 422
) -> HTMLResponse:
    return render(
        request,
        "event_type_edit.html",
        visitor,
        here="event_types",
        status=status if wrong else 200,
        one=one,
        version=version_of(one),
        locking=locking,
        codes=codes,
        wrong=wrong,
    )


def _returns(request: Request, visitor: VisitorDep, one: Any, given: Any, wrong: Any = ()) -> HTMLResponse:
    return render(
        request,
        "event_type_returns.html",
        visitor,
        here="event_types",
        status=422 if wrong else 200,
        one=one,
        given=given,
        logins=known_logins(),
        wrong=wrong,
    )
