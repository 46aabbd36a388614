"""XML as a table: elements and options in; columns, rows with their lines, broken rows or a refusal out."""

from __future__ import annotations

import io
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_connections.errors import FileRefused
from data_connections.formats import open_rows
from data_connections.spec import FileFormat


def opened(content: bytes | str, name: str = "case.xml", **declared):
    data = content.encode() if isinstance(content, str) else content
    return open_rows(io.BytesIO(data), FileFormat(**declared), name=name, default_names=["known"])


def rows_of(reader):
    rows, broken = {}, {}
    for block in reader.blocks():
        rows.update(zip(map(int, block.lines), map(tuple, map(dict.values, block.cells.to_pylist())), strict=True))
        broken.update({row.line: (row.code, row.cells) for row in block.broken})
    return rows, broken


def refusal(content: bytes | str, **declared) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        opened(content, **declared)
    return refused.value


TWO = "<orders>\n<order><Id>1</Id><Sum>2</Sum></order>\n<order><Id>3</Id><Sum>4</Sum></order>\n</orders>"


def test_each_element_that_repeats_is_a_row_on_its_line():
    reader = opened(TWO)

    assert reader.header == ("Id", "Sum")
    assert (reader.file_format.kind, reader.file_format.row) == ("xml", "orders/order")
    assert rows_of(reader) == ({2: ("1", "2"), 3: ("3", "4")}, {})


def test_values_are_what_the_text_says():
    content = "<r><a><x> &lt;1&gt; &amp;&#8364; </x><y><![CDATA[<b>\n]]></y><z/></a></r>"
    assert rows_of(opened(content)) == ({1: (" <1> &€ ", "<b>\n", "")}, {})


def test_a_row_without_an_element_has_an_empty_cell_there():
    reader = opened("<r>\n<a><x>1</x></a>\n<a><y>2</y></a>\n</r>")
    assert reader.header == ("x", "y")
    assert rows_of(reader)[0] == {2: ("1", ""), 3: ("", "2")}


def test_attributes_and_elements_inside_are_columns():
    reader = opened('<r><a n="1"><sum currency="EUR">5</sum><to><city>B</city></to></a></r>', row="a")
    assert reader.header == ("n", "sum@currency", "sum", "to/city")
    assert rows_of(reader)[0] == {1: ("1", "EUR", "5", "B")}


def test_namespaces_do_not_count():
    reader = opened('<r xmlns:g="urn:g" xmlns="urn:r"><a><g:id>1</g:id></a></r>')
    assert reader.header == ("id",)


def test_rss_and_atom_name_their_rows():
    rss = "<rss><channel><title>Shop</title>\n<item><id>1</id></item><image><url>u</url></image></channel></rss>"
    reader = opened(rss)
    assert rows_of(reader)[0] == {2: ("1",)}
    assert reader.notes == (
        (
            "XML_OUTSIDE_ROWS",
            "Passed over, because it stands outside the rows: rss/channel/title, rss/channel/image/url.",
        ),
    )
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id></entry></feed>'
    assert rows_of(opened(atom))[0] == {1: ("1",)}


def test_rows_on_one_line_are_numbered():
    reader = opened("<r><a><x>1</x></a><a><x>2</x></a></r>")
    assert rows_of(reader)[0] == {1: ("1",), 2: ("2",)}
    assert [code for code, _ in reader.notes] == ["ROWS_SHARE_LINES"]


def test_a_declared_row_is_taken_wherever_it_stands():
    content = "<d><a><x>1</x></a>\n<more>\n<b><y>2</y></b></more></d>"
    assert rows_of(opened(content, row="more/b"))[0] == {3: ("2",)}
    assert rows_of(opened(content, row="a"))[0] == {1: ("1",)}


AMBIGUOUS = {
    "two tables": "<d>\n<a><x>1</x></a>\n<a><x>1</x></a>\n<b><y>1</y></b>\n<b><y>1</y></b></d>",
    "rows in rows": "<d><a><x>1</x><i><s>1</s></i><i><s>2</s></i></a><a><x>1</x></a></d>",
    "one of each": "<d><a><x>1</x></a><b><y>1</y></b></d>",
    "values only": "<d><a>1</a><b>2</b></d>",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_would_be_a_guess_is_refused(name):
    assert refusal(AMBIGUOUS[name]).code == "XML_ROW_UNKNOWN"


def test_elements_that_appear_beside_the_rows_refuse_the_file():
    refused = refusal("<d>\n<a><x>1</x></a>\n<a><x>1</x></a>\n<b>\n<y>1</y></b></d>")
    assert (refused.code, refused.line) == ("XML_ROW_UNKNOWN", 5)


def test_repeated_elements_break_their_row_or_are_joined():
    content = "<r>\n<a><x>1</x><x>2</x></a>\n<a><x>3</x></a></r>"
    assert rows_of(opened(content)) == ({3: ("3",)}, {2: ("XML_REPEATED", ("1,2",))})
    assert rows_of(opened(content, repeated="join"))[0] == {2: ("1,2",), 3: ("3",)}


def test_text_between_elements_breaks_its_row():
    content = "<r>\n<a><x>1</x>oh</a>\n<a><x>3</x></a>\n<a>no<x>4</x></a></r>"
    rows, broken = rows_of(opened(content))
    assert rows == {3: ("3",)}
    assert {line: code for line, (code, _) in broken.items()} == {2: "XML_MIXED_TEXT", 4: "XML_MIXED_TEXT"}


BOMB = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n<r><a><x>&b;</x></a></r>'
FILE_ENTITY = '<?xml version="1.0"?>\n<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><r><a><x>&f;</x></a></r>'
HOSTILE = {
    "a bomb": (BOMB, "XML_DOCTYPE", 1),
    "an external entity": (FILE_ENTITY, "XML_DOCTYPE", 2),
    "an external document type": ('<!DOCTYPE r SYSTEM "http://localhost/x.dtd"><r/>', "XML_DOCTYPE", 1),
    "an entity of nobody": ("<r><a><x>&b;</x></a></r>", "XML_MALFORMED", 1),
    "deep": ("<a>\n" * 200_000, "XML_TOO_DEEP", 65),
    "cut": (TWO[:-20], "XML_MALFORMED", 3),
    "two roots": ("<r/>\n<r/>", "XML_MALFORMED", 2),
    "a NUL": (TWO.replace("3", "\0"), "NUL_BYTE", 3),
    "too many names": (
        "<r><a>" + "".join(f"<x{i}>1</x{i}>" for i in range(5000)) + "</a></r>",
        "XML_TOO_MANY_COLUMNS",
        1,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_safe_or_not_whole_is_refused(name):
    content, code, line = HOSTILE[name]
    refused = refusal(content)
    assert (refused.code, refused.line) == (code, line)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings(encoding):
    declared = "" if encoding == "utf-8-sig" else f" encoding='{encoding}'"
    content = f"<?xml version='1.0'{declared}?><r><a><x>é</x></a></r>".encode(encoding)
    assert rows_of(opened(content, name="no_suffix"))[0] == {1: ("é",)}


def test_an_encoding_that_does_not_fit_is_refused():
    assert refusal("<?xml version='1.0'?><r><a><x>é</x></a></r>".encode("cp1252")).code == "INVALID_ENCODING"
    assert refusal("<?xml version='1.0' encoding='klingon'?><r/>").code == "INVALID_ENCODING"


def test_a_file_without_a_row_has_the_columns_that_are_known():
    reader = opened("<?xml version='1.0'?><orders/>")
    assert (reader.header, rows_of(reader)) == (("known",), ({}, {}))


NAMES = st.sampled_from(["Id", "Sum", "Größe", "a.b", "x-1"])
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20
)


@given(st.lists(st.dictionaries(NAMES, TEXTS, min_size=1), min_size=2, max_size=30), st.booleans(), st.integers(8, 200))
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read(rows, as_attributes, block_size):
    def element(row: dict[str, str]) -> str:
        if as_attributes:
            return "<row " + " ".join(f"{name}={quoteattr(value)}" for name, value in row.items()) + "/>"
        return "<row>" + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in row.items()) + "</row>"

    content = "<rows>\n" + "\n".join(map(element, rows)) + "\n</rows>"
    reader = open_rows(io.BytesIO(content.encode()), FileFormat(), name="x.xml", block_size=block_size)

    names = list(dict.fromkeys(name for row in rows for name in row))
    assert list(reader.header) == names
    assert rows_of(reader) == ({at: tuple(row.get(n, "") for n in names) for at, row in enumerate(rows, 2)}, {})
