"""`connections data-types`: what rows may be, and the ledger tables of those that their folder keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from command_line.output import AsJson, note, print_json, print_table
from command_line.session import By, acting_user, current_settings, open_ledger

if TYPE_CHECKING:
    from data_connections.catalog.data_type_versions import DataTypeStep
    from data_connections.data_types import DataTypes

data_types = typer.Typer(no_args_is_help=True, help="Data types and their ledger tables.", rich_markup_mode=None)

_SIGNS = {"create": "+", "change": "~"}

Schemas = Annotated[
    list[Path] | None, typer.Option("--schemas", metavar="DIR", help="A folder of data types of your own.")
]


@data_types.command()
def apply(
    schemas: Schemas = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Bring the ledger's tables to what the folders of data types say: all of them, or none.

    Shows what differs from the version that the ledger has, and every statement that changes a table. A table never
    loses a column or a value.
    """
    from data_connections.catalog.data_type_versions import apply_data_types

    known = known_data_types(schemas or [])
    steps = apply_data_types(open_ledger(), known.values(), acting_user(by), dry_run=dry_run)
    if as_json:
        print_json([step.as_json() for step in steps])
        return
    show_steps(steps)
    changed = sum(step.action != "keep" for step in steps)
    note(f"{changed} of {len(steps)} {'to change (nothing was: --dry-run)' if dry_run else 'changed'}")


@data_types.command("list")
def list_all(schemas: Schemas = None, as_json: AsJson = False) -> None:
    """Show every data type: how its rows are kept, and the version of its folder."""
    found = [
        {
            "name": each.name,
            "title": each.title,
            "columns": len(each.columns),
            "kept": each.keep.how if each.keep else None,
            "table": each.table,
            "key": list(each.keep.key) if each.keep else [],
            "version": each.version,
        }
        for each in known_data_types(schemas or []).values()
    ]
    if as_json:
        print_json(found)
        return
    columns = ("name", "title", "columns", "kept", "table", "key", "version")
    print_table(columns, [[each[column] for column in columns] for each in found])


def known_data_types(folders: Sequence[Path]) -> DataTypes:
    """Return the data types of this installation, and those of some folders beside it."""
    from data_connections.data_types import load_data_types

    return load_data_types([*current_settings().schemas, *folders])


def show_steps(steps: Sequence[DataTypeStep]) -> None:
    """Print what changes: fields of the folder, statements for the table, what is left."""
    for step in steps:
        if step.action == "keep" or (step.action == "create" and not step.table.statements):
            continue
        was = f"  {step.before} -> {step.data_type.version}" if step.before else ""
        typer.echo(f"{_SIGNS[step.action]} data type {step.data_type.name}{was}")
        for line in (*step.changes, *step.table.statements, *step.table.notes):
            typer.echo(f"    {line}")
