"""Trailers: the last line agrees with the rows, or the file is refused."""

from __future__ import annotations

import io

import pytest

from data_connections.errors import FileRefused
from data_connections.formats import open_rows
from data_connections.spec.file_format import FileFormat

HEAD = "OrderId,Amount\n"


def read(text: str, trailer: str = "TRL,{rows},{sum:Amount}", block_size: int = 1024) -> int:
    file_format = FileFormat(trailer=trailer, delimiter=",")
    reader = open_rows(io.BytesIO(text.encode()), file_format, name="x.csv", block_size=block_size)
    return sum(block.rows for block in reader.blocks())


@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n"])
def test_a_trailer_that_agrees_is_no_row(end: str) -> None:
    assert read(HEAD + "A,1.10\nB,-0.10\nTRL,2,1.00" + end) == 2
    assert read(HEAD + "A,1.10\nTRL,20261124,1" + end, "TRL,{*},{rows}") == 1
    assert read(HEAD + "TRL,0,0" + end) == 0


def test_rows_are_counted_over_blocks() -> None:
    rows = "".join(f"O{number},0.01\n" for number in range(10_000))
    assert read(HEAD + rows + "TRL,10000,100.00\n", block_size=1000) == 10_000


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A,1.00\nTRL,2,1.00\n", "TRAILER_MISMATCH"),
        ("A,1.00\nTRL,1,1.01\n", "TRAILER_MISMATCH"),
        ("A,1.00\nB,2.00\n", "TRAILER_MISSING"),
        ("A,1.00\nTRL,x,1.00\n", "TRAILER_MISSING"),
    ],
)
def test_a_file_that_was_cut_is_refused(text: str, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read(HEAD + text)
    assert refused.value.code == code


def test_a_sum_with_a_cell_that_is_no_number_is_left_to_its_row() -> None:
    assert read(HEAD + "A,1.00\nB,oops\nTRL,2,5.00\n") == 2
    with pytest.raises(FileRefused, match="TRAILER_MISMATCH"):
        read(HEAD + "A,1.00\nB,oops\nTRL,3,5.00\n")


@pytest.mark.parametrize("wrong", ["TRL", "{rows},{rows}", "{row}", "{sum:}", "{rows}\n"])
def test_a_trailer_that_says_nothing_is_no_trailer(wrong: str) -> None:
    with pytest.raises(ValueError, match="a trailer is one line"):
        FileFormat(trailer=wrong)
