"""`connections export`: connections as the YAML files that make them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from command_line.output import note
from command_line.session import current_settings, open_ledger
from data_connections.errors import ConfigurationError, UnknownName


def export(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Left out: every connection.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="One file each; else to standard output.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that differ.")] = False,
) -> None:
    """Write connections as YAML that applies back to the same revision."""
    from data_connections.catalog import all_current
    from data_connections.catalog.export import to_yaml

    stored = {each.name: each for each in all_current(open_ledger(current_settings()))}
    for name in names or ():
        if name not in stored:
            raise UnknownName("connection", name, stored)
    texts = {name: to_yaml(stored[name].spec) for name in names or stored}
    if folder is None:
        sys.stdout.write("---\n".join(texts.values()))
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        path = folder / f"{name}.yaml"
        if path.exists() and path.read_text(encoding="utf-8") != text and not force:
            raise ConfigurationError("This file is there already and differs; overwrite it with --force.", path=path)
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    note(f"{len(texts)} written to {folder}")
