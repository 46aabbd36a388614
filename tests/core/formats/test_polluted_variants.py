"""2,290 polluted variants of one table: none is read silently wrong, and one broken row costs only itself."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass

import pytest

from data_connections.errors import FileRefused
from data_connections.formats import open_rows
from data_connections.spec import FileFormat
from fixtures.polluted_csv import HEADER, Variant, variants

EVERY_VARIANT = list(variants())

# family -> what became of its files when nothing is declared
UNDECLARED = {
    "source": {"every row": 1},
    "no payload": {"EMPTY_FILE": 1},
    "trailing newline": {"every row": 2},
    "no header": {"another header": 1},
    "multirow header": {"HEADER_REPEATED": 2},
    "preamble": {"EMPTY_HEADER": 1},
    "second table": {"every row": 2, "HEADER_REPEATED": 1},
    "few rows": {"every row": 2},
    "delimiter": {"every row": 2, "DELIMITER_UNKNOWN": 1, "DELIMITER_AMBIGUOUS": 1},
    "quote": {"QUOTE_AMBIGUOUS": 1},
    "escape": {"BROKEN_QUOTE": 2},
    "record delimiter": {"every row": 1, "BARE_CR": 1},
    "more delimiters": {"every other row": 747, "EMPTY_HEADER": 9},
    "fewer delimiters": {"every other row": 664, "another header": 6, "BROKEN_QUOTE": 2},
    "row delimiter": {"every other row": 83, "DELIMITER_UNKNOWN": 1},
    # The header, and quotes that show only on a later line than the one that they damage.
    "extra quote": {"every other row": 674, "BROKEN_QUOTE": 81, "UNCLOSED_QUOTE": 1},
}


@dataclass(frozen=True)
class Reading:
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    lines: list[int]
    broken: list[int]


def read(content: bytes, options: tuple[str, ...] = ()) -> Reading:
    reader = open_rows(io.BytesIO(content), FileFormat.from_options(options), name="variant.csv")
    blocks = list(reader.blocks())
    rows = [tuple(row.values()) for block in blocks for row in block.cells.to_pylist()]
    lines = [int(line) for block in blocks for line in block.lines]
    return Reading(reader.header, rows, lines, [row.line for block in blocks for row in block.broken])


def verdict(variant: Variant) -> str:
    try:
        reading = read(variant.content)
    except FileRefused as refused:
        return refused.code if refused.line or refused.code == "EMPTY_FILE" else f"{refused.code} without a line"
    if reading.header != HEADER:
        return "another header"
    if reading.rows == variant.rows:
        return "every row"
    assert variant.broken, f"{variant.name}: rows are missing or wrong"
    others = variant.rows[: variant.broken - 1] + variant.rows[variant.broken :]
    assert reading.rows == others, f"{variant.name}: not exactly the other rows"
    assert reading.broken == [variant.broken + 1]
    assert reading.lines == [line for line in range(2, len(variant.rows) + 2) if line != variant.broken + 1]
    return "every other row"


def test_there_are_as_many_variants_as_in_the_benchmark():
    assert len(EVERY_VARIANT) == 2290
    assert len({variant.name for variant in EVERY_VARIANT}) == 2290
    assert {variant.family for variant in EVERY_VARIANT} == UNDECLARED.keys()


@pytest.mark.parametrize("family", UNDECLARED)
def test_nothing_is_read_silently_wrong(family):
    found = Counter(verdict(variant) for variant in EVERY_VARIANT if variant.family == family)
    assert found == UNDECLARED[family]


DECLARED = [variant for variant in EVERY_VARIANT if variant.options]


@pytest.mark.parametrize("variant", DECLARED, ids=[variant.name for variant in DECLARED])
def test_declared_dialects_are_read_right(variant):
    reading = read(variant.content, variant.options)
    assert (reading.header, reading.rows, reading.broken) == (HEADER, variant.rows, [])


# what a refusal offers to declare
OFFERED = {
    "header of 2 rows": {"header_rows": 2},
    "header of 3 rows": {"header_rows": 3},
    "preamble": {"skip_lines": 2},
    "delimiter ' '": {"delimiter": " "},
    "delimiter ', '": {"delimiter": ", "},
    "quote '": {"quote": "single"},
    "rows end with CR": {"newline": "cr"},
    "escape backslash": {"escape": "backslash"},
    "escape missing": {"escape": "none"},
}


@pytest.mark.parametrize("name", OFFERED)
def test_a_refusal_offers_the_options_that_read_the_file(name):
    variant = next(variant for variant in EVERY_VARIANT if variant.name == name)
    with pytest.raises(FileRefused) as refused:
        read(variant.content)
    assert refused.value.options == OFFERED[name]
    reading = read(variant.content, tuple(f"{key}={value}" for key, value in OFFERED[name].items()))
    assert (reading.header, len(reading.rows), reading.broken) == (HEADER, len(variant.rows), [])
