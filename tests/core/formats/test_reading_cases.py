"""Files as a table: bytes and options in; header, rows with their lines, broken rows or a refusal out."""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass, field

import pytest

from data_connections.errors import FileRefused
from data_connections.formats import open_rows
from data_connections.spec import FileFormat


@dataclass(frozen=True)
class Case:
    name: str
    content: bytes
    rows: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Line -> cells."""
    broken: dict[int, str] = field(default_factory=dict)
    """Line -> code."""
    refused: str | None = None
    """Code and line, as ``CODE:line``."""
    options: str = ""
    """Declared, as ``--format`` takes it, separated by blanks."""
    offered: dict[str, object] | None = None
    """Options that the refusal names."""


AB = {2: ("1", "2"), 3: ("3", "4")}
CASES = [
    # lines and row ends
    Case("LF", b"a,b\n1,2\n3,4\n", AB),
    Case("CR LF", b"a,b\r\n1,2\r\n3,4\r\n", AB),
    Case("no line end at the end", b"a,b\n1,2\n3,4", AB),
    Case("blank lines at the end", b"a,b\n1,2\n3,4\n\n\n", AB),
    Case("header only", b"a,b\n", {}),
    Case("header only, no line end", b"a,b", {}),
    Case("line end in a quoted cell", b'a,b\n1,"x\ny"\n3,4\n', {2: ("1", "x\ny"), 4: ("3", "4")}),
    Case("CR LF in a quoted cell of an LF file", b'a,b\n1,"x\r\ny"\n3,4\n', {2: ("1", "x\r\ny"), 4: ("3", "4")}),
    Case("CR in a quoted cell is kept", b'a,b\n1,"x\ry"\n3,4\n', {2: ("1", "x\ry"), 3: ("3", "4")}),
    Case("a blank line between rows", b"a,b\n1,2\n\n3,4\n", {2: ("1", "2"), 4: ("3", "4")}, {3: "BLANK_LINE"}),
    Case("blank lines skipped", b"a,b\n1,2\n\n3,4\n", {2: ("1", "2"), 4: ("3", "4")}, options="blank_lines=skip"),
    Case("CR LF in an LF file", b"a,b\n1,2\r\n", refused="MIXED_NEWLINES:2", offered={"newline": "any"}),
    Case("LF in a CR LF file", b"a,b\r\n1,2\n", refused="MIXED_NEWLINES:2", offered={"newline": "any"}),
    Case("mixed line ends, declared", b"a,b\r\n1,2\n3,4\r\n", AB, options="newline=any"),
    Case("CR alone", b"a,b\r1,2\r", refused="BARE_CR:1", offered={"newline": "cr"}),
    Case("CR alone, declared", b"a,b\r1,2\r3,4\r", AB, options="newline=\\r"),
    Case("a CR in the middle of a row", b"a,b\n1,2\n3\r,4\n", refused="BARE_CR:3", offered={}),
    Case("a record separator of its own", b"a|b~~1|2~~3|4~~", AB, options="newline=~~ delimiter=pipe"),
    # cells
    Case("empty cells", b"a,b\n,\n", {2: ("", "")}),
    Case("spaces are kept", b"a,b\n 1 , 2\n", {2: (" 1 ", " 2")}),
    Case("doubled quotes", b'a,b\n"say ""hi""",""""\n', {2: ('say "hi"', '"')}),
    Case("too few cells", b"a,b\n1\n3,4\n", {3: ("3", "4")}, {2: "CELL_COUNT"}),
    Case("too many cells", b"a,b\n1,2,3\n3,4\n", {3: ("3", "4")}, {2: "CELL_COUNT"}),
    Case("only delimiters, too many", b"a,b\n,,,\n3,4\n", {3: ("3", "4")}, {2: "CELL_COUNT"}),
    Case("a row with another delimiter", b"a,b\n1;2\n3,4\n", {3: ("3", "4")}, {2: "CELL_COUNT"}),
    Case("one column", b"a\n1\n2\n", {2: ("1",), 3: ("2",)}),
    Case("one column, a quoted empty cell", b'a\n""\n2\n', {2: ("",), 3: ("2",)}),
    Case("one column, a blank line", b"a\n\n2\n", {3: ("2",)}, {2: "BLANK_LINE"}),
    # broken quotes
    Case("never closed", b'a,b\n1,2\n3,"4\n5,6\n', refused="UNCLOSED_QUOTE:3"),
    Case("never closed, last cell", b'a,b\n1,"2', refused="UNCLOSED_QUOTE:2"),
    Case("text before a quote", b'a,b\n1,x"2"y\n3,4\n', {3: ("3", "4")}, {2: "BROKEN_QUOTE"}),
    Case("text after a quote", b'a,b\n1,"2"x\n3,4\n', {3: ("3", "4")}, {2: "BROKEN_QUOTE"}),
    Case(
        "a damaged row goes on after a line end in quotes",
        b'a,b,c\n1,x"y,"z\nz"\n3,4,"5"\n6,7,"8"\n',
        {4: ("3", "4", "5"), 5: ("6", "7", "8")},
        {2: "BROKEN_QUOTE"},
    ),
    Case("a quote that swallows the next line", b'a,b\n1,"2\n3,"4"\n5,6\n', refused="BROKEN_QUOTE:3"),
    Case("could be the end of a cell from before", b'a,b\n1,2\n3",4\n5,6\n', refused="BROKEN_QUOTE:3"),
    Case("two damaged rows in succession", b'a,b\n1,x"2\n3,y"4\n5,6\n', refused="BROKEN_QUOTE:2"),
    Case("in the header", b'a,b"c\n1,2\n', refused="BROKEN_QUOTE:1"),
    Case("space before a quote", b'a,b\n1, "2"\n3, "4"\n5, "6"\n', refused="BROKEN_QUOTE:2"),
    # delimiters
    Case("semicolon", b"a;b\n1,5;2\n", {2: ("1,5", "2")}),
    Case("tab", b"a\tb\n1\t2\n", {2: ("1", "2")}),
    Case("pipe", b"a|b\n1|2\n", {2: ("1", "2")}),
    Case("two candidates, one fits", b"a,x;b\n1;2\n3;4\n", {2: ("1", "2"), 3: ("3", "4")}),
    Case(
        "two candidates, both fit", b"a,b;c\n1,2;3\n", refused="DELIMITER_AMBIGUOUS:1", offered={"delimiter": "comma"}
    ),
    Case("no candidate in the header", b"a b\n1 2\n", refused="DELIMITER_UNKNOWN:1", offered={"delimiter": " "}),
    Case("a title above the table", b"Report\na,b\n1,2\n", refused="DELIMITER_UNKNOWN:1", offered={"skip_lines": 1}),
    Case("comma and space", b"a, b\n1, 2\n", refused="DELIMITER_AMBIGUOUS:1", offered={"delimiter": ", "}),
    Case("comma and space, declared", b"a, b\n1, 2\n", {2: ("1", "2")}, options="delimiter=,\\x20"),
    Case("several characters", b"a||b\n1||2|3\n", {2: ("1", "2|3")}, options="delimiter=||"),
    Case("no ASCII", "a¦b\n1¦2\n".encode(), {2: ("1", "2")}, options="delimiter=¦"),
    # quotes and escapes
    Case("cells in apostrophes", b"a,b\n1,'2'\n", refused="QUOTE_AMBIGUOUS:2", offered={"quote": "single"}),
    Case("cells in apostrophes and in quotes", b"a,b\n1,\"2\"\n3,'4'\n", refused="QUOTE_AMBIGUOUS:3"),
    Case(
        "an apostrophe is text where a row needs the double quote",
        b"a,b\n1,'2'\n3,\"4,5\"\n",
        {2: ("1", "'2'"), 3: ("3", "4,5")},
    ),
    Case("a row of the wrong width proves no quote", b"a,b\n1,'2'\n3,\"4,5\",6\n", refused="QUOTE_AMBIGUOUS:2"),
    Case("apostrophe as quote", b"a,b\n1,'x, won't'\n", {2: ("1", "x, won't")}, options="quote=single"),
    Case(
        "doubled apostrophes, declared",
        b"a,b\n'it''s',5\"\n3,4\n",
        {2: ("it's", '5"'), 3: ("3", "4")},
        options="escape=doubled quote=single",
    ),
    Case("apostrophe as text", b"a,b\n1,'2'\n", {2: ("1", "'2'")}, options="quote=double"),
    Case("apostrophe inside a value", b"a,b\n1,it's\n", {2: ("1", "it's")}),
    Case("no quotes", b'a,b\n1,x"y\n"2,z"\n', {2: ("1", 'x"y'), 3: ('"2', 'z"')}, options="quote=none"),
    Case("backslash", b'a,b\n1,"5\\" \\\\ \\n"\n', {2: ("1", '5" \\ \\n')}, options="escape=backslash"),
    Case("backslash without quotes", b"a,b\n1,x\\,y\\\nz\n", {2: ("1", "x,y\nz")}, options="quote=none escape=\\"),
    Case("quotes not marked", b'a,b\n1,"5" x 6""\n', {2: ("1", '5" x 6"')}, options="escape=none"),
    Case("ends with an escape", b"a,b\n1,2\\", refused="UNCLOSED_QUOTE:2", options="quote=none escape=\\"),
    # header, preamble, footer
    Case("the same name twice", b"a,a\n1,2\n", refused="DUPLICATE_HEADER:1"),
    Case("a column without a name", b"a,,c\n1,2,3\n", refused="EMPTY_HEADER:1", offered={}),
    Case("ends with a delimiter", b"a,b,\n1,2,\n", refused="EMPTY_HEADER:1", offered={"trailing_delimiter": True}),
    Case(
        "ends with a delimiter, declared",
        b"a,b,\n1,2,\n3,4\n3,4,\n",
        {2: ("1", "2"), 4: ("3", "4")},
        {3: "CELL_COUNT"},
        options="trailing_delimiter=yes",
    ),
    Case("the header again", b"a,b\n1,2\na,b\n3,4\n", refused="HEADER_REPEATED:3", offered={}),
    Case("the header twice", b"a,b\na,b\n1,2\n", refused="HEADER_REPEATED:2", offered={"header_rows": 2}),
    Case("header of two rows", b"a,b\nx,\n1,2\n", {3: ("1", "2")}, options="header_rows=2"),
    Case("names in place of the header", b"q,\n1,2\n", {2: ("1", "2")}, options="names=a,b"),
    Case("no header", b"1,2\n3,4\n", {1: ("1", "2"), 2: ("3", "4")}, options="header=no names=a,b"),
    Case("no header, no names", b"1,2\n", refused="NAMES_MISSING:1", options="header=no"),
    Case("blank line first", b"\na,b\n1,2\n", refused="NO_HEADER:1", offered={"skip_lines": 1}),
    Case("lines before the table", b'x,"y\nz\na,b\n1,2\n', {4: ("1", "2")}, options="skip_lines=2"),
    Case("fewer lines than skipped", b"a,b\n", refused="TOO_FEW_LINES:2", options="skip_lines=2"),
    Case("footer", b'a,b\n1,2\nsum "x\nend\n\n', {2: ("1", "2")}, options="skip_footer=2"),
    Case("comments", b'#"\na,b\n# x\n1,2\n#\n', {4: ("1", "2")}, options="comment=#"),
    # encodings
    Case("UTF-8 with a byte order mark", b"\xef\xbb\xbfa,b\n1,2\n3,4\n", AB),
    Case("UTF-16", "a,b\n1,2\n3,4\n".encode("utf-16"), AB),
    Case(
        "UTF-16 big-endian, declared", "a,b\n1,é\n".encode("utf-16-be"), {2: ("1", "é")}, options="encoding=utf-16-be"
    ),
    Case("UTF-32", "a,b\n1,2\n3,4\n".encode("utf-32"), AB),
    Case("cp1252, declared", b"a,b\n1,\x80\n", {2: ("1", "€")}, options="encoding=cp1252"),
    Case("Shift JIS, declared", "a,b\n1,表\n".encode("shift_jis"), {2: ("1", "表")}, options="encoding=shift_jis"),
    Case("invalid UTF-8", b"a,b\n1,2\n3,\xe9\n", refused="INVALID_ENCODING:3", offered={"encoding": "cp1252"}),
    Case("cut UTF-8", b"a,b\n1,\xc3", refused="INVALID_ENCODING:2"),
    Case("no ASCII though declared", b"a,b\n1,\xc3\xa9\n", refused="INVALID_ENCODING:2", options="encoding=ascii"),
    Case(
        "UTF-16 without a mark",
        "a,b\n1,2\n".encode("utf-16-le"),
        refused="NUL_BYTE:1",
        offered={"encoding": "utf-16-le"},
    ),
    Case("UTF-16 declared, no mark", b"a,b\n", refused="BOM_MISSING:1", options="encoding=utf-16"),
    Case(
        "another mark than declared",
        b"\xef\xbb\xbfa,b\n",
        refused="ENCODING_MISMATCH:1",
        options="encoding=cp1252",
        offered={"encoding": "utf-8"},
    ),
    # no delimited text at all
    Case("empty", b"", refused="EMPTY_FILE"),
    Case("only a byte order mark", b"\xef\xbb\xbf", refused="EMPTY_FILE:1"),
    Case("only blank lines", b"\n\r\n\n", refused="EMPTY_FILE:1"),
    Case("a NUL byte", b"a,b\n1,\0\n", refused="NUL_BYTE:2"),
    Case("gzip", gzip.compress(b"a,b\n1,2\n3,4\n"), AB),
    Case("gzip of an image", gzip.compress(b"\x89PNG\r\n\x00\x00"), refused="BINARY_FILE:1"),
    Case("a damaged zip", b"PK\x03\x04" + bytes(40), refused="PACKED_DAMAGED"),
    Case(
        "XML, declared to be delimited",
        b"<?xml version='1.0'?><a/>",
        refused="NOT_DELIMITED:1",
        options="kind=delimited",
    ),
    Case(
        "XML, a delimiter declared", b"<?xml version='1.0'?><a/>", refused="NOT_DELIMITED:1", options="delimiter=comma"
    ),
    Case("an error page", b"<!DOCTYPE html><html></html>", refused="NOT_DELIMITED:1"),
    Case("JSON", b'[{"a": 1}]', refused="NOT_DELIMITED:1"),
    Case("random bytes", bytes(range(255, 100, -3)), refused="INVALID_ENCODING:1"),
]


def read(content: bytes, file_format: FileFormat, block_size: int):
    rows, broken = {}, {}
    reader = open_rows(io.BytesIO(content), file_format, name="case.csv", block_size=block_size)
    for block in reader.blocks():
        cells = [tuple(row.values()) for row in block.cells.to_pylist()]
        rows.update(zip(map(int, block.lines), cells, strict=True))
        broken.update({row.line: row.code for row in block.broken})
    return rows, broken


@pytest.mark.parametrize("block_size", [1024 * 1024, 5], ids=["whole", "cut"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_reading(case: Case, block_size: int):
    file_format = FileFormat.from_options(case.options.split())
    if case.refused:
        with pytest.raises(FileRefused) as refusal:
            read(case.content, file_format, block_size)
        line = f":{refusal.value.line}" if refusal.value.line else ""
        assert refusal.value.code + line == case.refused
        assert case.offered in (None, refusal.value.options)
    else:
        assert read(case.content, file_format, block_size) == (case.rows, case.broken)


def test_cases_have_names_of_their_own():
    assert len({case.name for case in CASES}) == len(CASES)


def test_a_broken_row_keeps_what_could_be_read_and_its_place():
    content = b'a,b\n1,2\n3\n5,6\n7,x"8,"9"\n10,"11"\n'
    (block,) = open_rows(io.BytesIO(content), FileFormat(), name="x").blocks()
    assert [(row.line, row.cells, row.before) for row in block.broken] == [
        (3, ("3",), 1),
        (5, ("7", 'x"8,"9"'), 2),
    ]
    assert block.broken[0].message == "This row has 1 cells, the header has 2."
    assert block.rows == 5


def test_the_reader_says_what_it_found():
    reader = open_rows(io.BytesIO("a;b\r\n1;2\r\n".encode("utf-16")), FileFormat(), name="x")
    found = reader.file_format
    assert (found.encoding, found.delimiter, found.newline) == ("utf-16-le", ";", "crlf")
    assert reader.header == ("a", "b")


def test_names_of_the_data_type_stand_in_for_a_missing_header():
    reader = open_rows(io.BytesIO(b"1,2\n"), FileFormat(header=False), name="x", default_names=["a", "b"])
    assert reader.header == ("a", "b")
