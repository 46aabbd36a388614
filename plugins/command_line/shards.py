"""`connections shards`: how many generator files Airflow's DAG processors share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from command_line.output import AsJson, note, print_json


def shards(
    number: Annotated[int, typer.Argument(metavar="N", show_default=False, help="From 1 to 64.")],
    folder: Annotated[
        Path | None, typer.Option("--dags-folder", metavar="DIR", help="Airflow's DAGs folder; the project's own.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write N generators of DAGs in place of one: worth it from some 200 connections on.

    Each makes the DAGs of its share of the connections, so that several DAG processors, or several processes of one,
    work side by side. A connection keeps its share for as long as N stays the same. 1 goes back to one file.
    """
    from dag_factory.shards import write_generators
    from data_connections.settings import PROJECT

    there = folder or Path(os.environ.get("AIRFLOW__CORE__DAGS_FOLDER") or PROJECT / "dags")
    written = write_generators(there, number)
    if as_json:
        print_json({"shards": number, "files": written})
        return
    for path in written:
        typer.echo(path)
    note("Airflow takes them up the next time that it looks into the folder.")
