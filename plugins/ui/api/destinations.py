"""Destinations: the places that files are sent to, each with the connections that deliver there."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ui.books import LedgerDep
from ui.pages import destinations as pages
from ui.visitor import VisitorDep

router = APIRouter(prefix="/destinations", tags=["deliveries"])


class Loads(BaseModel):
    """Connections that deliver to one destination."""

    model_config = ConfigDict(extra="forbid")

    connections: list[Annotated[str, Field(max_length=100)]] = Field(min_length=1, max_length=1000)


@router.get("")
def list_destinations(visitor: VisitorDep, ledger: LedgerDep) -> list[dict[str, Any]]:
    """List the places that files are sent to, with the connections that deliver there."""
    return [_line(each) for each in pages.destinations(visitor, ledger)]


@router.get("/{credentials}/{host}")
def get_destination(visitor: VisitorDep, ledger: LedgerDep, credentials: str, host: str) -> dict[str, Any]:
    """Return one destination."""
    return _line(pages.one_destination(visitor, ledger, credentials, host))


@router.delete("/{credentials}/{host}")
def delete_destination(visitor: VisitorDep, ledger: LedgerDep, credentials: str, host: str) -> Loads:
    """Delete the connections that deliver there, and return them; `restore` takes it back."""
    return Loads(connections=pages.delete_loads(visitor, ledger, credentials, host))


@router.post("/restore", status_code=204)
def restore_destination(visitor: VisitorDep, ledger: LedgerDep, loads: Loads) -> None:
    """Take the deletion of a destination back: of the connections that deleting it returned."""
    pages.restore_loads(visitor, ledger, loads.connections)


def _line(destination: dict[str, Any]) -> dict[str, Any]:
    return {**destination, "loads": [line["name"] for line in destination["loads"]]}
