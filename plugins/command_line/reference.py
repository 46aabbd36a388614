"""`connections reference`: programs, event types, partners and contracts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from command_line.output import AsJson, note, print_json, print_table
from command_line.session import By, acting_user, current_settings, open_ledger

reference = typer.Typer(no_args_is_help=True, help="Programs, partners and contracts.", rich_markup_mode=None)

_SIGNS = {"create": "+", "change": "~", "remove": "-"}


@reference.command()
def apply(
    folder: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FOLDER", help="Left out: include/reference.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Bring programs, partners and contracts to what YAML files say; what they leave out stays as it is."""
    from data_connections.catalog import apply_reference, load_reference

    settings = current_settings()
    loaded = load_reference(folder or settings.include / "reference")
    steps = apply_reference(open_ledger(settings), loaded, acting_user(by), dry_run=dry_run)
    if as_json:
        print_json([step.as_json() for step in steps])
        return
    for step in steps:
        if step.action != "keep":
            typer.echo(f"{_SIGNS[step.action]} {step.subject}")
        for change in step.changes if step.action == "change" else ():
            typer.echo(f"    {change}")
    changed = sum(step.action != "keep" for step in steps)
    note(f"{changed} of {len(steps)} {'to change (nothing was: --dry-run)' if dry_run else 'changed'}")


@reference.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show all programs with their event types, all partners, and what contracts pay."""
    from data_connections.catalog import list_reference

    found = list_reference(open_ledger())
    if as_json:
        print_json(found)
        return
    _print("Programs", ("id", "key", "name", "time_zone", "currency", "active"), found["programs"])
    event_types = [
        {**each, "program": program["key"], "locking": _locking(each)}
        for program in found["programs"]
        for each in program["event_types"]
    ]
    _print("Event types", ("id", "program", "code", "name", "duplicate_window_days", "locking", "active"), event_types)
    partners = [
        {
            **each,
            "media": [media["id"] for media in each["media"]],
            "promo_codes": [promo_code["code"] for promo_code in each["promo_codes"]],
        }
        for each in found["partners"]
    ]
    _print("Partners", ("id", "name", "media", "promo_codes", "active"), partners)
    terms = [
        {**term, "contract": contract["name"], "partner": contract["partner_id"] or "all others", "pays": _pays(term)}
        for contract in found["contracts"]
        for term in contract["terms"]
    ]
    if terms:
        _print("Contracts", ("contract", "partner", "event_type_id", "category", "starts", "ends", "pays"), terms)


def _print(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    names = [column.replace("_", " ") for column in columns]
    print_table(names, ([row[column] for column in columns] for row in rows), title=title)


def _locking(event_type: dict[str, Any]) -> str:
    days = f"{event_type['locking_days']} days after"
    if event_type["locking_after"] == "event":
        return f"{days} the event"
    if event_type["locking_after"] == "month_end":
        return f"{event_type['locking_months']} months, {days} the month's end"
    return f"at approval, or {days} the event"


def _pays(term: dict[str, Any]) -> str:
    amount = f"{term['percent']:f} %" if term["percent"] is not None else f"{term['fixed']:f}"
    return f"{amount} {term['currency'] or ''}".rstrip()
