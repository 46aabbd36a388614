"""Data types: columns, rules and codes, templates to download, and checking a file against one."""

from __future__ import annotations

import io
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from data_connections.data_types import load_data_types
from data_connections.settings import Settings
from ui.api.submissions import FileName, sent_body
from ui.pages import data_types as pages
from ui.visitor import VisitorDep

router = APIRouter(tags=["data types"])
_BODY = {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}


class CodeLine(BaseModel):
    """A code that rows or files get."""

    code: str
    about: str = Field(description="What gets it: rows, rows by the ledger's rules, or files.")
    meaning: str
    cause: str = Field(description="How it usually comes about.")
    cure: str = Field(description="What the sender does about it.")


@router.get("/data-types")
def list_data_types(visitor: VisitorDep) -> list[dict[str, Any]]:
    """List data types."""
    known = load_data_types(Settings.from_environment().schemas)
    return [
        each.model_dump(mode="json", include={"name", "title", "description", "version"}) for each in known.values()
    ]


@router.get("/data-types/{data_type}")
def get_data_type(visitor: VisitorDep, data_type: str) -> dict[str, Any]:
    """Return a data type with its columns, rules and suite, and the names of its `templates`."""
    return {**pages.one(data_type).model_dump(mode="json"), "templates": pages.template_names(data_type)}


@router.get("/data-types/{data_type}/templates/{template}", response_class=Response)
def get_template(visitor: VisitorDep, data_type: str, template: str) -> Response:
    """Download a file to start from."""
    return pages.template_file(visitor, data_type, template)


@router.post("/data-types/{data_type}/check", openapi_extra={"requestBody": _BODY})
def check_file(
    visitor: VisitorDep, data_type: str, body: Annotated[bytes, Depends(sent_body)], file_name: FileName = "rows.csv"
) -> dict[str, Any]:
    """Check a file, the body as it is, against the data type alone; nothing is kept."""
    return pages.checked(pages.one(data_type), io.BytesIO(body), file_name)


@router.get("/codes")
def list_codes(visitor: VisitorDep) -> list[CodeLine]:
    """List every code of rows and files with what it means."""
    return [
        CodeLine(code=name, about=about, **each._asdict())
        for about, codes in pages.CODES.items()
        for name, each in codes.items()
    ]
