"""Whom a connection's troubles are told to, and which of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Trouble = Literal["failed", "rejects", "held", "late", "unusual"]
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
        default=("failed", "rejects", "held", "late", "unusual"),
        description="Which troubles are told: a failed run, more rejected rows than `rejects_over`, a file on hold; "
        "of what `expects` lists: files that are not there in time, and files that are not as usual.",
    )
    rejects_over: int | None = Field(
        default=None, ge=0, description="More rejected rows in a run than this are told, though it did not fail."
    )
    again_after: Annotated[timedelta, Field(gt=timedelta(0))] = Field(
        default=timedelta(hours=24), description="A trouble that goes on is told again after this time."
    )
