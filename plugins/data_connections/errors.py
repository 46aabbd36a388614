"""Every error of Connections, grouped by what whoever runs the step should do about it.

* ConnectionsError
  - ConfigurationError         wrong use or configuration: mend it, nothing was changed
    + UnknownName                something was named that does not exist
    + Mistakes                   several at once, each with its place
  - FileRefused                the whole file is quarantined: final, the sender has to act
  - EndpointError              the place files come from or go to did not do its part
    + RetriableEndpointError     trying again later may help
      · FileChanged                the file was not the same before and after it was read
    + FatalEndpointError         trying again does not help: login, host key, folder
      · EndpointFileExists         a file of that name is there and must not be overwritten
      · EndpointFolderMissing      the folder is not there
    + EndpointFileMissing        the file is no longer there
  - StandsStill                somebody stopped it for now: wait, it goes on when they let it
  - LedgerError                the database that keeps the books
    + LedgerUnavailable          trying again later may help
    + OutOfTurn                  an earlier file of the connection is not finished: try again later
    + SealBroken                 staged rows are not the validated ones: stage them again
    + TotalsMismatch             the books do not add up: nothing was applied
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path


class ConnectionsError(Exception):
    """Root of all errors that Connections raises on purpose; its text is fit to show to a user."""


class ConfigurationError(ConnectionsError):
    """Something that a person wrote cannot be used as it is.

    Args:
        message: What is wrong, as a sentence.
        path: The file it stands in.
        line: 1-based line in that file, where known.
        field: Dotted name of the field.
        suggestion: The nearest valid value.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Path | str | None = None,
        line: int | None = None,
        field: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        self.message = message
        self.path = path
        self.line = line
        self.field = field
        self.suggestion = suggestion
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line) if part is not None)
        subject = f"{self.field}: " if self.field else ""
        hint = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{place + ': ' if place else ''}{subject}{self.message}{hint}"


class UnknownName(ConfigurationError):
    """A connection, data type, report or other named thing does not exist.

    Args:
        kind: What it would be, such as `connection`.
        name: The name that nothing has.
        known: The names that there are.
        instead: What to say where the names that there are cannot be listed.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, instead: str | None = None) -> None:
        choices = sorted(known)
        listed = f"Known: {', '.join(choices[:10])}." if choices else "None is defined yet."
        super().__init__(
            f"There is no {kind} {name!r}. {listed if instead is None else instead}".rstrip(),
            suggestion=nearest(name, choices),
        )


class Mistakes(ConfigurationError):
    """Every mistake that was found, in the order of the files."""

    def __init__(self, mistakes: Iterable[ConfigurationError]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class FileRefused(ConnectionsError):
    """A whole file cannot be taken; none of its rows is read.

    Args:
        code: Stable code, such as ``UNCLOSED_QUOTE``.
        message: What is wrong and what to do, as a sentence.
        line: 1-based physical line at which it shows, where known.
        options: Keys and values of the connection's ``format`` that would read the file.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        line: int | None = None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.line = line
        self.options = dict(options) if options else {}
        super().__init__(f"{code}: {message}" + (f" (line {line})" if line is not None else ""))


class EndpointError(ConnectionsError):
    """The place files come from or go to did not do its part."""


class RetriableEndpointError(EndpointError):
    """Network trouble, a time-out or a busy server: trying again later may help."""


class FileChanged(RetriableEndpointError):
    """A remote file was not the same before and after it was read; it may still be growing."""


class FatalEndpointError(EndpointError):
    """Wrong login, host key, folder or rights: trying again does not help."""


class EndpointFileExists(FatalEndpointError):
    """A file of that name is there already, and nothing is overwritten unasked."""


class EndpointFolderMissing(FatalEndpointError):
    """A remote folder is not there, or not for this login."""


class EndpointFileMissing(EndpointError):
    """A remote file is no longer there."""


class StandsStill(ConnectionsError):
    """Somebody stopped this for now; nothing was lost, and it goes on when they let it."""


class LedgerError(ConnectionsError):
    """The database that keeps the books did not do its part."""


class LedgerUnavailable(LedgerError):
    """The ledger cannot be reached: trying again later may help."""


class OutOfTurn(LedgerError):
    """An earlier file of the connection has to be finished first: trying again later may help."""


class SealBroken(LedgerError):
    """Staged rows are not the ones that were validated; they have to be staged again."""


class TotalsMismatch(LedgerError):
    """The totals of a submission do not add up, so nothing of it was applied."""


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice most like ``word``, or None when none is alike."""
    lowered = {choice.lower(): choice for choice in choices}
    matches = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return lowered[matches[0]] if matches else None
