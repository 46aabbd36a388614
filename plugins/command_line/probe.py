"""`connections test`: connect as a run would, and say step by step what works."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from command_line.exits import BAD
from command_line.output import AsJson, print_json
from command_line.session import current_settings, open_ledger


def try_out(name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)], as_json: AsJson = False) -> None:
    """Try a connection out: credentials, host key, login, folder, rights; everything is put back.

    Nothing of the partner's is taken or changed. Exit code 1 when something does not work.
    """
    from command_line.airflow_process import enter_airflow
    from data_connections.catalog import current

    settings = current_settings()
    spec = current(open_ledger(settings), name).spec
    enter_airflow(settings)
    from hooks.trial import trial

    steps = []
    for step in trial(spec):
        steps.append(step)
        if not as_json:
            sign = typer.style("ok", fg="green") if step.ok else typer.style("failed", fg="red", bold=True)
            typer.echo(f"{sign:<6} {step.name}: {step.message}")
    works = all(step.ok for step in steps)
    if as_json:
        print_json({"name": name, "ok": works, "steps": [asdict(step) for step in steps]})
    if not works:
        raise typer.Exit(BAD)
