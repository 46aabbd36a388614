"""Credentials: listing, storing, and trusting servers; secrets go in and never come out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from ui.api.etags import IfMatch, etag, version_in
from ui.books import LedgerDep
from ui.credentials import (
    LoginGiven,
    all_credentials,
    must_store,
    offered_by_server,
    one_credentials,
    remove,
    save_login,
    trust,
    version_of,
)
from ui.found import Name
from ui.visitor import VisitorDep

router = APIRouter(prefix="/credentials", tags=["credentials"])


class Stored(BaseModel):
    """Credentials that were stored."""

    name: str
    public_key: str | None = Field(description="For the partner, where a key pair was made.")


class TrustedKey(BaseModel):
    """A host key or certificate that a server is known by."""

    model_config = ConfigDict(extra="forbid")

    public: str = Field(max_length=20_000, description="`algorithm base64`, or `sha256:` and the fingerprint.")


@router.get("")
def list_credentials(visitor: VisitorDep, ledger: LedgerDep) -> list[dict[str, Any]]:
    """List credentials with where they are used; never a secret."""
    return all_credentials(ledger, visitor)


@router.get("/{name}")
def get_credentials(visitor: VisitorDep, ledger: LedgerDep, name: Name, response: Response) -> dict[str, Any]:
    """Return one login, with the servers that it is used at."""
    one = one_credentials(ledger, visitor, name)
    response.headers["ETag"] = etag(version_of(ledger, one))
    return one


@router.put("/{name}")
def put_credentials(
    visitor: VisitorDep, ledger: LedgerDep, name: Name, given: LoginGiven, if_match: IfMatch = None
) -> Stored:
    """Store a login, or some parts of it; what is left empty stays as it is. A new one needs no If-Match."""
    must_store(visitor, name)
    there = [line for line in all_credentials(ledger, visitor) if line["name"] == name and line["conn_type"]]
    if there and version_in(if_match) != version_of(ledger, there[0]):
        raise HTTPException(409, f"The credentials {name} were changed by somebody else meanwhile. Look at them again.")
    return Stored(name=name, public_key=save_login(ledger, visitor, name, given))


@router.delete("/{name}", status_code=204)
def delete_credentials(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> None:
    """Delete credentials that no connection uses."""
    remove(ledger, visitor, name)


@router.get("/{name}/servers")
def ask_servers(visitor: VisitorDep, ledger: LedgerDep, name: Name) -> list[dict[str, Any]]:
    """Ask the servers for their fingerprints, without logging in."""
    return offered_by_server(ledger, visitor, name)


@router.post("/{name}/trust", status_code=204)
def trust_server(visitor: VisitorDep, ledger: LedgerDep, name: Name, key: TrustedKey) -> None:
    """Trust a server by a host key or certificate, which you compared with what the partner states."""
    trust(ledger, visitor, name, key.public, trusted=True)


@router.post("/{name}/distrust", status_code=204)
def distrust_server(visitor: VisitorDep, ledger: LedgerDep, name: Name, key: TrustedKey) -> None:
    """Trust a host key or certificate no longer."""
    trust(ledger, visitor, name, key.public, trusted=False)
