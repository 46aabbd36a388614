"""`connections incidents`: troubles that go on, whether people were told, and which channels could not tell."""

from __future__ import annotations

from typing import Annotated

import typer

from command_line.output import AsJson, note, print_json, print_table
from command_line.session import open_ledger

_SHOWN = (
    "connection",
    "kind",
    "subject",
    "runs",
    "opened_at",
    "last_at",
    "told_at",
    "channel_trouble",
    "closed_at",
    "text",
)


def incidents(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False)] = None,
    with_closed: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show troubles of connections, from the first run that had them to the first one without."""
    from data_connections.catalog import current
    from data_connections.ledger import incidents as records

    ledger = open_ledger()
    if name is not None:
        name = current(ledger, name).name
    found = records.listing(ledger, connection=name, with_closed=with_closed)
    if as_json:
        print_json(found)
    elif found:
        shown = [column for column in _SHOWN if with_closed or column != "closed_at"]
        print_table(
            [column.replace("_", " ") for column in shown], ([one[column] for column in shown] for one in found)
        )
    else:
        note("No trouble goes on.")
