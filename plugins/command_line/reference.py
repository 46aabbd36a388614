"""`connections reference`: programs, event types and partners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from command_line.output import AsJson, note, print_json, print_table
from command_line.session import By, acting_user, current_settings, open_ledger

reference = typer.Typer(no_args_is_help=True, help="Programs, event types and partners.", rich_markup_mode=None)


@reference.command()
def apply(
    folder: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FOLDER", help="Left out: include/reference.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Bring programs, event types and partners to what YAML files say; what they leave out stays as it is."""
    from data_connections.catalog import apply_reference, load_reference

    settings = current_settings()
    loaded = load_reference(folder or settings.include / "reference")
    steps = apply_reference(open_ledger(settings), loaded, acting_user(by), dry_run=dry_run)
    if as_json:
        print_json([step.as_json() for step in steps])
        return
    for step in steps:
        if step.action != "keep":
            typer.echo(f"{'+' if step.is_new else '~'} {step.subject}")
        for change in step.changes if not step.is_new else ():
            typer.echo(f"    {change}")
    changed = sum(step.action != "keep" for step in steps)
    note(f"{changed} of {len(steps)} {'to change (nothing was: --dry-run)' if dry_run else 'changed'}")


@reference.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show all programs with their event types, and all partners."""
    from data_connections.catalog import list_reference

    found = list_reference(open_ledger())
    if as_json:
        print_json(found)
        return
    columns = ("id", "key", "name", "time zone", "currency", "active")
    rows = [
        (each["id"], each["key"], each["name"], each["time_zone"], each["currency"], each["active"])
        for each in found["programs"]
    ]
    print_table(columns, rows, title="Programs")
    print_table(
        ("id", "program", "code", "name", "duplicate window", "active"), _event_types(found), title="Event types"
    )
    partners = [(each["id"], each["name"], each["active"]) for each in found["partners"]]
    print_table(("id", "name", "active"), partners, title="Partners")


def _event_types(found: dict[str, list[dict[str, Any]]]) -> list[tuple[Any, ...]]:
    return [
        (
            each["id"],
            program["key"],
            each["code"],
            each["name"],
            f"{each['duplicate_window_days']} days",
            each["active"],
        )
        for program in found["programs"]
        for each in program["event_types"]
    ]
