"""`connections expected`: what has to be there by a time of day, and what became of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from command_line.exits import BAD
from command_line.output import AsJson, note, print_json, print_table
from command_line.session import open_ledger
from data_connections.errors import ConfigurationError

_DAY = ["%Y-%m-%d"]
_WEEK = timedelta(days=7)


def expected(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False)] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, metavar="DATE", help="First day; a week ago if left out.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, metavar="DATE", help="Last day; in a week if left out.")
    ] = None,
    only_bad: Annotated[
        bool, typer.Option("--bad", help="Only what was late, missed or not as usual; exit code 1 where there is any.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is expected, day by day: files that have to come, reports that have to go out."""
    from dataclasses import asdict

    from data_connections.catalog import current
    from data_connections.queries.expected import expectations

    ledger = open_ledger()
    if name is not None:
        name = current(ledger, name).name
    begin, end = _days(first, last)
    with ledger.connect() as connection:
        found = expectations(connection, None, begin, end, name=name)
    if only_bad:
        found = [each for each in found if each.look in ("bad", "warned")]
    if as_json:
        print_json([asdict(each) for each in found])
    elif found:
        rows = (
            (each.day, each.connection, each.rule, each.due_at, each.state, each.files, each.met_at, each.findings)
            for each in found
        )
        print_table(["day", "connection", "expected", "due at", "state", "files", "met at", "not as usual"], rows)
    else:
        note(f"Nothing {'is wrong' if only_bad else 'is expected'} from {begin} to {end}.")
    if only_bad and found:
        raise typer.Exit(BAD)


def _days(first: datetime | None, last: datetime | None) -> tuple[date, date]:
    today = datetime.now(UTC).date()
    begin = first.date() if first else min(today, last.date() if last else today) - _WEEK
    end = last.date() if last else max(today, begin) + _WEEK
    if begin > end:
        raise ConfigurationError(f"The days end on {end}, before they begin on {begin}.")
    return begin, end
