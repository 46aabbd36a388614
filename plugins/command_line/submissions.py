"""`connections submissions`: the inbound files, what became of each, and deciding about those that wait."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from command_line.exits import BAD
from command_line.moments import moment
from command_line.output import AsJson, note, print_json, print_table
from command_line.pgp_keys import pgp_keys
from command_line.session import By, acting_user, current_settings, open_ledger
from command_line.submit import exit_code, print_submission
from data_connections.currencies import money

submissions = typer.Typer()

_COUNTS = ("rows", "accepted", "rejected", "duplicate", "held")
_LISTED = ("id", "connection", "file_name", "state", *_COUNTS, "received_at", "message")
Which = Annotated[str, typer.Argument(metavar="ID", help="Number or trace id.", show_default=False)]


Only = Annotated[str | None, typer.Option("--connection", "-c", help="Only this connection.")]
States = Annotated[list[str] | None, typer.Option("--state", "-s", help="Only this state; may be given again.")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Only those claimed since, ISO 8601.")]
Find = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT", help="Part of a file name, a trace id, the first 8 or more digits of a SHA-256, an order id."
    ),
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest first.")]


@submissions.callback(invoke_without_command=True)
def submissions_root(
    context: typer.Context,
    connection: Only = None,
    state: States = None,
    since: Since = None,
    find: Find = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show inbound files and what became of them, the newest first; approve or refuse those on hold."""
    if context.invoked_subcommand is None:
        list_submissions(connection, state, since, find, limit, as_json)


@submissions.command("list")
def list_submissions(
    connection: Only = None,
    state: States = None,
    since: Since = None,
    find: Find = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List inbound files, the newest first: submissions, and files that were seen and not taken, with the reason."""
    from data_connections.endpoints.arrival import IN_WORDS
    from data_connections.errors import UnknownName
    from data_connections.ledger.files_seen import NOT_TAKEN, files_seen
    from data_connections.ledger.submission import FINAL, UNFINISHED

    states = (*UNFINISHED, *FINAL, NOT_TAKEN)
    for wanted in state or ():
        if wanted not in states:
            raise UnknownName("state", wanted, states)
    after = moment(since, "--since")
    with open_ledger().connect() as ledger:
        rows = files_seen(ledger, connection_name=connection, states=state or (), since=after, find=find, limit=limit)
    for row in rows:
        if row["state"] == NOT_TAKEN:
            row["message"] = f"Not taken: {IN_WORDS.get(row['code'], row['code'])}."
    if as_json:
        print_json(rows)
    elif rows:
        print_table([name.replace("_", " ") for name in _LISTED], ([row[name] for name in _LISTED] for row in rows))
    else:
        note("No file fits.")


@submissions.command("show")
def show_submission(which: Which, as_json: AsJson = False) -> None:
    """Show one submission: its counts, money, and the errors of its rows."""
    from data_connections.steps.description import described

    ledger = open_ledger()
    _show(described(ledger, _find(ledger, which)), as_json=as_json)


@submissions.command("finish")
def finish_submission(which: Which, as_json: AsJson = False) -> None:
    """Go on with a submission whose process died; one that is final, or on hold, stays as it is."""
    from data_connections.landing import Landing
    from data_connections.steps import manual

    settings = current_settings()
    ledger = open_ledger(settings)
    done = manual.finish(ledger, Landing(settings.landing_url), _find(ledger, which), keys=pgp_keys(settings))
    _show(done, as_json=as_json)
    raise typer.Exit(exit_code(done))


@submissions.command("approve")
def approve_submission(which: Which, by: By = None, as_json: AsJson = False) -> None:
    """Approve a submission that is on hold, and apply it.

    The sender gets its result files from the connection's next run.
    """
    from data_connections.landing import Landing
    from data_connections.steps import approval, manual

    settings = current_settings()
    ledger = open_ledger(settings)
    number = _find(ledger, which)
    approval.approve(ledger, number, acting_user(by))
    done = manual.finish(ledger, Landing(settings.landing_url), number)
    _show(done, as_json=as_json)
    raise typer.Exit(BAD if done["rejected"] else 0)


@submissions.command("refuse")
def refuse_submission(
    which: Which,
    reason: Annotated[str, typer.Option(help="Why; the sender reads it.")] = "",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Refuse a submission that is on hold: nothing of it is applied."""
    from data_connections.steps import approval
    from data_connections.steps.description import described

    ledger = open_ledger()
    number = _find(ledger, which)
    approval.refuse(ledger, number, acting_user(by), reason)
    _show(described(ledger, number), as_json=as_json)


@submissions.command("replay")
def replay_submission(
    which: Which,
    original_revision: Annotated[
        bool, typer.Option("--original-revision", help="Judge by the revision of then, not by today's.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before anything is applied.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference, and apply nothing.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Judge the kept original of a submission once more; shows the difference in outcomes first."""
    from data_connections.landing import Landing
    from data_connections.steps import manual, replay

    settings = current_settings()
    ledger, landing = open_ledger(settings), Landing(settings.landing_url)
    number = _find(ledger, which)
    difference = replay.preview(ledger, landing, number, original_revision=original_revision)
    if dry_run and as_json:
        print_json(difference.as_json())
    elif not as_json:
        print_table(("", "then", "now"), difference.lines())
        note("Rows that the ledger has already are duplicates now.")
    if dry_run:
        raise typer.Exit(0)
    if not yes:
        typer.confirm("Take it again?", abort=True)
    again = replay.take_again(ledger, number, who=acting_user(by), original_revision=original_revision)
    done = manual.finish(ledger, landing, again, keys=pgp_keys(settings))
    _show(done, as_json=as_json)
    raise typer.Exit(exit_code(done))


@submissions.command("withdraw")
def withdraw_submission(
    which: Which,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be undone, and undo nothing.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Undo what a submission did to actions that are not locked, and list what cannot be undone.

    Ends with 1 when something cannot be undone.
    """
    from datetime import UTC, datetime

    from data_connections.steps.withdrawal import withdraw

    ledger = open_ledger()
    number = _find(ledger, which)
    done = withdraw(ledger, number, datetime.now(UTC), who=acting_user(by), dry_run=dry_run)
    if as_json:
        print_json({"submission": number, "dry_run": dry_run, "undone": done.undone, "kept": done.kept})
    else:
        columns = ("public_id", "order_id", "currency", "state", "amount", "old_state", "old_amount", "obstacle")
        names = ("action", "order", "currency", "state", "amount", "back to", "amount then", "not undone because")
        print_table(names, ([_shown(each, name) for name in columns] for each in (*done.undone, *done.kept)))
        note(
            f"{len(done.undone)} of {len(done.undone) + len(done.kept)} actions "
            f"{'would go back (nothing was: --dry-run)' if dry_run else 'went back to what they were'}"
        )
    raise typer.Exit(BAD if done.kept else 0)


def _shown(action: dict[str, Any], name: str) -> Any:
    return (
        money(action[name], action["currency"])
        if name.endswith("amount") and action[name] is not None
        else action[name]
    )


def _find(ledger: Any, which: str) -> int:
    from data_connections.ledger import submissions as records

    with ledger.connect() as connection:
        return records.find(connection, which).id


def _show(done: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(done)
    else:
        print_submission(done)
