"""What a command works with: the settings, the ledger, and who runs it."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from data_connections.settings import Settings

if TYPE_CHECKING:
    from data_connections.catalog import Known
    from data_connections.ledger import Ledger

By = Annotated[
    str | None,
    typer.Option("--by", metavar="WHO", envvar="CONNECTIONS_BY", help="Who does this; the system's user if left out."),
]
"""The option ``--by`` of every command that changes something: its name in the activity log."""


def current_settings() -> Settings:
    """Return the settings of the environment."""
    return Settings.from_environment()


def open_ledger(settings: Settings | None = None) -> Ledger:
    """Return the ledger, with its newest schema; starts the embedded PostgreSQL where no URL is set.

    Raises:
        LedgerUnavailable: It does not answer.
    """
    from data_connections.ledger import Ledger, bring_up_to_date
    from data_connections.postgres import ledger_url

    ledger = Ledger(ledger_url(settings or current_settings()))
    bring_up_to_date(ledger)
    return ledger


def acting_user(by: str | None = None) -> str:
    """Return who is to stand in the activity log."""
    return by or getpass.getuser()


def known_names(settings: Settings, ledger: Ledger) -> Known:
    """Return the data types, reports and programs that a spec may name here."""
    from data_connections.steps import known_names as steps

    return steps.known_names(ledger, settings)
