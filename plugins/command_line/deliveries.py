"""`connections deliveries`: the outbound files, what became of each, and deciding about those that wait."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from command_line.out_file import out_file
from command_line.output import AsJson, note, print_fields, print_json, print_table
from command_line.session import By, acting_user, current_settings, open_ledger

if TYPE_CHECKING:
    from data_connections.ledger.delivery import Delivery

deliveries = typer.Typer(help="Show outbound files and what became of them; send or refuse those that wait.")
Which = Annotated[str, typer.Argument(metavar="ID", help="Number or trace id.", show_default=False)]

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
    from data_connections.ledger.delivery import STATES

    for wanted in state or ():
        if wanted not in STATES:
            raise UnknownName("state", wanted, STATES)
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
    which: Which,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the bytes that were sent here.")
    ] = None,
    number: Annotated[int | None, typer.Option("--file", min=1, help="With --out: which of several files.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show one delivery with its totals; with --out, write the kept bytes to a file."""
    from data_connections.ledger import deliveries as records

    settings = current_settings()
    with open_ledger(settings).connect() as connection:
        delivery = records.find(connection, which)
    if out is not None:
        _write_kept(settings.landing_url, _chosen(delivery, number), out)
    if as_json:
        print_json(asdict(delivery))
        return
    fields = asdict(delivery)
    files, totals = fields.pop("files"), fields.pop("totals")
    print_fields({name.replace("_", " "): value for name, value in fields.items()})
    print_table([name.replace("_", " ") for name in files[0]], (file.values() for file in files))
    names = list(dict.fromkeys(name for group in totals.values() for name in group))
    if names:
        print_table(["", *names], ([group, *numbers.values()] for group, numbers in totals.items()))


@deliveries.command("send")
def send_deliveries(
    which: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Numbers or trace ids.", show_default=False)
    ] = None,
    of: Annotated[
        str | None, typer.Option("--connection", "-c", metavar="NAME", help="All that wait of this connection.")
    ] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Let deliveries go that wait for approval: a run for each sends the kept bytes.

    Doing it twice changes nothing; one that failed on its way is tried again.
    """
    from command_line.airflow_api import AirflowApi
    from command_line.start_run import start_named_run
    from data_connections.catalog import current
    from data_connections.ledger import deliveries as records
    from data_connections.ledger import held_deliveries as held
    from data_connections.steps.held_deliveries import SEND, approve

    settings = current_settings()
    ledger = open_ledger(settings)
    with ledger.connect() as connection:
        found = [records.find(connection, each) for each in which or ()]
        if of is not None:
            stored = current(ledger, of)
            waits = held.waiting(connection, stored.connection_id)
            found += [records.get(connection, each) for each in waits]
    if not which and of is None:
        raise typer.BadParameter("say which, or give --connection", param_hint="ID")
    api = AirflowApi(settings)
    started = []
    for delivery in found:
        run_id = approve(ledger, delivery.id, acting_user(by))
        if run_id is not None:
            start_named_run(api, delivery.connection, run_id, {SEND: delivery.id})
        started.append({"id": delivery.id, "file_name": delivery.file_name, "dag_run_id": run_id})
    if as_json:
        print_json(started)
        return
    for each in started:
        note(
            f"{each['id']} {each['file_name']}: "
            + (f"sent by the run {each['dag_run_id']}" if each["dag_run_id"] else "was delivered before")
        )
    if not started:
        note("No delivery waits for approval.")


@deliveries.command("refuse")
def refuse_delivery(
    which: Which,
    reason: Annotated[str, typer.Option(help="Why; stands with the delivery.")] = "",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Refuse a delivery that waits for approval: it is never sent."""
    from data_connections.ledger import deliveries as records
    from data_connections.steps.held_deliveries import refuse

    ledger = open_ledger()
    with ledger.connect() as connection:
        delivery = records.find(connection, which)
    refuse(ledger, delivery.id, acting_user(by), reason)
    if as_json:
        print_json({"id": delivery.id, "state": "failed"})
    else:
        note(f"{delivery.id} {delivery.file_name}: refused, and not sent.")


def _chosen(delivery: Delivery, number: int | None) -> str:
    """Return where the bytes of one file are kept; the only one, where no number is given."""
    if number is None and len(delivery.files) > 1:
        raise typer.BadParameter(f"the delivery has {len(delivery.files)} files; say which", param_hint="--file")
    if (number or 1) > len(delivery.files):
        raise typer.BadParameter(f"the delivery has {len(delivery.files)} files", param_hint="--file")
    return delivery.files[(number or 1) - 1].landing_key


def _write_kept(landing_url: str, key: str, out: Path) -> None:
    import shutil

    from data_connections.landing import Landing

    with Landing(landing_url).open(key) as source, out_file(out) as target:
        shutil.copyfileobj(source, target)
