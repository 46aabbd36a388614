"""How a file of rows is written: the ``format`` of a connection, and the keys of ``--format KEY=VALUE``."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from data_connections.errors import ConfigurationError, nearest
from data_connections.spec.options import from_options
from data_connections.spec.trailer import Trailer

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " ", "colon": ":"}
_QUOTES = {"none": "", "double": '"', "single": "'", "apostrophe": "'"}
_ESCAPES = {"none": "", "backslash": "\\", "doubled": "doubled"}
_NEWLINES = {"\n": "lf", "\r\n": "crlf", "\r": "cr"}
_LINE_ENDS = ("lf", "crlf", "cr", "any")
_WRITTEN_OUT = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[trn0\\])")
_MEANS = {"t": "\t", "r": "\r", "n": "\n", "0": "\0", "\\": "\\"}


def _spelled(value: Any, names: dict[str, str]) -> Any:
    r"""Return what a name such as ``tab`` or a spelling such as ``\t`` stands for."""
    if not isinstance(value, str) or value == "\\":
        return value
    if value.lower() in names:
        return names[value.lower()]
    return _WRITTEN_OUT.sub(lambda found: _MEANS.get(found[1]) or chr(int(found[1][1:], 16)), value)


def _detected(value: Any) -> Any:
    return None if isinstance(value, str) and value.lower() in ("auto", "detect") else value


def _encoding(value: Any) -> Any:
    value = _detected(value)
    if not isinstance(value, str):
        return value
    try:
        codecs.lookup(value)
        "".encode(value)
    except LookupError as unknown:
        raise ValueError(f"{value!r} is no text encoding; write for instance utf-8, cp1252, utf-16-le") from unknown
    return value.lower()


def _delimiter(value: Any) -> Any:
    value = _spelled(_detected(value), _DELIMITERS)
    if isinstance(value, str) and (not value or set(value) & set("\r\n\0")):
        raise ValueError("a delimiter is one character or several, none of them a line end or NUL")
    return value


def _character(value: Any, names: dict[str, str], what: str) -> Any:
    value = _spelled(_detected(value), names)
    if value == "doubled" and value in names:
        return value
    if isinstance(value, str) and (len(value) > 1 or value in ("\r", "\n", "\0")):
        raise ValueError(f"{what} is a single character, or none; the names are {', '.join(names)}")
    return value


def _newline(value: Any) -> Any:
    value = _spelled(_detected(value), {})
    if not isinstance(value, str):
        return value
    value = _NEWLINES.get(value, value)
    if value.lower() in _LINE_ENDS:
        return value.lower()
    if value.isalnum() or not value or "\0" in value:
        near = nearest(value, _LINE_ENDS)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"a row ends with lf, crlf, cr, any, or with characters that no word is made of{hint}")
    return value


def _names(value: Any) -> Any:
    return tuple(next(csv.reader([value]), [])) if isinstance(value, str) else value


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


def _trailer(text: str | None) -> str | None:
    if text is not None:
        Trailer(text)
    return text


class FileFormat(BaseModel):
    """Everything that can differ between one file of rows and another.

    What is not declared is detected where only one answer can be right, and refused where it would be a guess.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Annotated[Literal["delimited", "xml"] | None, BeforeValidator(_detected)] = None
    """Whether the file is delimited text or XML. Not declared: XML where it begins like that and nothing is
    declared that only delimited text has."""

    row: Annotated[str | None, BeforeValidator(_empty_is_none)] = None
    """Of XML: name of the element that is a row, or the last names of its path such as ``orders/order``. Not
    declared: ``item`` of RSS, ``entry`` of Atom, else the one element that repeats and holds others; the file is
    refused where several do."""

    repeated: Literal["reject", "join", "items"] = "reject"
    """Of XML: what an element that comes twice in one row does: it rejects the row, or its values are joined, a comma
    between, or, where it holds elements, each is an item of the row. Data types that know items take them as items
    unless ``join`` is declared."""

    encoding: Annotated[str | None, BeforeValidator(_encoding)] = None
    """Text encoding, by any name that Python knows (utf-8, utf-16, cp1252, shift_jis, ...). Not declared: the byte
    order mark decides, or an XML declaration, else UTF-8. Read strictly: a byte that does not fit refuses the file."""

    byte_order_mark: Literal["allow", "refuse"] = "allow"
    """Whether a file may begin with a byte order mark; some receivers do not read one."""

    delimiter: Annotated[str | None, BeforeValidator(_delimiter)] = None
    """What stands between two cells: comma, semicolon, tab, pipe, space, colon, or the character or characters
    themselves, such as ``", "`` or ``||``; ``\\t`` and ``\\x01`` can be written out. Not declared: comma, semicolon,
    tab or pipe when exactly one of them can be right."""

    quote: Annotated[str | None, BeforeValidator(lambda value: _character(value, _QUOTES, "a quote"))] = None
    """The character around cells that hold a delimiter or a line end, or ``none``. Not declared: the double quote,
    and a file whose cells are wrapped in apostrophes is refused because either could be meant."""

    escape: Annotated[str | None, BeforeValidator(lambda value: _character(value, _ESCAPES, "an escape"))] = None
    """How a quote is written inside a quoted cell: ``doubled``, or by a character before it such as ``backslash``
    (which then escapes the quote and itself, the delimiter in an unquoted cell, and where there are no quotes the
    line end; before anything else it is text), or ``none``: it is not marked, and a quote closes its cell only
    right before a delimiter or the end of the row. Not declared: doubled."""

    stray_quotes: Literal["refuse", "text"] | None = None
    """What a quote is that neither opens nor closes its cell: ``refuse`` takes it as damage, ``text`` as part of
    the value. Not declared: text where the quote is an apostrophe or the escape is none, else refuse."""

    newline: Annotated[str | None, BeforeValidator(_newline)] = None
    """What ends a row: lf, crlf, cr, ``any`` (lf and crlf mixed), or a record separator of its own. Not declared:
    lf or crlf, as the first row ends; a row that ends otherwise then refuses the file."""

    skip_lines: int = Field(default=0, ge=0, le=10_000)
    """How many lines before the header are not part of the table."""

    skip_footer: int = Field(default=0, ge=0, le=1_000)
    """How many lines at the end are not part of the table; blank lines after them do not count."""

    trailer: Annotated[str | None, BeforeValidator(_empty_is_none), AfterValidator(_trailer)] = None
    """The last line, where it says what the file holds: ``{rows}`` and ``{sum:Amount}`` stand for the figures and
    ``{*}`` for anything, as in ``TRL|{rows}|{sum:Amount}``. A file whose trailer is missing or says something else is
    refused."""

    header: bool = True
    """Whether the table begins with the names of its columns."""

    header_rows: int = Field(default=1, ge=0, le=20)
    """How many rows the header takes. The names of a column are joined with a space, equal ones once; 0 is the
    same as ``header: false``."""

    names: Annotated[tuple[str, ...] | None, BeforeValidator(_names)] = None
    """Names of the columns, in file order (on the command line with commas between): for a file without a header,
    or in place of the header that it has."""

    comment: Annotated[str | None, BeforeValidator(_empty_is_none)] = None
    """Rows that begin with this text are not part of the table."""

    blank_lines: Literal["reject", "skip"] = "reject"
    """What a blank line between rows is: a rejected row, or nothing. Blank lines at the end are always nothing."""

    trailing_delimiter: bool = False
    """Whether every row, the header too, ends with a delimiter after its last cell."""

    formula_guard: Literal["keep", "undo"] = "keep"
    """What an apostrophe is that stands before ``=``, ``+``, ``-``, ``@`` or a line end at the beginning of a cell:
    part of the value, or (``undo``) the guard that our own CSV reports put before such texts, and not part of it.
    Declare ``undo`` where files are made from those reports. XML has no such guard."""

    @model_validator(mode="before")
    @classmethod
    def _without_header(cls, given: Any) -> Any:
        """Take ``header_rows: 0`` and ``header: false`` as the same thing."""
        if isinstance(given, dict):
            if str(given.get("header_rows", "")) == "0" and "header" not in given:
                return {**given, "header": False}
            if "header_rows" not in given and str(given.get("header", "")).lower() in ("false", "no", "off", "0"):
                return {**given, "header_rows": 0}
        return given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        escape = None if self.escape == "doubled" else self.escape
        special = [sign for sign in (self.quote or '"' * (self.quote is None), escape) if sign]
        if self.kind == "delimited" and (self.row or self.repeated != "reject"):
            raise ValueError("row and repeated are for XML")
        if self.header != (self.header_rows > 0):
            raise ValueError("header and header_rows contradict each other")
        if self.delimiter and any(sign in self.delimiter for sign in special):
            raise ValueError("the delimiter cannot hold the quote or the escape")
        if self.names is not None and (len(set(self.names)) < len(self.names) or not all(self.names)):
            raise ValueError("names cannot be empty or the same twice")
        return self

    def over(self, usual: Mapping[str, Any]) -> FileFormat:
        """Return this format, with what is usual for the data type where nothing is declared.

        Raises:
            ConfigurationError: What is usual is no file format.
        """
        declared = {name: value for name, value in self if value != type(self).model_fields[name].default}
        try:
            return FileFormat.model_validate({**usual, **declared})
        except ValidationError as invalid:
            first = invalid.errors(include_url=False)[0]
            field = ".".join(["format", *map(str, first["loc"])])
            raise ConfigurationError(f"The data type's format: {first['msg']}.", field=field) from None

    @classmethod
    def from_options(cls, options: Iterable[str]) -> Self:
        """Read ``KEY=VALUE`` texts, as ``connections check --format`` takes them.

        Raises:
            ConfigurationError: A text without ``=``, an unknown key (with the nearest one) or a bad value.
        """
        return from_options(cls, options)
