"""What holds for every table, every dialect and every soup of bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from data_connections.errors import FileRefused
from data_connections.formats import encode_rows, open_rows
from data_connections.formats.columnar import read_columns, safe_end
from data_connections.formats.dialect import Dialect
from data_connections.formats.strict import read_rows
from data_connections.spec import FileFormat

HEADER = ("h1", "h2", "h3", "h4")
SLOWLY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass
class Seen:
    rows: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    broken: list[tuple[int, tuple[str, ...], str]] = field(default_factory=list)
    refused: str | None = None

    def in_order(self):
        return sorted([*self.rows, *[(line, cells) for line, cells, _ in self.broken]])


def see(content: bytes, file_format: FileFormat, block_size: int = 1024 * 1024) -> Seen:
    """Read everything; after a refusal nothing counts."""
    seen = Seen()
    try:
        for block in open_rows(io.BytesIO(content), file_format, name="x", block_size=block_size).blocks():
            assert len(block.lines) == block.cells.num_rows
            cells = [tuple(row.values()) for row in block.cells.to_pylist()]
            seen.rows += zip(map(int, block.lines), cells, strict=True)
            seen.broken += [(row.line, row.cells, row.code) for row in block.broken]
            assert all(0 <= row.before <= len(block.lines) for row in block.broken)
    except FileRefused as refused:
        return Seen(refused=refused.code)
    return seen


@dataclass(frozen=True)
class Writing:
    """A dialect, and how it writes a cell."""

    delimiter: str
    quote: str
    escape: str
    row_end: str
    encoding: str

    def declared(self) -> FileFormat:
        return FileFormat(
            delimiter=self.delimiter,
            quote=self.quote,
            escape=self.escape if self.escape != self.quote else None,
            newline=self.row_end,
            encoding=self.encoding,
        )

    def cell(self, text: str) -> str:
        if not self.quote:
            for sign in (self.escape, self.delimiter, "\r", "\n"):
                text = text.replace(sign, self.escape + sign) if sign else text
            return text
        special = {*self.delimiter, self.quote, self.escape, *self.row_end, "\r", "\n"}
        if text and not any(sign and sign in text for sign in special):
            return text
        escape = self.escape or self.quote
        if escape != self.quote:
            text = text.replace(escape, escape * 2)
        return self.quote + text.replace(self.quote, escape + self.quote) + self.quote

    def file(self, rows: list[tuple[str, ...]]) -> bytes:
        text = "".join(self.delimiter.join(map(self.cell, row)) + self.row_end for row in rows)
        return text.encode(self.encoding)


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252", "utf-32")
WRITINGS = st.one_of(
    st.builds(
        Writing,
        delimiter=st.sampled_from([",", ";", "\t", "|", " ", ":", ", ", "||", "\x1f", "¦", "<>"]),
        quote=st.sampled_from(['"', "'", "`", "þ"]),
        escape=st.sampled_from(["", "\\", "^"]),
        row_end=st.sampled_from(["\n", "\r\n", "\r", "~\n", "\x1e"]),
        encoding=st.sampled_from(ENCODINGS),
    ),
    st.builds(
        Writing,
        delimiter=st.sampled_from([",", "\t", "\x1f"]),
        quote=st.just(""),
        escape=st.just("\\"),
        row_end=st.sampled_from(["\n", "\r\n"]),
        encoding=st.just("utf-8"),
    ),
)
CELLS = st.text(st.sampled_from(list("ab1,;\t|: \"'\\^~<>\r\n\x1e\x1f¦þ`é")), max_size=6)


def tables(cells: st.SearchStrategy[str], least_columns: int = 1) -> st.SearchStrategy[list[tuple[str, ...]]]:
    return st.integers(least_columns, 4).flatmap(
        lambda width: st.lists(st.tuples(*[cells] * width), min_size=1, max_size=8)
    )


@SLOWLY
@given(WRITINGS, tables(CELLS), st.integers(1, 40))
def test_what_is_written_in_a_declared_dialect_is_read_back(writing, rows, block_size):
    assume(writing.quote or ("",) not in rows)  # that would be a blank line
    header = tuple(f"c{index}" for index in range(len(rows[0])))
    escape = Writing(
        writing.delimiter, writing.quote, writing.escape or writing.quote, writing.row_end, writing.encoding
    )
    seen = see(escape.file([header, *rows]), escape.declared(), block_size)
    if header in rows:
        assert seen.refused == "HEADER_REPEATED"
    else:
        assert (seen.refused, [cells for _, cells in seen.rows], seen.broken) == (None, rows, [])


@SLOWLY
@given(tables(st.text(st.sampled_from(list('ab,"\r\n é')), max_size=5), least_columns=2), st.integers(1, 60))
def test_lines_are_those_that_an_editor_shows(rows, block_size):
    columns = [pa.array(column, pa.string()) for column in zip(HEADER[: len(rows[0])], *rows, strict=True)]
    content = encode_rows(columns)
    expected, line = [], 2
    for row in rows:
        expected.append(line)
        line += 1 + sum(cell.count("\n") for cell in row)
    seen = see(content, FileFormat(delimiter=",", newline="crlf"), block_size)
    assert seen.rows == list(zip(expected, rows, strict=True))


SOUP = st.text(st.sampled_from(list('aab1,,,;"""\'\n\n\n\r\\ é')), max_size=120).map(str.encode)


@SLOWLY
@given(SOUP, st.sampled_from([("lf", "\n"), ("crlf", "\r\n"), ("any", "\n")]), st.integers(1, 3))
def test_the_fast_way_and_the_strict_reader_agree(soup, newline, width):
    """Wherever the column-wise check is content, the strict reader reads exactly the same."""
    name, end = newline
    block = soup.replace(b"\n", end.encode()) if name == "crlf" else soup
    dialect = Dialect(b",", b'"', b"", doubled=True, stray_text=False, newline=name)
    block = block[: safe_end(dialect, block)]
    columns = read_columns(dialect, block, width) if block else None
    if columns is None:
        return
    strict = list(read_rows(dialect, block, 1, ended=True))
    assert not any(row.damaged or row.blank for row in strict)
    values = [tuple(cell.decode() for cell in row.cells) for row in strict]
    assert [tuple(row.values()) for row in columns.cells.to_pylist()] == values
    assert [int(line) + 1 for line in columns.lines] == [row.line for row in strict]
    assert columns.line_count == block.count(b"\n")


FORMATS = st.sampled_from(
    [
        FileFormat(delimiter=","),
        FileFormat(delimiter=",", newline="any"),
        FileFormat(delimiter=",", quote=""),
        FileFormat(delimiter=",", escape="\\"),
        FileFormat(delimiter=",", escape=""),
        FileFormat(delimiter=",", quote="'"),
        FileFormat(delimiter=",", comment="1", blank_lines="skip"),
        FileFormat(delimiter=",", trailing_delimiter=True),
        FileFormat(delimiter=",,", newline="\r\n\r\n"),
        FileFormat(delimiter=",", skip_footer=2, skip_lines=1),
        FileFormat(),
    ]
)


@SLOWLY
@given(st.one_of(SOUP, SOUP.map(lambda soup: b"a,b\n1,2\n" + soup)), FORMATS, st.integers(1, 30))
def test_where_blocks_are_cut_changes_nothing(soup, file_format, block_size):
    whole, cut = see(soup, file_format), see(soup, file_format, block_size)
    assert (cut.rows, cut.broken, cut.refused) == (whole.rows, whole.broken, whole.refused)


@SLOWLY
@given(st.binary(max_size=200), st.integers(1, 30))
def test_any_bytes_are_read_or_refused(content, block_size):
    seen = see(content, FileFormat(), block_size)
    assert seen.refused or all(line >= 2 for line, _ in seen.in_order())


@SLOWLY
@given(tables(st.text('ab,"\n', max_size=4), least_columns=2), st.data())
def test_an_extra_quote_never_gives_a_wrong_row(rows, data):
    """The rows that are accepted although one quote too many stands somewhere are all true ones."""
    writing = Writing(",", '"', '"', "\n", "utf-8")
    header = tuple(f"c{index}" for index in range(len(rows[0])))
    content = writing.file([header, *rows])
    at = data.draw(st.integers(0, len(content)))
    seen = see(content[:at] + b'"' + content[at:], FileFormat(delimiter=","))
    wrong = [cells for _, cells in seen.rows if cells not in rows]
    # One quote beside another one in a quoted cell is a doubled quote: a well-formed file that says something else.
    assert len(wrong) <= (b'"' in content)


def test_the_strategies_reach_the_fast_way():
    dialect = Dialect(b",", b'"', b"", doubled=True, stray_text=False, newline="lf")
    columns = read_columns(dialect, b'a,"b\n""c"\nd,\n', 2)
    assert columns is not None
    assert columns.cells.to_pylist() == [{"0": "a", "1": 'b\n"c'}, {"0": "d", "1": ""}]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_bom_and_multibyte_text_may_be_cut_anywhere(size):
    content = "name,town\nZoë,Kraków\n李,東京\n".encode("utf-16")
    assert see(content, FileFormat(), size).rows == [(2, ("Zoë", "Kraków")), (3, ("李", "東京"))]
