"""Expat, made safe: no document type, no deep nesting, no token without an end."""

from __future__ import annotations

from collections.abc import Callable
from xml.parsers import expat

from data_connections.errors import FileRefused
from data_connections.formats.blocks import ROW_LIMIT

DEEPEST = 64
"""How many elements may stand inside each other."""

_SEPARATOR = "\x1f"
_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

StartElement = Callable[[str, dict[str, str]], None]
EndElement = Callable[[str], None]
Text = Callable[[str], None]


class SafeParser:
    """Feeds bytes to expat and refuses what a file of rows has no need of.

    Args:
        start: Called with the local name of each element that begins, and its attributes.
        end: Called with the local name of each element that ends.
        text: Called with text, perhaps in parts.
    """

    def __init__(self, start: StartElement, end: EndElement, text: Text | None = None) -> None:
        self._start = start
        self._end = end
        self._depth = 0
        self._silent = 0
        self._expat = expat.ParserCreate("utf-8", _SEPARATOR)
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._begin
        self._expat.EndElementHandler = self._finish
        self._expat.StartDoctypeDeclHandler = self._refuse_doctype
        self._expat.DefaultHandler = self._something
        if text is not None:
            self._expat.CharacterDataHandler = text

    @property
    def line(self) -> int:
        """1-based physical line of what is being told."""
        return self._expat.CurrentLineNumber

    def parse(self, data: bytes, *, final: bool) -> None:
        """Read on.

        Args:
            data: UTF-8.
            final: Whether the file ends with it.

        Raises:
            FileRefused: XML_MALFORMED, XML_DOCTYPE, XML_TOO_DEEP or ROW_TOO_LONG.
        """
        self._silent += len(data)
        try:
            self._expat.Parse(data, final)
        except expat.ExpatError as broken:
            reason = expat.ErrorString(broken.code)
            message = f"The file is no well-formed XML: {reason}, in column {broken.offset + 1} of this line."
            raise FileRefused("XML_MALFORMED", message, line=broken.lineno) from None
        if self._silent > ROW_LIMIT:
            message = "A tag, a comment or a text is longer than 8 MiB."
            raise FileRefused("ROW_TOO_LONG", message, line=self.line)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._silent = 0
        self._depth += 1
        if self._depth > DEEPEST:
            message = f"Elements stand more than {DEEPEST} deep inside each other."
            raise FileRefused("XML_TOO_DEEP", message, line=self.line)
        self._start(_local(name), _own(attributes) if attributes else attributes)

    def _finish(self, name: str) -> None:
        self._silent = 0
        self._depth -= 1
        self._end(_local(name))

    def _something(self, _: str) -> None:
        self._silent = 0

    def _refuse_doctype(self, *_: object) -> None:
        message = "The file has a document type (<!DOCTYPE ...>), which no file of rows needs. Send it without one."
        raise FileRefused("XML_DOCTYPE", message, line=self.line)


def _local(name: str) -> str:
    return name.rpartition(_SEPARATOR)[2]


def _own(attributes: dict[str, str]) -> dict[str, str]:
    """Return attributes by local name, without those that are about the schema."""
    return {_local(name): value for name, value in attributes.items() if not name.startswith(_SCHEMA_INSTANCE)}
