"""How an outbound file is written: the ``format`` of a connection, and the keys of ``report --format KEY=VALUE``."""

from __future__ import annotations

import codecs
import csv
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from data_connections.errors import nearest
from data_connections.spec.time_zone import TimeZone
from data_connections.spec.trailer import Trailer

OutputType = Literal["csv", "tsv", "psv", "xml", "json_lines", "parquet"]
DELIMITERS: dict[str, str] = {"csv": ",", "tsv": "\t", "psv": "|"}
"""What stands between two cells, for the types that are delimited text."""

DateBasis = Literal["event", "created", "updated", "locked"]
"""Which date of something puts it into the days of a report."""

MOST_ROWS_PER_FILE = 100_000_000


def _listed(value: Any) -> Any:
    return tuple(next(csv.reader([value]), [])) if isinstance(value, str) else value


def _named(value: Any) -> Any:
    """Read ``Revenue:Turnover,Date:Day``, as it stands on the command line."""
    if not isinstance(value, str):
        return value
    pairs = [pair.partition(":") for pair in _listed(value)]
    if not all(colon and name for _, colon, name in pairs):
        raise ValueError("write COLUMN:NAME, several with commas between, such as Revenue:Turnover")
    return {column.strip(): name.strip() for column, _, name in pairs}


def _text_encoding(name: str) -> str:
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except LookupError as unknown:
        raise ValueError(f"{name!r} is no text encoding; write for instance utf-8, utf-8-sig, cp1252") from unknown


def _given_once(columns: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if columns is not None and (not columns or len(set(columns)) < len(columns)):
        raise ValueError("name at least one column, and each only once")
    return columns


def _trailer(text: str | None) -> str | None:
    if text is not None and not Trailer(text).is_complete:
        raise ValueError("{*} stands for anything when a file is read; what is written has to be said")
    return text


class OutputFormat(BaseModel):
    """The form of the files that a report is sent in. The same rows always give the same bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    type: OutputType = "csv"
    """csv, tsv and psv are delimited text (comma, tab, pipe) by RFC 4180; xml; json_lines is one JSON object a line."""

    compression: Literal["none", "gzip", "zip", "zstd"] = "none"
    """gzip, zstd, or a zip with one file in it; none of them holds a time. Parquet is compressed inside, so it takes
    none."""

    columns: Annotated[tuple[str, ...] | None, BeforeValidator(_listed), AfterValidator(_given_once)] = None
    """Which columns of the report, in which order; all of them, in the report's order, where left out."""

    headers: Annotated[dict[str, str], BeforeValidator(_named)] = Field(default_factory=dict)
    """Names in the file for columns that shall not have the report's, such as ``{Revenue: Turnover}``."""

    header: bool = True
    """Whether delimited text begins with a row of names."""

    time_zone: TimeZone = "UTC"
    """IANA zone that instants are written in, with their offset; ``Z`` in UTC. Days are those of the report."""

    encoding: Annotated[str, AfterValidator(_text_encoding)] = "utf-8"
    """Text encoding of delimited text; utf-8-sig begins with a byte order mark. A character that the encoding does
    not have stops the export: nothing is replaced."""

    trailer: Annotated[str | None, BeforeValidator(lambda text: text or None), AfterValidator(_trailer)] = None
    """A last line of delimited text that says what the file holds: ``{rows}`` stands for its rows without header and
    trailer, ``{sum:Revenue}`` for the sum of a column of numbers by its name in the file, as in
    ``TRL|{rows}|{sum:Revenue}``."""

    @model_validator(mode="after")
    def _fits_the_type(self) -> Self:
        if not self.is_delimited and self.trailer:
            raise ValueError(f"trailer: {self.type} has no last line of its own; packaging.manifest says the same")
        if not self.is_delimited and not self.header:
            raise ValueError(f"header: {self.type} has no header row to leave out")
        if not self.is_delimited and self.encoding != "utf-8":
            raise ValueError(f"encoding: {self.type} is always UTF-8")
        if self.type == "parquet" and self.compression != "none":
            raise ValueError("compression: Parquet is compressed inside; leave compression out")
        for column in self.headers if self.columns else ():
            if column not in (self.columns or ()):
                near = nearest(column, self.columns or ())
                hint = f"; did you mean {near!r}?" if near else ""
                raise ValueError(f"headers: {column!r} is not one of the chosen columns{hint}")
        return self

    @property
    def is_delimited(self) -> bool:
        """Whether the file is text with a delimiter, so that a spreadsheet may open it."""
        return self.type in DELIMITERS

    @property
    def extension(self) -> str:
        """What names of such files usually end with, the compression left out."""
        return {"json_lines": ".jsonl"}.get(self.type, f".{self.type}")


def _no_manifest(ending: str | None) -> str | None:
    if ending == ".manifest":
        raise ValueError("a marker is an empty file; manifest: true makes a manifest")
    return ending


class Packaging(BaseModel):
    """What a delivery is made of beside the rows."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    when_empty: Literal["send", "skip"] = "send"
    """What a report without rows does: sends a file without rows, or nothing."""

    rows_per_file: int | None = Field(default=None, ge=0, le=MOST_ROWS_PER_FILE)
    """Most rows in one file; more make several, named ``..._part1of3``. The lines of one order stay together. 0 is no
    limit; where left out, the report's own limit holds."""

    manifest: bool = False
    """Whether a manifest is delivered last: names, sizes, rows and MD5 of the files. It is named ``NAME.manifest``."""

    fin: bool = False
    """Whether an empty file of the same base name and the ending ``.fin`` follows the files that it vouches for."""

    marker: Annotated[str | None, AfterValidator(_no_manifest)] = Field(
        default=None, pattern=r"^\.[A-Za-z0-9_-]{1,20}$"
    )
    """Another ending of such files, such as ``.done``."""

    @property
    def marker_ending(self) -> str | None:
        """The ending of the empty files that follow; None for none."""
        return self.marker or (".fin" if self.fin else None)


class Covers(BaseModel):
    """Which days a report is about, beside those of the run."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    days_again: int = Field(default=0, ge=0, le=366)
    """How many days before those of the run are sent once more, each time: 6 makes a daily connection send a week."""

    since_last_delivery: bool = False
    """Whether the report goes on where the last delivery ended, so that days whose delivery failed come with the
    next."""

    date_basis: DateBasis | None = None
    """Which date puts something into the days: one of those that the report has; where left out, its first."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.days_again and self.since_last_delivery:
            raise ValueError("days_again and since_last_delivery exclude each other")
        return self
