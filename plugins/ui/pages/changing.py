"""Trying one connection out, deleting it, and taking back what was changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from data_connections.catalog import current, revision
from data_connections.catalog.removal import delete, undelete
from hooks.trial import trial
from ui.answers import go_back
from ui.books import LedgerDep
from ui.found import Name, connection_line
from ui.rendering import render, root_of
from ui.saving import save_spec
from ui.visitor import VisitorDep

router = APIRouter(prefix="/connections/{name}", include_in_schema=False)


@router.post("/test")
def test_connection(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> HTMLResponse:
    """Log in to the connection's server as a run would, and say step by step what works."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    visitor.must(visitor.may_run(name), f"test {name}")
    steps = list(trial(current(ledger, name).spec))
    return render(request, "test.html", visitor, here="connections", line=line, steps=steps)


@router.get("/delete")
def confirm_delete(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> HTMLResponse:
    """Ask whether the connection is to be deleted."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    visitor.must(visitor.may_edit(name), f"delete {name}")
    return render(request, "delete.html", visitor, here="connections", line=line)


@router.post("/delete")
def delete_connection(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> RedirectResponse:
    """Delete the connection; the list offers to take it back."""
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    visitor.must(visitor.may_edit(name), f"delete {name}")
    delete(ledger, name, visitor.name)
    return RedirectResponse(f"{root_of(request)}/?done=deleted&of={name}", 303)


@router.post("/restore")
def restore_connection(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> RedirectResponse:
    """Take a deletion back."""
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    visitor.must(visitor.may_edit(name), f"restore {name}")
    undelete(ledger, name, visitor.name)
    return go_back(request, f"connections/{name}", "restored")


@router.post("/revisions/{number}/restore")
def restore_revision(
    request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name, number: Annotated[int, Path(ge=1, lt=2**31)]
) -> RedirectResponse:
    """Make the content of an earlier revision a new one."""
    with ledger.connect() as connection:
        connection_line(connection, visitor, name)
    stored = revision(ledger, name, number)
    if stored.name != name:
        raise HTTPException(404, f"There is no revision {number} of {name}.")
    plan = save_spec(ledger, visitor, {**stored.content, "name": name}, source="screen", expected=None)
    return go_back(request, f"connections/{name}/revisions", "changed" if plan.changing else "kept")
