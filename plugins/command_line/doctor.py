"""`connections doctor`: looks an installation over, and says what to do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict
from datetime import date, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from command_line.exits import BAD
from command_line.output import AsJson, note, print_json, print_table
from command_line.session import By, acting_user, current_settings, open_ledger
from data_connections.errors import ConfigurationError, ConnectionsError

if TYPE_CHECKING:
    from command_line.checkup import Finding
    from data_connections.ledger import Ledger
    from data_connections.settings import Settings

_SIGNS = {"good": ("ok", "green"), "warning": ("look", "yellow"), "bad": ("BAD", "red"), "skipped": ("-", "white")}
_DAY = ["%Y-%m-%d"]


def doctor(
    recover: Annotated[
        bool, typer.Option("--recover", help="After a restore: submit files that the ledger lacks, note deliveries.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --recover: list them, and change nothing.")] = False,
    since: Annotated[
        datetime | None,
        typer.Option(formats=_DAY, metavar="DATE", help="Compare with the landing area from this day on."),
    ] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the embedded database, and processes that nobody looks after.")
    ] = False,
    no_endpoints: Annotated[bool, typer.Option("--no-endpoints", help="Do not log in at partners' servers.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Look this installation over: versions, databases, clocks, keys, Airflow, DAGs, pools, endpoints, leftovers.

    Ends with 1 when something has to be mended; every line that is not well says how.
    """
    settings = current_settings()
    if stop:
        _stop(settings, as_json=as_json)
    elif recover:
        _recover(settings, since.date() if since else None, acting_user(by), dry_run=dry_run, as_json=as_json)
    else:
        _examine(settings, since.date() if since else None, with_endpoints=not no_endpoints, as_json=as_json)


def _examine(settings: Settings, since: date | None, *, with_endpoints: bool, as_json: bool) -> None:
    found = []
    # What Airflow's own logging writes to standard output while it is imported must not stand among the JSON.
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        for finding in _findings(settings, since, with_endpoints=with_endpoints):
            found.append(finding)
            if not as_json:
                _print(finding)
    ill = [finding for finding in found if finding.state == "bad"]
    if as_json:
        print_json({"ok": not ill, "findings": [asdict(finding) for finding in found]})
    else:
        note(f"{len(ill)} of {len(found)} have to be mended." if ill else "All is well.")
    if ill:
        raise typer.Exit(BAD)


def _print(finding: Finding) -> None:
    sign, color = _SIGNS[finding.state]
    typer.echo(f"{typer.style(f'{sign:<4}', fg=color)} {finding.check}: {finding.text}")
    if finding.advice and finding.state != "good":
        typer.echo(f"       {finding.advice}")


def _findings(settings: Settings, since: date | None, *, with_endpoints: bool) -> Iterator[Finding]:
    """Yield what is found, from what everything rests on upwards."""
    from command_line.checkup import machine
    from command_line.checkup.finding import findings_of

    yield from findings_of("Python", machine.python)
    yield from findings_of("packages", machine.packages)
    yield from findings_of("disk", partial(machine.disk, settings))
    yield from findings_of("keys", partial(machine.keys, settings))
    yield from findings_of("processes", partial(machine.leftovers, settings))
    books: list[Ledger] = []
    yield from findings_of("ledger", lambda: _books(settings, since, books))
    for ledger in books:
        yield from findings_of("Airflow", lambda ledger=ledger: _airflow(settings, ledger, with_endpoints))  # type: ignore[misc]


def _books(settings: Settings, since: date | None, usable: list[Ledger]) -> Iterator[Finding]:
    """Look at the ledger, and put it into ``usable`` where it answers and has the schema that is known here."""
    from command_line.checkup import books
    from command_line.checkup.finding import findings_of
    from data_connections.landing import Landing
    from data_connections.ledger import Ledger
    from data_connections.postgres import ledger_url

    ledger, landing = Ledger(ledger_url(settings)), Landing(settings.landing_url)
    yield from books.server(ledger)
    yield from books.clock(ledger)
    schema = list(books.schema(ledger))
    yield from schema
    if any(finding.state == "bad" for finding in schema):
        return
    usable.append(ledger)
    yield from books.standstill(ledger)
    yield from books.reports_role(ledger)
    yield from books.locks(ledger)
    yield from findings_of("landing area", lambda: books.landing_area(ledger, landing))
    yield from findings_of("recovery", lambda: books.completeness(ledger, landing, since))


def _airflow(settings: Settings, ledger: Ledger, with_endpoints: bool) -> Iterator[Finding]:
    from command_line.airflow_api import AirflowApi
    from command_line.airflow_process import enter_airflow
    from command_line.checkup.airflow import RunningAirflow, metadata_schema
    from command_line.checkup.endpoints import endpoints
    from command_line.checkup.finding import findings_of
    from data_connections.catalog import all_current

    connections = all_current(ledger)
    running = RunningAirflow(AirflowApi(settings, timeout=10), connections)
    enter_airflow(settings)
    yield from findings_of("Airflow", running.services)
    yield from findings_of("DAGs", lambda: chain(running.dags(), running.pools()))
    yield from findings_of("Airflow's database", metadata_schema)
    if with_endpoints:
        yield from findings_of("endpoints", lambda: endpoints(connections))


def _recover(settings: Settings, since: date | None, who: str, *, dry_run: bool, as_json: bool) -> None:
    from data_connections.landing import Landing
    from data_connections.steps import recovery

    ledger, landing = open_ledger(settings), Landing(settings.landing_url)
    missing = recovery.find_missing(ledger, landing, since)
    done = (
        [{**each.as_json(), "state": None} for each in missing]
        if dry_run
        else recovery.recover(ledger, landing, missing, who)
    )
    if as_json:
        print_json(done)
    elif done:
        columns = ("lack", "connection", "file", "at", "state", "obstacle")
        print_table(columns, ([each[name] for name in columns] for each in done))
        note("Nothing was changed (--dry-run)." if dry_run else "Deliveries were noted, and not sent again.")
    else:
        note("The ledger lacks nothing that the landing area knows.")
    if any(each["obstacle"] or each["state"] in (None, "quarantined") for each in done):
        raise typer.Exit(BAD)


def _stop(settings: Settings, *, as_json: bool) -> None:
    """Stop what no supervisor looks after.

    Raises:
        ConfigurationError: A supervisor does.
    """
    from local_stack import Stack

    stack = Stack(settings)
    if stack.is_supervised():
        raise ConfigurationError(f"The stack of {settings.home} runs, and is looked after; `make down` stops it.")
    try:
        stopped = stack.down()
    except ConnectionsError as left:
        note(str(left))
        raise typer.Exit(BAD) from left
    if as_json:
        print_json({"stopped": stopped})
    else:
        note("Stopped; nothing is left running." if stopped else "Nothing was running.")
