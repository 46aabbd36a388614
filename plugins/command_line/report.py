"""`connections report`: any report of the ledger, to a file or to standard output."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from command_line.out_file import out_file
from command_line.output import note, print_json, warn
from command_line.session import current_settings, open_ledger

if TYPE_CHECKING:
    from data_connections.ledger import Ledger
    from data_connections.reports import Parameters

_DAY = ["%Y-%m-%d"]
_SHOWN_EVERY = 50_000


def report(
    name: Annotated[str, typer.Argument(metavar="REPORT", help="Such as performance_by_day.", show_default=False)],
    date_from: Annotated[datetime, typer.Option("--from", formats=_DAY, metavar="DATE", help="First day, YYYY-MM-DD.")],
    date_to: Annotated[datetime, typer.Option("--to", formats=_DAY, metavar="DATE", help="Last day; it is included.")],
    program: Annotated[
        str | None, typer.Option("--program", metavar="KEY", help="Only this program, by key or number.")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option("--time-zone", metavar="ZONE", help="Days of this zone, not of each program's own.")
    ] = None,
    date_basis: Annotated[
        str | None,
        typer.Option("--date-basis", metavar="BASIS", help="event, created, updated or locked, as the report has it."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to this file.")] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="KEY=VALUE", help="Form of the file, such as type=xml; may be given again."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --out: print JSON about the written file on standard output.")
    ] = False,
) -> None:
    """Write a report to a file or to standard output.

    It is added up and compared with the ledger before any of it is shown; exit code 1 when it does not add up.
    """
    from data_connections.reports import Layout, Parameters, find_program, load_reports, write_checked
    from data_connections.spec import OutputFormat
    from data_connections.spec.options import from_options

    if as_json and out is None:
        raise typer.BadParameter("needs --out: standard output is the report's own otherwise", param_hint="--json")
    settings = current_settings()
    chosen = load_reports(settings.include)[name]
    layout = Layout.of(chosen, from_options(OutputFormat, options or ()))
    parameters = Parameters(date_from.date(), date_to.date(), time_zone=time_zone, date_basis=date_basis)
    ledger = open_ledger(settings)
    if program is not None:
        parameters = replace(parameters, program=find_program(ledger, program).key)
    _warn_of_unfinished_days(ledger, parameters)
    with out_file(out) as target:
        counted = write_checked(ledger, layout, parameters, target, _tell_progress)
    if as_json:
        about = {"report": name, "date_from": parameters.date_from, "date_to": parameters.date_to, "file": out}
        print_json({**about, "rows": counted.rows, **asdict(counted)})
    elif out is not None:
        note(f"{out}: {counted.rows:,} rows of {chosen.title}, {counted.size:,} bytes, SHA-256 {counted.sha256}")


def _warn_of_unfinished_days(ledger: Ledger, parameters: Parameters) -> None:
    from data_connections.reports import unfinished_in

    zones = unfinished_in(ledger, parameters, datetime.now(UTC))
    if zones:
        warn(f"{parameters.date_to} is not over yet in {', '.join(zones)}; what comes later is missing.")


def _tell_progress(rows: int) -> None:
    if rows % _SHOWN_EVERY == 0 and sys.stderr.isatty():
        typer.echo(f"\r{rows:,} rows ...", nl=False, err=True)
