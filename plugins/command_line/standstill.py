"""`connections halt` and `connections maintenance`: what keeps runs waiting, and until when."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from command_line.moments import moment
from command_line.output import AsJson, note, print_fields, print_json, print_table
from command_line.session import By, acting_user, open_ledger
from data_connections.errors import ConfigurationError

maintenance = typer.Typer(help="Times in which a connection, or everything at one host, does not run.")
_LISTED = ("id", "connection", "host", "begins_at", "ends_at", "reason", "who")


def halt(
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; people read it while runs wait.")] = None,
    end: Annotated[bool, typer.Option("--end", help="Let everything go on.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Stop all applying and sending at once, or with --end let it go on; with neither, say whether it is stopped.

    Runs wait without a worker and go on by themselves: nothing is lost or done twice. Files are still fetched and
    checked, partners can still upload, and what was sent to our gateway can still be collected.
    """
    from data_connections.ledger import standstill as records
    from data_connections.steps import standstill

    if end and reason is not None:
        raise ConfigurationError("Give --reason to stop, or --end to let it go on.")
    ledger = open_ledger()
    if end:
        changed = standstill.go_on(ledger, acting_user(by))
    else:
        changed = reason is not None and standstill.halt(ledger, acting_user(by), reason)
    with ledger.connect() as connection:
        now = records.halted(connection)
    if as_json:
        print_json({"halted": now is not None, "changed": changed, **(asdict(now) if now else {})})
    elif now is None:
        note("Applying and sending goes on." if changed else "Nothing is stopped.")
    else:
        print_fields({"Stopped by": now.who, "since": now.since, "because": now.reason})
        note("`connections halt --end` lets it go on.")


@maintenance.command("add")
def add_window(
    begins: Annotated[str, typer.Option("--from", metavar="TIME", help="Begin, ISO 8601; UTC without an offset.")],
    ends: Annotated[str, typer.Option("--to", metavar="TIME", help="End.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; people read it while runs wait.")],
    name: Annotated[str | None, typer.Option("--connection", "-c", metavar="NAME", help="One connection.")] = None,
    host: Annotated[str | None, typer.Option(metavar="HOST", help="Everything at this host.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Plan a window: runs that fall into it wait for its end, and nobody is told that files are late meanwhile."""
    from data_connections.steps.standstill import plan_window

    begins_at, ends_at = moment(begins, "--from"), moment(ends, "--to")
    assert begins_at is not None  # noqa: S101 - both have to be given
    assert ends_at is not None  # noqa: S101
    made = plan_window(open_ledger(), acting_user(by), begins_at, ends_at, reason, name=name, host=host)
    if as_json:
        print_json({"id": made})
    else:
        note(f"Maintenance window {made} is planned.")


@maintenance.command("list")
def list_windows(as_json: AsJson = False) -> None:
    """List windows that go on or are to come."""
    from data_connections.ledger.standstill import windows

    with open_ledger().connect() as connection:
        found = windows(connection, since=datetime.now(UTC))
    if as_json:
        print_json([asdict(window) for window in found])
    elif found:
        print_table(
            [column.replace("_", " ") for column in _LISTED],
            ([getattr(each, name) for name in _LISTED] for each in found),
        )
    else:
        note("No maintenance is planned.")


@maintenance.command("end")
def end_window(
    which: Annotated[int, typer.Argument(metavar="ID", help="Its number.", show_default=False)],
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """End a window now, or take one back that has not begun."""
    from data_connections.steps import standstill

    window = standstill.end_window(open_ledger(), which, acting_user(by))
    if as_json:
        print_json(asdict(window))
    else:
        note(f"The maintenance of {window.connection or window.host} is over.")
