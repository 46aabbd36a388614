"""`connections deliveries`: the outbound files, and what became of each."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from command_line.out_file import out_file
from command_line.output import AsJson, note, print_fields, print_json, print_table
from command_line.session import current_settings, open_ledger

deliveries = typer.Typer(help="Show outbound files and what became of them.")

_LISTED = (
    "id", "connection", "business_date", "version", "state", "file_name", "rows", "size", "created_at", "delivered_at",
    "collected_at",
)  # fmt: skip
Connection = Annotated[str | None, typer.Option("--connection", "-c", help="Only this connection.")]
States = Annotated[list[str] | None, typer.Option("--state", "-s", help="Only this state; may be given again.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest first.")]


@deliveries.callback(invoke_without_command=True)
def deliveries_root(
    context: typer.Context,
    connection: Connection = None,
    state: States = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List deliveries when no other command is named."""
    if context.invoked_subcommand is None:
        list_deliveries(connection, state, limit, as_json)


@deliveries.command("list")
def list_deliveries(
    connection: Connection = None, state: States = None, limit: Limit = 50, as_json: AsJson = False
) -> None:
    """List deliveries, the newest first."""
    from data_connections.errors import UnknownName
    from data_connections.ledger import deliveries as records

    for wanted in state or ():
        if wanted not in records.STATES:
            raise UnknownName("state", wanted, records.STATES)
    found = records.recent(open_ledger(), connection=connection, states=state or (), limit=limit)
    if as_json:
        print_json([asdict(delivery) for delivery in found])
    elif found:
        print_table(
            [name.replace("_", " ") for name in _LISTED], ([getattr(one, name) for name in _LISTED] for one in found)
        )
    else:
        note("No delivery fits.")


@deliveries.command("show")
def show_delivery(
    which: Annotated[str, typer.Argument(metavar="ID", help="Number or trace id.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the bytes that were sent here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one delivery with its totals; with --out, write the kept bytes to a file."""
    from data_connections.ledger import deliveries as records

    settings = current_settings()
    with open_ledger(settings).connect() as connection:
        delivery = records.find(connection, which)
    if out is not None:
        _write_kept(settings.landing_url, delivery.landing_key, out)
    if as_json:
        print_json(asdict(delivery))
        return
    print_fields({name.replace("_", " "): value for name, value in asdict(delivery).items() if name != "totals"})
    names = list(dict.fromkeys(name for group in delivery.totals.values() for name in group))
    if names:
        print_table(["", *names], ([group, *totals.values()] for group, totals in delivery.totals.items()))


def _write_kept(landing_url: str, key: str, out: Path) -> None:
    import shutil

    from data_connections.landing import Landing

    with Landing(landing_url).open(key) as source, out_file(out) as target:
        shutil.copyfileobj(source, target)
