"""The command `connections`: every command by its name; each module imports what is heavy only when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from command_line import (
    apply,
    backfill,
    browse,
    check,
    credentials,
    data_types,
    deliveries,
    doctor,
    drain,
    expected,
    explain,
    export,
    gateway,
    incidents,
    probe,
    reference,
    report,
    retention,
    run,
    schema,
    shards,
    standstill,
    submissions,
    submit,
    template,
)
from command_line.exits import ReportingGroup

app = typer.Typer(
    name="connections",
    cls=ReportingGroup,
    help="Configured file transfers between a partnership platform and its partners.",
    epilog="Exit codes: 0 done, 1 what was asked about is bad, 2 wrong use or configuration.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: rich's own takes a third of a second to import
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root(
    context: typer.Context,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show where in the code an error came from.")
    ] = False,
) -> None:
    """Configured file transfers between a partnership platform and its partners."""
    context.obj = {"verbose": verbose}


CONFIGURE = "Configure connections"
app.command(rich_help_panel=CONFIGURE)(apply.apply)
app.command(rich_help_panel=CONFIGURE)(export.export)
app.command("list", rich_help_panel=CONFIGURE)(browse.list_connections)
app.command(rich_help_panel=CONFIGURE)(browse.show)
app.command(rich_help_panel=CONFIGURE)(schema.schema)

TRY = "Try files and connections"
app.command("test", rich_help_panel=TRY)(probe.try_out)
app.command(rich_help_panel=TRY)(check.check)
app.command(rich_help_panel=TRY)(template.template)

RUN = "Run, and see what happened"
app.command(rich_help_panel=RUN)(submit.submit)
app.add_typer(submissions.submissions, name="submissions", rich_help_panel=RUN)
app.command(rich_help_panel=RUN)(run.run)
app.command(rich_help_panel=RUN)(backfill.backfill)
app.command(rich_help_panel=RUN)(browse.history)
app.command(rich_help_panel=RUN)(expected.expected)
app.command(rich_help_panel=RUN)(incidents.incidents)
app.command(rich_help_panel=RUN)(report.report)
app.command(rich_help_panel=RUN)(explain.explain)
app.add_typer(deliveries.deliveries, name="deliveries", rich_help_panel=RUN)

INSTALLATION = "This installation"
app.add_typer(credentials.credentials, name="credentials", rich_help_panel=INSTALLATION)
app.add_typer(data_types.data_types, name="data-types", rich_help_panel=INSTALLATION)
app.command(rich_help_panel=INSTALLATION)(doctor.doctor)
app.command(rich_help_panel=INSTALLATION)(drain.drain)
app.command(rich_help_panel=INSTALLATION)(standstill.halt)
app.add_typer(standstill.maintenance, name="maintenance", rich_help_panel=INSTALLATION)
app.add_typer(gateway.gateway, name="gateway", rich_help_panel=INSTALLATION)
app.command(rich_help_panel=INSTALLATION)(retention.retention)
app.add_typer(reference.reference, name="reference", rich_help_panel=INSTALLATION)
app.command(rich_help_panel=INSTALLATION)(shards.shards)

if __name__ == "__main__":
    app()
