"""`connections submit`: one file through the steps of an inbound connection, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from command_line.exits import BAD
from command_line.moments import moment
from command_line.output import AsJson, note, print_fields, print_json, print_table
from command_line.pgp_keys import pgp_keys
from command_line.session import By, acting_user, current_settings, open_ledger
from data_connections.currencies import money


def submit(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An inbound connection.", show_default=False)],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file.", show_default=False)],
    received_at: Annotated[
        str | None,
        typer.Option("--received-at", metavar="TIME", help="When the file came, ISO 8601; now if left out."),
    ] = None,
    results: Annotated[
        Path | None, typer.Option("--results", metavar="DIR", help="Write receipt, summary and rejects there.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Process it even though the same bytes were fully applied before.")
    ] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Submit a file by hand: keep, validate and apply it as a run would, once.

    Ends with 0, or with 1 when rows were rejected or the file was refused.
    """
    from data_connections.landing import Landing
    from data_connections.steps import manual

    settings = current_settings()
    ledger, landing = open_ledger(settings), Landing(settings.landing_url)
    done = manual.submit(
        ledger,
        landing,
        name,
        file,
        who=acting_user(by),
        received_at=moment(received_at, "--received-at"),
        again=again,
        keys=pgp_keys(settings),
    )
    done["results"] = []
    if results is not None and done["finished_at"]:
        done["results"] = [str(path) for path in manual.write_results(ledger, landing, done["id"], results)]
    if as_json:
        print_json(done)
    else:
        print_submission(done)
    raise typer.Exit(exit_code(done))


def exit_code(done: dict[str, Any]) -> int:
    """Return 1 where rows were rejected or a file was refused, of a parcel in any of its files; else 0."""
    bad = any(one["rejected"] or one["state"] == "quarantined" for one in (done, *(done["members"] or ())))
    return BAD if bad else 0


def print_submission(done: dict[str, Any], *, rows: int = 20) -> None:
    """Print a submission for a person, with the first of its errors."""
    counted = done["waiting"] or done
    counts = ", ".join(f"{counted[name]:,} {name}" for name in ("accepted", "rejected", "duplicate", "held"))
    told = f"{done['warned']:,} with a warning" if done["waiting"] is None else "none counts before it is approved"
    print_fields(
        {
            "Submission": f"{done['id']} of {done['connection']}, trace id {done['trace_id']}",
            "File": done["file"],
            "State": done["state"],
            "Why": f"{done['code']}: {done['message']}" if done["code"] else done["message"],
            "Line": (done["file_error"] or {}).get("line"),
            "Rows": f"{counted['rows']:,}: {counts}; {told}",
            "Accepted": ", ".join(
                f"{money(amount, currency)} {currency}" for currency, amount in done["amounts"].items()
            ),
            "Came in": f"submission {done['parcel']}" if done["parcel"] else None,
            "Duplicate of": done["duplicate_of"],
            "Corrects": done["corrects"],
            "Approved by": done["approved_by"],
            "Received": done["received_at"],
            "Results": "\n".join(done.get("results", [])),
        }
    )
    for warning in done["file_warnings"]:
        note(f"{warning['code']}: {warning['message']}")
    if done["members"]:
        names = ("id", "file", "state", "code", "accepted", "rejected", "duplicate", "held")
        print_table(names, ([one[name] for name in names] for one in done["members"]))
    if done["errors"]:
        columns = ("line", "outcome", "code", "column", "message")
        print_table(columns, ([one[name] for name in columns] for one in done["errors"][:rows]))
    if done["errors_total"] > rows:
        note(f"{done['errors_total'] - rows:,} more; `connections submissions show {done['id']} --json` has them.")
    if done["state"] == "on_hold":
        note(f"Nothing is applied until somebody runs `connections submissions approve {done['id']}`.")
