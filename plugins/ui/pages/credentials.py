"""Credentials: where they are used, how old they are, storing and renewing them. No secret is ever shown again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from data_connections.errors import ConfigurationError
from data_connections.queries.credentials import hosted_logins
from ui.airflow_logins import known_logins
from ui.answers import go_back
from ui.books import LedgerDep
from ui.credentials import (
    SLUG,
    LoginGiven,
    all_credentials,
    offered_by_server,
    one_credentials,
    remove,
    save_login,
    trust,
)
from ui.found import Name
from ui.rendering import render
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/credentials", include_in_schema=False)
Key = Annotated[str, Form(max_length=20_000)]


async def sent_login(request: Request) -> dict[str, str]:
    """Return the name and the parts of a login that a form has."""
    form = await request.form()
    return {name: value for name in ("name", *LoginGiven.model_fields) if isinstance(value := form.get(name), str)}


Sent = Annotated[dict[str, str], Depends(sent_login)]


@router.get("")
def credentials_page(request: Request, visitor: VisitorDep, ledger: LedgerDep) -> HTMLResponse:
    """Show credentials, where they are used, and partners' logins at the gateway."""
    with ledger.connect() as connection:
        hosted = hosted_logins(connection, visitor.visible_ids(connection))
    lines = all_credentials(ledger, visitor)
    return render(request, "credentials.html", visitor, here="credentials", lines=lines, hosted=hosted)


@router.get("/{name}")
def one_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> HTMLResponse:
    """Show one login: what it has, where it is used, which servers it trusts."""
    return _one(request, visitor, one_credentials(ledger, visitor, name))


@router.get("/{name}/edit")
def edit_page(request: Request, visitor: VisitorDep, name: Name) -> HTMLResponse:
    """Ask for new parts of a login; ``new`` is one that is not there yet."""
    visitor.must(visitor.may_create, "store credentials")
    known = {login.name: login for login in known_logins()}.get(name)
    given = {"name": "" if name == "new" else name}
    if known:
        given |= {"login": known.login, "server": known.conn_type, "host": known.host, "sender": known.sender}
        given |= {"port": str(known.port or ""), "expires_on": known.expires_on.isoformat() if known.expires_on else ""}
    return _form(request, visitor, given)


@router.post("/store")
def store(request: Request, visitor: VisitorDep, ledger: LedgerDep, sent: Sent) -> Response:
    """Store a login, or some parts of it; what is left empty stays as it is."""
    name = sent.get("name", "").strip()
    visitor.must(visitor.may_create and visitor.may_use(name), f"store the credentials {name}")
    if not SLUG.fullmatch(name) or name == "new":
        return _form(request, visitor, sent, {"name": "Write small letters, digits, - and _; new is no name."})
    try:
        parts = {key: value for key, value in sent.items() if key != "name"}
        public = save_login(ledger, visitor, name, LoginGiven.model_validate(parts))
    except ConfigurationError as wrong:
        return _form(request, visitor, sent, {wrong.field or "login": wrong.message})
    except ValidationError as wrong:
        return _form(request, visitor, sent, {str(each["loc"][0]): f"{each['msg']}." for each in wrong.errors()})
    if public:
        return render(request, "public_key.html", visitor, here="credentials", name=name, public_key=public)
    return go_back(request, f"credentials/{name}", "stored")


@router.post("/{name}/servers")
def ask_servers(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> HTMLResponse:
    """Ask the servers for their fingerprints, to be compared with what the partner states."""
    offered = offered_by_server(ledger, visitor, name)
    return _one(request, visitor, one_credentials(ledger, visitor, name), offered=offered)


@router.post("/{name}/trust")
def trust_server(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name, public: Key) -> RedirectResponse:
    """Trust a server by a host key or certificate."""
    trust(ledger, visitor, name, public, trusted=True)
    return go_back(request, f"credentials/{name}", "trusted")


@router.post("/{name}/distrust")
def distrust_server(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name, public: Key
) -> RedirectResponse:
    """Trust a host key or certificate no longer."""
    trust(ledger, visitor, name, public, trusted=False)
    return go_back(request, f"credentials/{name}", "distrusted")


@router.post("/{name}/delete")
def delete(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> RedirectResponse:
    """Delete credentials that nothing uses."""
    remove(ledger, visitor, name)
    return go_back(request, "credentials", "credentials_deleted")


def _one(request: Request, visitor: Visitor, one: dict[str, Any], offered: Any = ()) -> HTMLResponse:
    return render(request, "credentials_one.html", visitor, here="credentials", one=one, offered=offered)


def _form(
    request: Request, visitor: Visitor, given: dict[str, str], wrong: Mapping[str, str] = MappingProxyType({})
) -> HTMLResponse:
    names = ("name", *LoginGiven.model_fields)
    draft = {**dict.fromkeys(names, ""), "kind": "password", "server": "sftp", **given}
    known = given.get("name", "") if given.get("name", "") in {login.name for login in known_logins()} else ""
    status = 422 if wrong else 200
    return render(
        request,
        "credentials_form.html",
        visitor,
        here="credentials",
        status=status,
        draft=draft,
        wrong=wrong,
        known=known,
    )
