"""Whom a connection's troubles are told to, and which of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from data_connections.errors import ConfigurationError

Trouble = Literal["failed", "rejects", "held", "locking", "late", "unusual"]
AirflowConnection = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,200}$")]


def _is_address(address: str) -> str:
    try:
        validate_email(address, check_deliverability=False, globally_deliverable=False, test_environment=True)
    except EmailNotValidError as wrong:
        raise ValueError(f"{address!r} is no e-mail address: {str(wrong).rstrip('.')}") from wrong
    return address


EmailAddress = Annotated[str, AfterValidator(_is_address)]


class Alerts(BaseModel):
    """Whom a connection's troubles are told to; its channels' secrets stand in Airflow's connections, never here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: tuple[EmailAddress, ...] = Field(
        default=(), description="Addresses that get a mail, by Airflow's smtp_default."
    )
    slack: AirflowConnection | None = Field(
        default=None, description="Airflow connection of a Slack webhook, such as slack_default."
    )
    apprise: AirflowConnection | None = Field(
        default=None, description="Airflow connection with the URLs of any service that Apprise knows."
    )
    about: tuple[Trouble, ...] = Field(
        default=("failed", "rejects", "held", "locking", "late", "unusual"),
        description="Which troubles are told: a failed run, more rejected rows than `rejects_over`, a file on hold, "
        "actions that lock before the connection runs again; "
        "of what `expects` lists: files that are not there in time, and files that are not as usual.",
    )
    rejects_over: int | None = Field(
        default=None, ge=0, description="More rejected rows in a run than this are told, though it did not fail."
    )
    again_after: Annotated[timedelta, Field(gt=timedelta(0))] = Field(
        default=timedelta(hours=24), description="A trouble that goes on is told again after this time."
    )

    @classmethod
    def of_installation(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return whom the troubles of the whole installation are told to, which belong to no connection.

        Args:
            environment: Has ``CONNECTIONS_ALERT_EMAIL`` (addresses with commas between them), and
                ``CONNECTIONS_ALERT_SLACK`` and ``CONNECTIONS_ALERT_APPRISE`` (names of Airflow connections).

        Raises:
            ConfigurationError: One of them is no address, or no name.
        """
        given = environment.get("CONNECTIONS_ALERT_EMAIL", "")
        addresses = tuple(address for each in given.split(",") if (address := each.strip()))
        slack, apprise = (environment.get(f"CONNECTIONS_ALERT_{name}") or None for name in ("SLACK", "APPRISE"))
        try:
            return cls(email=addresses, slack=slack, apprise=apprise)
        except ValidationError as wrong:
            first = wrong.errors()[0]
            name = f"CONNECTIONS_ALERT_{str(first['loc'][0]).upper()}"
            raise ConfigurationError(f"{name}: {first['msg'].removeprefix('Value error, ')}.", field=name) from None
