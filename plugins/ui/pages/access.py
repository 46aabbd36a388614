"""The tab of a connection whose folder we host: logins for the partner, and what the partner is told about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from data_connections.errors import ConfigurationError, ConnectionsError
from data_connections.gateway.logins import NewSecret
from data_connections.ledger import Ledger
from ui.answers import go_back
from ui.books import LedgerDep
from ui.found import Name, connection_line
from ui.hosting import confirmed, end_login, hosted_spec, login_lines, mail_login, make_login, must_have, rotate_login
from ui.pages.connection import connection_tab
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/connections/{name}/access", include_in_schema=False)
Login = Annotated[str, Form(max_length=64)]
Key = Annotated[str, Form(max_length=20_000)]


@router.get("")
def access_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name, login: str = "") -> HTMLResponse:
    """Show the logins, and with ``login`` what the partner needs to use it."""
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    hosted_spec(ledger, name)
    if login:
        must_have(ledger, name, login)
    return _page(request, visitor, ledger, name, login=login)


@router.post("")
def create(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name, login: Login = "", public_key: Key = ""
) -> HTMLResponse:
    """Make a login; its password is on this answer and nowhere else."""
    must_edit(visitor, ledger, name)
    stored = hosted_spec(ledger, name)
    try:
        made = make_login(ledger, visitor, stored, login, public_key)
    except ConfigurationError as wrong:
        return _page(request, visitor, ledger, name, wrong=wrong.message, given=login, given_key=public_key, status=422)
    return _page(request, visitor, ledger, name, login=made.login, made=made)


@router.post("/rotate")
def rotate(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    name: Name,
    login: Login,
    public_key: Key = "",
    overlap_days: Annotated[int, Form(ge=0, le=365)] = 7,
) -> HTMLResponse:
    """Give a login a new password or key."""
    must_edit(visitor, ledger, name)
    stored = hosted_spec(ledger, name)
    try:
        made = rotate_login(ledger, visitor, stored, login, public_key, overlap_days)
    except ConfigurationError as wrong:
        return _page(request, visitor, ledger, name, wrong=wrong.message, status=422)
    return _page(request, visitor, ledger, name, login=login, made=made)


@router.post("/mail")
def mail(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    name: Name,
    login: Login,
    to: Annotated[str, Form(max_length=320)],
) -> HTMLResponse:
    """Mail a link that shows the login's details once."""
    must_edit(visitor, ledger, name)
    hosted_spec(ledger, name)
    try:
        until = mail_login(ledger, visitor, name, login, to)
    except ConnectionsError as wrong:
        return _page(request, visitor, ledger, name, wrong=str(wrong), status=422)
    return _page(request, visitor, ledger, name, mailed=(login, to.strip(), until))


@router.post("/retire")
def retire(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name, login: Login) -> RedirectResponse:
    """End a login now."""
    must_edit(visitor, ledger, name)
    hosted_spec(ledger, name)
    end_login(ledger, visitor, name, login)
    return go_back(request, f"connections/{name}/access", "login_ended")


def must_edit(visitor: Visitor, ledger: Ledger, name: str) -> None:
    """Refuse the request unless the user may change the connection, and with it who reaches its folder.

    Raises:
        HTTPException: 404 where the connection is not to be seen, 403 where the right is missing.
    """
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    visitor.must(visitor.may_edit(name), f"change who reaches the folder of {name}")


def _page(
    request: Request,
    visitor: Visitor,
    ledger: Ledger,
    name: str,
    *,
    login: str = "",
    made: NewSecret | None = None,
    wrong: str | None = None,
    mailed: tuple[str, str, datetime] | None = None,
    given: str = "",
    given_key: str = "",
    status: int = 200,
) -> HTMLResponse:
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    stored = hosted_spec(ledger, name)
    told = confirmed(ledger, stored, login) if login else None
    values = {"lines": login_lines(ledger, name), "told": told, "made": made, "wrong": wrong}
    values |= {"given": given, "given_key": given_key}
    by_mail = stored.spec.method == "email"
    return connection_tab(request, visitor, "access", line, status=status, by_mail=by_mail, mailed=mailed, **values)
