"""What a look at an installation found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from data_connections.errors import ConnectionsError

State = Literal["good", "warning", "bad", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What was looked at, in a word or two.
        state: ``bad`` is what has to be mended, ``warning`` what should be; ``skipped`` could not be looked at.
        text: What was found, as a sentence; holds no secret.
        advice: What to do; empty where nothing has to be done.
    """

    check: str
    state: State
    text: str
    advice: str = ""


Check = Callable[[], Iterable[Finding]]


def good(check: str, text: str) -> Finding:
    """Return a finding about something that is as it should be."""
    return Finding(check, "good", text)


def bad(check: str, text: str, advice: str) -> Finding:
    """Return a finding about something that has to be mended."""
    return Finding(check, "bad", text, advice)


def warning(check: str, text: str, advice: str) -> Finding:
    """Return a finding about something that should be mended."""
    return Finding(check, "warning", text, advice)


def findings_of(name: str, check: Check) -> Iterator[Finding]:
    """Yield what a check finds; an error of ours that ends it is a finding, too."""
    try:
        yield from check()
    except ConnectionsError as trouble:
        yield bad(name, str(trouble), "Mend this first; what depends on it was not looked at.")
