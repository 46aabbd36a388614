"""Specs that are not saved yet: what saving one would do, whether its server lets us in, what becomes of a file."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, HTTPException, UploadFile
from pydantic import Json

from data_connections.catalog import Plan
from data_connections.catalog.export import to_yaml
from data_connections.data_types import load_data_types
from data_connections.ledger import Ledger
from data_connections.settings import Settings
from data_connections.spec import ConnectionSpec
from data_connections.steps.sample import check_sample
from hooks.trial import trial
from ui.api.connections import Spec, saved
from ui.api.models import Previewed, TriedStep
from ui.books import LedgerDep
from ui.saving import must_use, preview_spec
from ui.schedule_words import next_times, schedule_in_words
from ui.visitor import Visitor, VisitorDep

router = APIRouter(prefix="/connections/preview", tags=["connections"])
Sample = Annotated[UploadFile, File(description="The file.")]
SpecField = Annotated[Json[dict[str, Any]], Form(description="The spec, as JSON.")]


@router.post("")
def preview_connection(visitor: VisitorDep, ledger: LedgerDep, spec: Spec) -> Previewed:
    """Say what saving a spec would do, and change nothing."""
    drafted, plan = _drafted(visitor, ledger, spec)
    step = plan.steps[0]
    return Previewed(
        **saved(step.as_json(), step.old.number if step.old else None),
        yaml=to_yaml(drafted),
        schedule=schedule_in_words(drafted.schedule, drafted.name),
        next_runs=next_times(drafted.schedule, drafted.name, drafted.time_zone),
        warnings=[warning.removeprefix(f"{drafted.name}: ") for warning in plan.warnings],
    )


@router.post("/test")
def test_draft(visitor: VisitorDep, ledger: LedgerDep, spec: Spec) -> list[TriedStep]:
    """Log in as a run of the spec would, and say step by step what works; nothing is saved."""
    drafted, plan = _drafted(visitor, ledger, spec)
    must_use(visitor, drafted, plan.steps[0].old)
    return [TriedStep(**asdict(step)) for step in trial(drafted)]


@router.post("/check")
def check_draft(visitor: VisitorDep, ledger: LedgerDep, spec: SpecField, file: Sample) -> dict[str, Any]:
    """Say what would become of a file if the spec were saved, and keep nothing."""
    drafted, plan = _drafted(visitor, ledger, spec)
    must_use(visitor, drafted, plan.steps[0].old)
    known = load_data_types(Settings.from_environment().schemas)
    return check_sample(ledger, drafted, io.BytesIO(file.file.read()), file.filename or "sample", known).as_json()


def _drafted(visitor: Visitor, ledger: Ledger, spec: dict[str, Any]) -> tuple[ConnectionSpec, Plan]:
    """Return a spec and what saving it would do.

    Raises:
        HTTPException: 403 where the user may not, 404 for a connection that is not to be seen.
    """
    name = str(spec.get("name", ""))
    visitor.must(visitor.may_create or visitor.may_edit(name), "change connections")
    drafted, plan = preview_spec(ledger, spec, "api")
    if plan.steps[0].old and not visitor.may_see(name):
        raise HTTPException(404, f"There is no connection {name!r}.")
    return drafted, plan
