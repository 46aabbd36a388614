"""What the gateway answers when it does not do what a partner's client asks for."""

from __future__ import annotations

from enum import Enum


class Cause(Enum):
    """Why something is refused, in the terms that file protocols share."""

    MISSING = "missing"
    DENIED = "denied"
    EXISTS = "exists"
    FULL = "full"
    INCOMPLETE = "incomplete"


class Refused(Exception):
    """The gateway does not do it; the text is fit for the partner.

    Args:
        cause: Which answer of the protocol fits.
        message: What is wrong and what to do, as a sentence.
    """

    def __init__(self, cause: Cause, message: str) -> None:
        self.cause = cause
        super().__init__(message)
