"""`connections retention`: delete what is older than the settings say, or show what would go."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from command_line.output import AsJson, note, print_fields, print_json
from command_line.session import current_settings, open_ledger


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and delete nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete originals, sent files and history whose time is over, as the DAG `connections_daily` does each night.

    What is not final never goes; hashes, business keys, counts and totals stay for ever.
    """
    from data_connections.settings import Keep
    from data_connections.steps.retention import clean_up
    from hooks.landing import LandingHook

    keep = Keep.from_environment()
    settings = current_settings()
    found = clean_up(open_ledger(settings), LandingHook().get_conn(), keep, datetime.now(UTC), dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, **asdict(found)})
        return
    print_fields(
        {
            **{f"files: {name}": count for name, count in found.files.items()},
            "bytes": found.bytes,
            **found.rows,
            "entries of the journal": found.journal,
        }
    )
    note("Nothing was deleted: --dry-run." if dry_run else "Deleted.")
