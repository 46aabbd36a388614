"""Data types: their columns, rules, codes and templates, and checking a file against one."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from data_connections.data_types import DataType, DataTypes, load_data_types
from data_connections.data_types.applying_codes import APPLYING_CODES
from data_connections.data_types.codes import FILE_CODES, ROW_CODES
from data_connections.data_types.reading_codes import BROKEN_ROW_CODES, READING_CODES
from data_connections.settings import Settings
from data_connections.validation import ValidationOptions
from data_connections.validation.check import check_file
from ui.downloads import attachment
from ui.rendering import render
from ui.uploads import SentFile, on_disk
from ui.visitor import VisitorDep

router = APIRouter(prefix="/data-types", include_in_schema=False)
CODES = {
    "Rows": ROW_CODES | BROKEN_ROW_CODES,
    "Rows, by the ledger's rules": APPLYING_CODES,
    "Files": FILE_CODES | READING_CODES,
}
ERRORS_SHOWN = 100
HEADER = "header.csv"


@router.get("")
def data_types_page(request: Request, visitor: VisitorDep) -> HTMLResponse:
    """Show every data type."""
    return render(request, "data_types.html", visitor, here="data_types", data_types=list(_known().values()))


@router.get("/{data_type}")
def data_type_page(request: Request, visitor: VisitorDep, data_type: str) -> HTMLResponse:
    """Show one data type."""
    return _page(request, visitor, one(data_type), None)


@router.post("/{data_type}/check")
def check(request: Request, visitor: VisitorDep, data_type: str, file: SentFile) -> HTMLResponse:
    """Check a file against the data type alone; nothing is kept, and the ledger is not asked."""
    kind = one(data_type)
    if file is None:
        return _page(request, visitor, kind, None, wrong="Choose a file first.")
    return _page(request, visitor, kind, checked(kind, file.file, file.filename))


@router.get("/{data_type}/templates/{template}")
def template_file(visitor: VisitorDep, data_type: str, template: str) -> Response:
    """Download a file to start from: a template of ``include/templates``, or the header alone."""
    kind = one(data_type)
    if template == HEADER:
        header = ",".join(column.name for column in kind.columns if not column.carried) + "\r\n"
        return attachment(io.BytesIO(header.encode()), f"{kind.name}_header.csv")
    found = {path.name: path for path in _templates(kind)}
    if template not in found:
        raise HTTPException(404, f"There is no template {template!r} of {data_type}.")
    return attachment(found[template].open("rb"), f"{kind.name}_{template}")


def _page(
    request: Request, visitor: VisitorDep, kind: DataType, report: dict[str, Any] | None, wrong: str = ""
) -> HTMLResponse:
    templates = [path.name for path in _templates(kind)]
    return render(
        request,
        "data_type.html",
        visitor,
        here="data_types",
        status=422 if wrong else 200,
        wrong=wrong,
        kind=kind,
        templates=templates,
        codes=CODES,
        report=report,
    )


def _templates(kind: DataType) -> list[Path]:
    folder = Settings.from_environment().include / "templates" / kind.name
    return sorted(path for path in folder.glob("*") if path.suffix in (".csv", ".txt", ".tsv", ".xml"))


def _known() -> DataTypes:
    return load_data_types(Settings.from_environment().schemas)


def one(name: str) -> DataType:
    """Return a data type.

    Raises:
        UnknownName: There is none of that name.
    """
    return _known()[name]


def template_names(name: str) -> list[str]:
    """Return the names of a data type's files to start from."""
    return [*(path.name for path in _templates(one(name))), HEADER]


def checked(kind: DataType, source: BinaryIO, name: str | None) -> dict[str, Any]:
    """Return what becomes of a file's rows by the data type alone; nothing is kept, and the ledger is not asked."""
    options = ValidationOptions(received_at=datetime.now(UTC).replace(microsecond=0), time_zone="UTC")
    with on_disk(source, name) as path, path.open("rb") as file:
        return check_file(file, kind, options, name=path.name, errors_shown=ERRORS_SHOWN).as_json()
