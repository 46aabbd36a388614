"""Files of any size and shape are read, or refused, in memory that does not grow with them."""

from __future__ import annotations

import io
import tracemalloc

import pyarrow as pa
import pytest

from data_connections.errors import FileRefused
from data_connections.formats import open_rows
from data_connections.spec import FileFormat

MB = 1024 * 1024


class Endless(io.RawIOBase):
    """A file of ``size`` bytes that never exists as a whole: a beginning, the same bytes again and again, an end."""

    def __init__(self, beginning: bytes, again: bytes, size: int, end: bytes = b"") -> None:
        self._pending = beginning
        self._again = again * (65_536 // len(again))
        self._left = len(beginning) + size // len(again) * len(again)
        self._end = end
        self.read_so_far = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target) -> int:
        if not self._left:
            self._pending, self._left, self._end = self._end, len(self._end), b""
        self._pending = self._pending or self._again
        chunk = self._pending[: min(len(target), self._left)]
        self._pending = self._pending[len(chunk) :]
        target[: len(chunk)] = chunk
        self._left -= len(chunk)
        self.read_so_far += len(chunk)
        return len(chunk)


def read_all(source: io.RawIOBase, file_format: FileFormat, block_size: int = MB) -> tuple[int, int]:
    rows = broken = 0
    for block in open_rows(source, file_format, name="x", block_size=block_size).blocks():
        rows, broken = rows + len(block.lines), broken + len(block.broken)
    return rows, broken


@pytest.fixture
def peak():
    """Return a function that says how many bytes Python and Arrow held at most since the test began."""
    pa.array([""])  # imports pandas, which is no memory of the file
    pool = pa.default_memory_pool()
    before = pool.max_memory()
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1] + max(pool.max_memory() - before, 0)
    tracemalloc.stop()


REFUSED = {
    "one line of 200 MB": (b"a,b\n", b"x", FileFormat(), "ROW_TOO_LONG"),
    "one header of 200 MB": (b"", b"x,", FileFormat(), "ROW_TOO_LONG"),
    "one header without a delimiter": (b"", b"xyz", FileFormat(), None),
    "a quote that is never closed": (b'a,b\n1,"2\n', b"1,2\n", FileFormat(delimiter=","), "UNCLOSED_QUOTE"),
    "a quote in the header": (b'a,"b\n', b"1,2\n", FileFormat(delimiter=","), "UNCLOSED_QUOTE"),
    "blank lines without end": (b"a,b\n", b"\n", FileFormat(), "BLANK_LINES"),
    "blank lines before the header": (b"", b"\n", FileFormat(), None),
    "an XML tag without an end": (b"<?xml version='1.0'?><rows><row ", b"x", FileFormat(row="row"), "ROW_TOO_LONG"),
    "an XML value without an end": (
        b"<?xml version='1.0'?><rows><row><a>",
        b"x",
        FileFormat(row="row"),
        "ROW_TOO_LONG",
    ),
    "an XML comment without an end": (b"<?xml version='1.0'?><!--", b"x", FileFormat(row="row"), "ROW_TOO_LONG"),
    "XML elements inside each other": (b"<?xml version='1.0'?>", b"<a>", FileFormat(), "XML_TOO_DEEP"),
    "a quote followed by quotes": (b'a,b\n1,"', b'""', FileFormat(delimiter=","), None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_much_is_read(name, peak):
    beginning, again, file_format, code = REFUSED[name]
    source = Endless(beginning, again, 200 * MB)
    with pytest.raises(FileRefused) as refused:
        read_all(source, file_format)
    assert code in (None, refused.value.code)
    assert source.read_so_far < 64 * MB
    assert peak() < 256 * MB


READ = {
    "plain rows": (b"a,b\n", b"12345678,abcdefgh\n", FileFormat()),
    "quoted rows": (b"a,b\n", b'12345678,"abc ""x"", def"\n', FileFormat()),
    "rows for the strict reader": (b"a||b\n", b"12345678||abcdefgh\n", FileFormat(delimiter="||")),
    "tiny rows for the strict reader": (b"a,b\n", b",\n" * 4, FileFormat(escape="\\")),
    "nothing but broken rows": (b"a,b\n", b"x\n\n,y,z\n", FileFormat()),
    "UTF-16": ("a,b\n".encode("utf-16"), "1234,äöü\n".encode("utf-16-le"), FileFormat()),
    "a footer": (b"a,b\n", b"12345678,abcdefgh\n", FileFormat(skip_footer=3)),
}


@pytest.mark.parametrize("name", READ)
def test_memory_does_not_grow_with_the_file(name, peak):
    beginning, again, file_format = READ[name]
    rows, broken = read_all(Endless(beginning, again, MB // 4), file_format, block_size=4 * 1024)
    assert rows + broken > 10_000
    assert peak() < 2 * MB


@pytest.mark.parametrize("end_of_row", ["", "\n"], ids=["rows on one line", "a row a line"])
def test_memory_does_not_grow_with_an_xml_file(end_of_row, peak):
    row = f"<row><a>12345678</a><b>{'x' * 400}</b></row>{end_of_row}".encode()
    file_format = FileFormat(row="row", repeated="join")

    rows, broken = read_all(Endless(b"<?xml version='1.0'?><rows>", row, 16 * MB, b"</rows>"), file_format)

    assert rows > 30_000
    assert not broken
    # 8.5 MB whether the file has 3 or 48.
    assert peak() < 10 * MB
