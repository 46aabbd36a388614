"""Presets of partner products, and the integrations that were made of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from data_connections.catalog.presets import load_presets, remove_integration
from data_connections.settings import Settings
from ui.api.once import IdempotencyKey, once
from ui.books import LedgerDep
from ui.found import Id
from ui.integrations import add, all_integrations, dashboard, preview
from ui.visitor import VisitorDep

router = APIRouter(tags=["integrations"])
Answer = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]
PresetName = Annotated[str, Path(max_length=100, pattern="^[a-z0-9_-]+$")]


class Answers(BaseModel):
    """Answers to what a preset asks; `title`, `prefix` and `program` always."""

    model_config = ConfigDict(extra="forbid")

    answers: dict[str, Answer]


class Added(BaseModel):
    """An integration that was made."""

    id: int


@router.get("/presets")
def list_presets(visitor: VisitorDep) -> list[dict[str, Any]]:
    """List the partner products that there are presets for, with what each asks."""
    known = load_presets(Settings.from_environment().include)
    return [{"name": name, **preset.model_dump(mode="json")} for name, preset in known.items()]


@router.post("/presets/{preset}/preview")
def preview_integration(visitor: VisitorDep, ledger: LedgerDep, preset: PresetName, asked: Answers) -> list[str]:
    """Return the YAML of each connection that would be made; nothing is changed."""
    return preview(ledger, visitor, preset, asked.answers)[0]


@router.post("/presets/{preset}/integrations", status_code=201)
def add_integration(
    visitor: VisitorDep, ledger: LedgerDep, preset: PresetName, asked: Answers, key: IdempotencyKey = None
) -> Added:
    """Make the connections of a preset, all or none."""
    visitor.must(visitor.may_create, "add integrations")
    name = ["integrate", preset, asked.answers]
    return Added(**once(ledger, visitor, key, name, lambda: {"id": add(ledger, visitor, preset, asked.answers)}))


@router.get("/integrations")
def list_integrations(visitor: VisitorDep, ledger: LedgerDep) -> list[dict[str, Any]]:
    """List integrations with their connections."""
    return all_integrations(ledger, visitor)


@router.get("/integrations/{integration_id}")
def get_integration(visitor: VisitorDep, ledger: LedgerDep, integration_id: Id) -> dict[str, Any]:
    """Return an integration with its connections' status and what they moved in 30 days."""
    return dashboard(ledger, visitor, integration_id)


@router.delete("/integrations/{integration_id}", status_code=204)
def delete_integration(visitor: VisitorDep, ledger: LedgerDep, integration_id: Id) -> None:
    """Take an integration off the menu; its connections stay."""
    dashboard(ledger, visitor, integration_id)
    visitor.must(visitor.may_create, "remove integrations")
    remove_integration(ledger, integration_id, visitor.name)
