"""Sending a file from the page: the dry run first, then the same steps as a run's."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from data_connections.catalog import current
from data_connections.data_types import load_data_types
from data_connections.errors import ConfigurationError
from data_connections.settings import Settings
from data_connections.steps import manual
from data_connections.steps.sample import check_sample
from ui.answers import go_back
from ui.books import LandingDep, LedgerDep
from ui.finishing import finish_later
from ui.found import Name, connection_line
from ui.rendering import render
from ui.uploads import SentFile, on_disk
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/connections/{name}/send", include_in_schema=False)


@router.get("")
def send_page(request: Request, visitor: VisitorDep, ledger: LedgerDep, name: Name) -> HTMLResponse:
    """Ask for the file."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    visitor.must(visitor.may_run(name), f"send files to {name}")
    return _page(request, visitor, line)


@router.post("")
def send_file(
    request: Request,
    visitor: VisitorDep,
    ledger: LedgerDep,
    landing: LandingDep,
    later: BackgroundTasks,
    name: Name,
    file: SentFile,
    action: Annotated[str, Form(pattern="^(check|send)$")] = "check",
    again: Annotated[bool, Form()] = False,
) -> Response:
    """Check the file, or take it."""
    with ledger.connect() as connection:
        line = connection_line(connection, visitor, name)
    visitor.must(visitor.may_run(name), f"send files to {name}")
    if file is None:
        return _page(request, visitor, line, wrong="Choose a file first.", again=again)
    known = load_data_types(Settings.from_environment().schemas)
    with on_disk(file.file, file.filename) as path:
        if action == "check":
            with path.open("rb") as source:
                report = check_sample(ledger, current(ledger, name).spec, source, path.name, known)
            return _page(request, visitor, line, report=report.as_json(), again=again)
        try:
            taken = manual.take(ledger, landing, name, path, who=visitor.name, again=again, data_types=known)
        except ConfigurationError as refused:
            return _page(request, visitor, line, wrong=refused.message, again=again)
    finish_later(later, ledger, landing, taken)
    return _followed(request, taken)


def _page(
    request: Request, visitor: Visitor, line: Any, *, report: Any = None, wrong: str = "", again: bool = False
) -> HTMLResponse:
    return render(
        request,
        "send.html",
        visitor,
        here="connections",
        status=422 if wrong else 200,
        line=line,
        report=report,
        wrong=wrong,
        again=again,
    )


def _followed(request: Request, submission_id: int) -> RedirectResponse:
    return go_back(request, f"submissions/{submission_id}", "submitted")
