"""`connections schema`: what editors complete and check spec files by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from command_line.output import print_json
from command_line.session import current_settings


def schema(
    folder: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FOLDER", help="For the files of this folder, beside its _defaults.yaml."),
    ] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="The schema of _defaults.yaml files.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="A reference to read in place of the schema.")] = False,
) -> None:
    """Print the JSON Schema of connection files.

    Put it beside your YAML, and name it in each file's first line:
    # yaml-language-server: $schema=connections.schema.json
    """
    from data_connections.data_types import load_data_types
    from data_connections.reports import load_reports
    from data_connections.spec.documentation import reference
    from data_connections.spec.editing import editor_schema
    from data_connections.spec.loading import DEFAULTS_FILE
    from data_connections.spec.sources import Source

    if markdown:
        typer.echo(reference(), nl=False)
        return
    settings = current_settings()
    data_types, reports = load_data_types(settings.schemas), load_reports(settings.include)
    defaults_file = folder / DEFAULTS_FILE if folder else None
    given = Source.read(defaults_file, holds="defaults").plain() if defaults_file and defaults_file.exists() else {}
    print_json(editor_schema(defaults=defaults, given=given, data_types=data_types, reports=reports))
