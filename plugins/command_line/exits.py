"""The one place where an error becomes a sentence on standard error and an exit code."""

from __future__ import annotations

import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from command_line.output import complain
from data_connections.errors import ConfigurationError, ConnectionsError, LedgerUnavailable, Mistakes

BAD = 1
"""The thing asked about is bad: rows were rejected, a test failed."""

WRONG = 2
"""Wrong use or configuration; nothing was done."""


class ReportingGroup(TyperGroup):
    """Runs a command; our own errors end as sentences, never as tracebacks (but with ``--verbose``)."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except ConnectionsError as error:
            if (ctx.obj or {}).get("verbose"):
                traceback.print_exception(error)
            for each in error.mistakes if isinstance(error, Mistakes) else (error,):
                complain(each)
            raise typer.Exit(exit_code(error)) from None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands under the headings that they were added with."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            heading = getattr(command, "rich_help_panel", None)
            line = (name, command.get_short_help_str(limit=200))
            sections.setdefault(heading if isinstance(heading, str) else "Commands", []).append(line)
        for heading, lines in sections.items():
            with formatter.section(heading):
                formatter.write_dl(lines)


def exit_code(error: ConnectionsError) -> int:
    """Return the exit code that ``error`` ends a command with."""
    return WRONG if isinstance(error, ConfigurationError | LedgerUnavailable) else BAD
