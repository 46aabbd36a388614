"""`python -m local_stack up|down|demo`: what `make up`, `make down` and `make demo` run."""

from __future__ import annotations

import os
import sys
import time

import typer
from rich.console import Console

from data_connections.errors import ConfigurationError, ConnectionsError
from data_connections.gateway.configuration import GatewayAddress, GatewayConfiguration
from data_connections.settings import Settings
from local_stack.ports import FTP_PORT, HTTPS_PORT, SFTP_PORT, SMTP_PORT, free_port_near
from local_stack.stack import Stack
from local_stack.supervision import gateway_program

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
_console = Console(highlight=False)


@app.command()
def up() -> None:
    """Start Airflow, its database and the ledger, and leave them running."""
    began = time.monotonic()
    stack = Stack(Settings.from_environment(), progress=lambda words: _tell(words, began))
    wanted = {"SFTP": SFTP_PORT, "FTP": FTP_PORT, "SMTP": SMTP_PORT, "HTTPS": HTTPS_PORT}
    stack.up(more=(gateway_program({protocol: _port(protocol, port) for protocol, port in wanted.items()}),))
    name, _ = stack.login
    _console.print(f"\nConnections runs at [bold]{stack.url}[/bold]")
    _console.print(f"  login     {name}, with the password in {stack.password_file}", soft_wrap=True)
    _console.print(f"  logs      {stack.logs}", soft_wrap=True)
    address = GatewayAddress.find(GatewayConfiguration.from_environment(stack.settings))
    served = f"SFTP at port {address.sftp_port}, FTPS at port {address.ftp_port}, SMTP at port {address.smtp_port}"
    _console.print(f"  gateway   {address.host}, {served}; see `connections gateway --help`")
    _console.print("  stop it   make down")


def _port(protocol: str, wanted: int) -> int:
    """Return the port that was asked for, or one that is free."""
    asked = os.environ.get(f"CONNECTIONS_GATEWAY_{protocol}_PORT")
    return int(asked) if asked and asked.isdigit() else free_port_near(wanted)


@app.command()
def down() -> None:
    """Stop every process of this installation, and of a demo that was killed."""
    from local_stack.demo import demo_settings

    began = time.monotonic()
    settings = Settings.from_environment()
    stacks = [Stack(each, progress=lambda words: _tell(words, began)) for each in (settings, demo_settings(settings))]
    stopped = [stack.down() for stack in stacks]
    _console.print("Stopped; nothing is left running." if any(stopped) else "Nothing was running.")


@app.command()
def demo() -> None:
    """Run the main job for real and check every effect of it."""
    from local_stack.demo import run_demo

    raise typer.Exit(run_demo(Settings.from_environment()))


def main() -> None:
    """Run the command line; an error of ours is a sentence and an exit code."""
    try:
        app()
    except ConnectionsError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)


def _tell(words: str, began: float) -> None:
    _console.print(f"[dim]{time.monotonic() - began:5.1f} s[/dim]  {words}", soft_wrap=True)


if __name__ == "__main__":
    main()
