"""Logins of partners at our gateway: making, rotating and ending them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from data_connections.gateway.logins import NewSecret
from ui.api.once import IdempotencyKey, once
from ui.books import LedgerDep
from ui.found import Name, connection_line
from ui.hosting import confirmed, end_login, hosted_spec, login_lines, mail_login, make_login, rotate_login
from ui.pages.access import must_edit
from ui.visitor import VisitorDep

router = APIRouter(prefix="/connections/{name}/logins", tags=["credentials"])
LoginName = Annotated[str, Path(max_length=64)]


class LoginOrder(BaseModel):
    """A login to make; without a public key it gets a password, which only this answer tells."""

    model_config = ConfigDict(extra="forbid")

    login: str = Field(default="", max_length=64, description="Its name; the connection's where left out.")
    public_key: str = Field(default="", max_length=20_000, description="The partner's public key, OpenSSH or PKCS8.")


class Rotation(BaseModel):
    """A new password, or key, for a login."""

    model_config = ConfigDict(extra="forbid")

    public_key: str = Field(default="", max_length=20_000, description="The partner's new public key.")
    overlap_days: int = Field(default=7, ge=0, le=365, description="How long the old ones stay valid.")


class LoginMail(BaseModel):
    """Whom login details are mailed to."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(max_length=320, description="An e-mail address.")


class MailedLogin(BaseModel):
    """A link that was mailed."""

    login: str
    to: str
    valid_until: datetime = Field(description="When the link ends, in UTC; it works once.")


class MadeLogin(BaseModel):
    """What the partner needs to log in."""

    login: str
    password: str | None = Field(description="Told this once; only a hash of it is kept.")
    fingerprint: str | None
    confirmation: dict[str, Any]


@router.get("")
def list_logins(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> list[dict[str, Any]]:
    """List each password and key of a connection's logins; never a secret."""
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    return login_lines(ledger, name)


@router.post("", status_code=201)
def create_login(
    visitor: VisitorDep, ledger: LedgerDep, name: Name, order: LoginOrder | None = None, key: IdempotencyKey = None
) -> MadeLogin:
    """Make a login; sent again with the same key the answer is the same, but for the password, which is not kept."""
    must_edit(visitor, ledger, name)
    stored = hosted_spec(ledger, name)
    asked = order or LoginOrder()
    told: list[MadeLogin] = []

    def make() -> dict[str, Any]:
        made = make_login(ledger, visitor, stored, asked.login, asked.public_key)
        told.append(_made(made, confirmed(ledger, stored, made.login)))
        return told[0].model_copy(update={"password": None}).model_dump(mode="json")

    kept = once(ledger, visitor, key, ["login", name, asked.model_dump()], make)
    return told[0] if told else MadeLogin(**kept)


@router.post("/{login}/rotate")
def rotate(
    visitor: VisitorDep, ledger: LedgerDep, name: Name, login: LoginName, rotation: Rotation | None = None
) -> MadeLogin:
    """Give a login a new password or key; the old ones stay valid for a while."""
    must_edit(visitor, ledger, name)
    stored = hosted_spec(ledger, name)
    asked = rotation or Rotation()
    made = rotate_login(ledger, visitor, stored, login, asked.public_key, asked.overlap_days)
    return _made(made, confirmed(ledger, stored, login))


@router.post("/{login}/mail")
def mail(
    visitor: VisitorDep, ledger: LedgerDep, name: Name, login: LoginName, order: LoginMail, key: IdempotencyKey = None
) -> MailedLogin:
    """Mail a link that shows the login's details once, with a password that is made at that moment."""
    must_edit(visitor, ledger, name)
    hosted_spec(ledger, name)

    def send() -> dict[str, Any]:
        valid_until = mail_login(ledger, visitor, name, login, order.to)
        return {"login": login, "to": order.to, "valid_until": valid_until.isoformat()}

    return MailedLogin(**once(ledger, visitor, key, ["mail login", name, login, order.to], send))


@router.delete("/{login}", status_code=204)
def retire(visitor: VisitorDep, ledger: LedgerDep, name: Name, login: LoginName) -> None:
    """End a login now."""
    must_edit(visitor, ledger, name)
    hosted_spec(ledger, name)
    end_login(ledger, visitor, name, login)


def _made(made: NewSecret, told: dict[str, Any]) -> MadeLogin:
    return MadeLogin(login=made.login, password=made.password, fingerprint=made.fingerprint, confirmation=told)
