"""Credentials: where they are used, how old they are, and storing them. No secret is ever shown again."""

from __future__ import annotations

from typing import Annotated, Any

import asyncssh
from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from data_connections.catalog import activity
from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from data_connections.queries.credentials import credentials_in_use, hosted_logins
from hooks.login import Login
from ui.airflow_logins import known_logins, store_login
from ui.answers import go_back
from ui.books import LedgerDep
from ui.found import Name
from ui.rendering import render
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/credentials", include_in_schema=False)
Text = Annotated[str, Form(max_length=20_000)]


@router.get("")
def credentials_page(request: Request, visitor: VisitorDep, ledger: LedgerDep) -> HTMLResponse:
    """Show credentials, where they are used, and partners' logins at the gateway."""
    with ledger.connect() as connection:
        visible = visitor.visible_ids(connection)
        used = {line["name"]: line for line in credentials_in_use(connection, visible)}
        hosted = hosted_logins(connection, visible)
    known = {login.name: login for login in known_logins()}
    names = sorted({*used, *known} if visitor.may_create else used)
    return render(
        request, "credentials.html", visitor, here="credentials", names=names, used=used, known=known, hosted=hosted
    )


@router.get("/{name}/edit")
def edit_page(request: Request, visitor: VisitorDep, name: Name) -> HTMLResponse:
    """Ask for new parts of a login; ``new`` is one that is not there yet."""
    visitor.must(visitor.may_create, "store credentials")
    known = {login.name: login for login in known_logins()}
    given = {"name": "" if name == "new" else name, "login": known[name].login if name in known else ""}
    return _form(request, visitor, given, None)


@router.post("/store")
def store(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    name: Annotated[str, Form(pattern="^[a-z0-9][a-z0-9_-]*$", max_length=100)],
    login: Text = "",
    password: Text = "",
    kind: Annotated[str, Form(pattern="^(password|private_key|new_key)$")] = "password",
    private_key: Text = "",
    passphrase: Text = "",
    host_key: Text = "",
) -> Response:
    """Store a login, or some parts of it; what is left empty stays as it is."""
    visitor.must(visitor.may_create and visitor.may_use(name), f"store the credentials {name}")
    if name == "new":
        raise HTTPException(422, "Credentials cannot be called new.")
    made = asyncssh.generate_private_key("ssh-ed25519", comment=name) if kind == "new_key" else None
    given = Login(
        login=login.strip() or None,
        password=(password or None) if kind == "password" else None,
        private_key=made.export_private_key().decode() if made else (private_key.strip() or None),
        passphrase=passphrase or None,
        host_keys=tuple(line.strip() for line in host_key.splitlines() if line.strip()),
    )
    try:
        save_login(ledger, visitor, name, given)
    except ConfigurationError as wrong:
        return _form(request, visitor, {"name": name, "login": login, "kind": kind}, wrong.message)
    if made:
        public = made.export_public_key().decode().strip()
        return render(request, "public_key.html", visitor, here="credentials", name=name, public_key=public)
    return go_back(request, "credentials", "stored")


def save_login(ledger: Ledger, visitor: Visitor, name: str, given: Login) -> None:
    """Store a login, and say so in the activity log.

    Raises:
        ConfigurationError: It would be of no use.
    """
    before = store_login(name, given)
    with ledger.connect() as connection:
        what = "credentials.changed" if before else "credentials.created"
        activity.record(connection, visitor.name, what, name, details={"parts": given.parts()})


def _form(request: Request, visitor: VisitorDep, given: dict[str, Any], wrong: str | None) -> HTMLResponse:
    status = 422 if wrong else 200
    values = {"kind": "password", **given}
    return render(
        request, "credentials_form.html", visitor, here="credentials", given=values, wrong=wrong, status=status
    )
