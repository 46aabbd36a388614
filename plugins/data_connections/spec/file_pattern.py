"""File patterns: ``*`` any run, ``?`` one character, ``{date:%Y_%m_%d}`` the business date, the rest as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from data_connections.errors import ConfigurationError

_DIRECTIVES = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%m": r"(?:0[1-9]|1[0-2])",
    "%b": r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
    "%d": r"(?:0[1-9]|[12]\d|3[01])",
    "%j": r"(?:[0-2]\d\d|3[0-5]\d|36[0-6])",
    "%H": r"(?:[01]\d|2[0-3])",
    "%M": r"[0-5]\d",
    "%S": r"[0-5]\d",
    "%%": "%",
}
_DATE = re.compile(r"\{date:([^{}]*)\}")
_PART = re.compile(r"%.|.", re.DOTALL)


@dataclass(frozen=True)
class FilePattern:
    """A compiled pattern for the names of files; matching is by whole name and case-sensitive.

    Raises:
        ConfigurationError: A brace is not part of ``{date:...}``, or the date has no year or an unknown directive.

    Example:
        ```python
        daily = FilePattern("Conversions_{date:%Y%m%d}_*.csv")
        daily.business_date("Conversions_20261122_a.csv")  # date(2026, 11, 22)
        ```
    """

    text: str

    def __post_init__(self) -> None:
        _ = self._regex

    @cached_property
    def _date_format(self) -> str | None:
        formats: list[str] = _DATE.findall(self.text)
        if len(formats) > 1:
            raise ConfigurationError(f"The pattern {self.text!r} has more than one {{date:...}}; one is allowed.")
        if formats and not {"%Y", "%y"} & set(_PART.findall(formats[0])):
            raise ConfigurationError(
                f"The date in the pattern {self.text!r} has no year.",
                suggestion=_DATE.sub("{date:%Y_%m_%d}", self.text),
            )
        return formats[0] if formats else None

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        if set(self.text) & {"/", "\0"} or not self.text:
            raise ConfigurationError(f"The pattern {self.text!r} has to be a file name: the folder is its own field.")
        date_format = self._date_format
        plain = _DATE.sub("\0", self.text)
        if set(plain) & set("{}"):
            raise ConfigurationError(
                f"The pattern {self.text!r} has a brace that is not part of {{date:...}}, such as {{date:%Y_%m_%d}}."
            )
        chunks = [self._chunk(chunk, date_format) for chunk in re.sub(r"\*+", "*", plain).split("*")]
        return re.compile(_joined(chunks), re.DOTALL)

    def _chunk(self, chunk: str, date_format: str | None) -> str:
        return "".join(self._piece(character, date_format) for character in chunk)

    def _piece(self, character: str, date_format: str | None) -> str:
        if character == "?":
            return "."
        if character == "\0":
            return f"(?P<date>{''.join(map(self._directive, _PART.findall(date_format or '')))})"
        return re.escape(character)

    def _directive(self, part: str) -> str:
        if len(part) == 1 and part != "%":
            return re.escape(part)
        try:
            return _DIRECTIVES[part]
        except KeyError:
            raise ConfigurationError(
                f"{part!r} in the date of the pattern {self.text!r} is not known; these are: {', '.join(_DIRECTIVES)}."
            ) from None

    @property
    def has_date(self) -> bool:
        """Whether names that match carry a business date."""
        return self._date_format is not None

    def matches(self, name: str) -> bool:
        """Whether ``name`` is one of the pattern's; a date in it has to exist in the calendar."""
        match = self._regex.fullmatch(name)
        return match is not None and (not self.has_date or self._date_of(match) is not None)

    def business_date(self, name: str) -> date | None:
        """Return the date in ``name``; None where the pattern has none or does not match. Days left out are the 1st."""
        match = self._regex.fullmatch(name)
        return self._date_of(match) if match is not None and self.has_date else None

    def _date_of(self, match: re.Match[str]) -> date | None:
        date_format = self._date_format or ""
        try:
            found = datetime.strptime(match["date"], date_format)  # noqa: DTZ007 - a day has no zone
        except ValueError:
            return None
        # Day 366 of a common year, or two parts that contradict each other, read as some other day.
        return found.date() if found.strftime(date_format) == match["date"] else None


def _joined(chunks: list[str]) -> str:
    """Put the chunks between stars together as ``fnmatch`` does: atomic groups keep matching linear."""
    if len(chunks) == 1:
        return chunks[0]
    first, *middle, last = chunks
    return first + "".join(f"(?>.*?{chunk})" for chunk in middle) + f".*{last}"
